@testable import Oriel
import OrielTelemetry
import Testing
import Tracing

@Suite struct PropagatorTests {
    private static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    private static let span = "00f067aa0ba902b7"
    private static let parent = "00-\(trace)-\(span)-01"

    private func extracted(_ headers: [String: String], _ propagators: [Oriel.Propagator]) -> Oriel.SpanContext? {
        Oriel.Tracer(queues: [], propagators: propagators).context(headers).spanContext
    }

    private func injected(_ context: Oriel.SpanContext, _ propagators: [Oriel.Propagator]) -> [String: String] {
        var service = ServiceContext.topLevel
        service.spanContextReference = SpanContextReference(context)
        return Oriel.Tracer(queues: [], propagators: propagators).headers(service)
    }

    private func context(flags: UInt8 = 1) -> Oriel.SpanContext {
        Oriel.SpanContext(
            traceID: TraceID(high: 0x4bf9_2f35_77b3_4da6, low: 0xa3ce_929d_0e0e_4736), spanID: SpanID(rawValue: 0x00f0_67aa_0ba9_02b7), flags: flags,
            isRemote: true)
    }

    // MARK: Names

    @Test func namesAreThoseOfTheEnvironment() {
        let names = ["tracecontext", "baggage", "b3", "b3multi", "xray", "none", " B3Multi "]
        let propagators: [Oriel.Propagator] = [.traceContext, .baggage, .b3, .b3Multi, .xray, .disabled, .b3Multi]
        #expect(names.compactMap { Oriel.Propagator(name: $0) } == propagators)
        #expect(Oriel.Propagator(name: "jaeger") == nil && Oriel.Propagator(name: "") == nil)
        #expect(Oriel.Propagator.standard == [.traceContext, .baggage])
    }

    @Test func noneDoesNothing() {
        #expect(extracted(["traceparent": Self.parent], [.disabled]) == nil && injected(context(), [.disabled]).isEmpty)
    }

    // MARK: W3C Trace Context

    private static let parentsAndFlags: [(String, UInt8)] = [
        ("00-\(trace)-\(span)-00", 0), ("00-\(trace)-\(span)-01", 1), ("00-\(trace)-\(span)-02", 2), ("00-\(trace)-\(span)-ff", 3),
        ("00-\(trace)-\(span)-0c", 0), ("cc-\(trace)-\(span)-01", 1), ("cc-\(trace)-\(span)-01-what-else", 1), ("01-\(trace)-\(span)-01-", 1),
        (" 00-\(trace)-\(span)-01\t", 1),
    ]

    @Test(arguments: parentsAndFlags)
    func validParents(_ header: String, _ flags: UInt8) {
        #expect(extracted(["traceparent": header], [.traceContext]) == context(flags: flags), "\(header)")
    }

    @Test(arguments: [
        "", "00", "ff-\(trace)-\(span)-01", "00-\(trace)-\(span)-01-more", "00-\(trace)-\(span)-01.", "cc-\(trace)-\(span)-01.more", "00-\(trace)-\(span)-1",
        "00-\(trace)-\(span)-", "00-\(trace.uppercased())-\(span)-01", "00-\(trace)-\(span.uppercased())-01", "00-\(trace)-\(span)-0A",
        "0A-\(trace)-\(span)-01",
        "00-00000000000000000000000000000000-\(span)-01", "00-\(trace)-0000000000000000-01", "00_\(trace)-\(span)-01", "00-\(trace)_\(span)-01",
        "00-\(trace)-\(span)_01", "0g-\(trace)-\(span)-01", "00-\(trace.dropLast())g-\(span)-01", "00-\(trace)-\(span.dropLast()).-01", "\(trace)-\(span)-01",
        "00-\(trace)-\(span)-01,00-\(trace)-\(span)-01", "-00-\(trace)-\(span)-01", "00-\(trace)0-\(span)-01",
    ])
    func invalidParents(_ header: String) {
        let tracer = Oriel.Tracer(queues: [])
        let before = tracer.context(["traceparent": "00-\(String(repeating: "a", count: 32))-\(Self.span)-01", "baggage": "a=1"])
        let after = tracer.context(["traceparent": header, "tracestate": "a=b"], in: before)
        #expect(after.spanContext == before.spanContext && after.baggage == before.baggage && after.count == before.count, "\(header)")
    }

    @Test func aParentGoesOutAsItCameIn() {
        for flags in [0, 1, 2, 3] as [UInt8] {
            var context = context(flags: flags | 0xF0)
            context.traceState = "a=1,b=2"
            #expect(
                injected(context, [.traceContext]) == ["traceparent": "00-\(Self.trace)-\(Self.span)-0\(flags)", "tracestate": "a=1,b=2"])
        }
        #expect(injected(Oriel.SpanContext(traceID: .zero, spanID: .zero), Oriel.Propagator.allCases).isEmpty)
        var odd = context()
        odd.traceState = "a=1\r\nx: y"
        #expect(injected(odd, [.traceContext]).keys.sorted() == ["traceparent"])
        #expect(Oriel.Tracer(queues: []).headers(.topLevel).isEmpty)
    }

    @Test func aSpanOfOursIsSent() throws {
        let tracer = Oriel.Tracer(queues: [])
        let span = tracer.startSpan("out", context: .topLevel)
        let context = try #require(span.context.spanContext)
        #expect(
            tracer.headers(span.context) == [
                "traceparent": "00-\(context.traceID.hexadecimal)-\(context.spanID.hexadecimal)-03", "tracestate": "ot=th:0",
            ])
        #expect(!context.isRemote && tracer.context(tracer.headers(span.context)).spanContext?.isRemote == true)
    }

    // MARK: B3

    @Test(arguments: [
        ("\(trace)-\(span)-1", true), ("\(trace)-\(span)-0", false), ("\(trace)-\(span)-1-\(span)", true),
    ])
    func validB3(_ header: String, _ isSampled: Bool) {
        for propagator in [Oriel.Propagator.b3, .b3Multi] {
            #expect(extracted(["b3": header], [propagator]) == context(flags: isSampled ? 1 : 0))
        }
    }

    @Test(arguments: [
        "", "0", "1", "d", "\(trace)", "\(trace)-", "\(trace)-\(span)-", "\(trace)-\(span)-2", "\(trace)-\(span)-1-", "\(trace)-\(span)-1-\(span)-x",
        "\(trace.dropLast())-\(span)-1", "\(trace)-\(span)0-1", "00000000000000000000000000000000-\(span)-1", "\(trace)-0000000000000000-1",
        "\(trace.dropLast())g-\(span)-1", "\(trace)-\(span)-1-zzzzzzzzzzzzzzzz",
    ])
    func invalidB3(_ header: String) {
        #expect(extracted(["b3": header], [.b3]) == nil, "\(header)")
    }

    @Test func b3WithShortTraceIDsAndSeveralHeaders() {
        let short = extracted(["b3": "a3ce929d0e0e4736-\(Self.span)-1"], [.b3])
        #expect(short?.traceID == TraceID(high: 0, low: 0xa3ce_929d_0e0e_4736))
        let multi = ["x-b3-traceid": Self.trace, "x-b3-spanid": Self.span]
        for propagator in [Oriel.Propagator.b3, .b3Multi] {
            #expect(extracted(multi.merging(["x-b3-sampled": "1"]) { $1 }, [propagator]) == context())
            #expect(extracted(multi.merging(["x-b3-sampled": "false"]) { $1 }, [propagator]) == context(flags: 0))
            #expect(extracted(multi.merging(["x-b3-flags": "0"]) { $1 }, [propagator])?.isDebug == false)
            #expect(extracted(multi, [propagator])?.isSamplingDeferred == true)
            #expect(extracted(["x-b3-traceid": Self.trace], [propagator]) == nil)
            // The single header comes first, unless it is damaged.
            let other = "\(Self.trace)-\(String(repeating: "1", count: 16))-1"
            #expect(extracted(multi.merging(["b3": other]) { $1 }, [propagator])?.spanID.hexadecimal == "1111111111111111")
            #expect(extracted(multi.merging(["b3": "x"]) { $1 }, [propagator])?.spanID.hexadecimal == Self.span)
        }
    }

    @Test func b3IsSent() {
        #expect(injected(context(), [.b3]) == ["b3": "\(Self.trace)-\(Self.span)-1"])
        #expect(injected(context(flags: 2), [.b3]) == ["b3": "\(Self.trace)-\(Self.span)-0"])
        #expect(injected(context(), [.b3Multi]) == ["x-b3-traceid": Self.trace, "x-b3-spanid": Self.span, "x-b3-sampled": "1"])
        var deferred = context(flags: 0)
        deferred.isSamplingDeferred = true
        #expect(injected(deferred, [.b3]) == ["b3": "\(Self.trace)-\(Self.span)"])
        #expect(injected(deferred, [.b3Multi]).count == 2)
    }

    /// Debug means: record, whatever else is said, and tell so to whoever is called.
    @Test(arguments: [
        ["b3": "\(trace)-\(span)-d"], ["x-b3-traceid": trace, "x-b3-spanid": span, "x-b3-flags": "1"],
        ["x-b3-traceid": trace, "x-b3-spanid": span, "x-b3-flags": "1", "x-b3-sampled": "0"],
    ])
    func b3DebugIsPassedOn(_ headers: [String: String]) throws {
        for (sampler, isRecording) in [
            (Oriel.ParentBasedSampler(root: Oriel.AlwaysOffSampler()), true), (Oriel.AlwaysOffSampler(), false),
        ] as [(any Oriel.Sampler, Bool)] {
            let tracer = Oriel.Tracer(queues: [], sampler: sampler, propagators: [.b3])
            let caller = tracer.context(headers)
            #expect(caller.spanContext?.isSampled == true)
            let child = tracer.startSpan("child", context: caller)
            let grandchild = tracer.startSpan("grandchild", context: child.context)
            #expect(grandchild.isRecording == isRecording)
            let context = try #require(grandchild.context.spanContext)
            #expect(tracer.headers(grandchild.context) == ["b3": "\(Self.trace)-\(context.spanID.hexadecimal)-d"])
            #expect(
                injected(context, [.b3Multi]) == ["x-b3-traceid": Self.trace, "x-b3-spanid": context.spanID.hexadecimal, "x-b3-flags": "1"])
        }
    }

    // MARK: X-Ray

    @Test(arguments: [
        ("Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=\(span);Sampled=1", true),
        ("Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=\(span);Sampled=0", false),
        ("Parent=\(span); Sampled=1 ; Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Self=1-0-0;Lineage=a:0", true),
    ])
    func validXRay(_ header: String, _ isSampled: Bool) {
        #expect(extracted(["x-amzn-trace-id": header], [.xray]) == context(flags: isSampled ? 1 : 0))
    }

    @Test(arguments: [
        "", "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736", "Parent=\(span)", "Root=2-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=\(span)",
        "Root=1-4bf92f3577b34da6a3ce929d0e0e4736;Parent=\(span)", "Root=1-00000000-000000000000000000000000;Parent=\(span)",
        "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=0000000000000000", "Root=1-4bf92f35-77b34da6a3ce929d0e0e473g;Parent=\(span)",
        "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=f067aa0ba902b7", "Root=;Parent=;Sampled=1", "=;;=;",
    ])
    func invalidXRay(_ header: String) {
        #expect(extracted(["x-amzn-trace-id": header], [.xray]) == nil, "\(header)")
    }

    @Test func xrayIsSent() {
        #expect(injected(context(), [.xray]) == ["x-amzn-trace-id": "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=\(Self.span);Sampled=1"])
        #expect(injected(context(flags: 0), [.xray])["x-amzn-trace-id"]?.hasSuffix(";Sampled=0") == true)
        let deferred = extracted(["x-amzn-trace-id": "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=\(Self.span);Sampled=?"], [.xray])
        #expect(deferred?.isSamplingDeferred == true)
    }

    @Test func ofSeveralFormatsTheLastOneCounts() {
        let headers = ["traceparent": Self.parent, "b3": "\(Self.trace)-1111111111111111-1"]
        #expect(extracted(headers, [.traceContext, .b3])?.spanID.hexadecimal == "1111111111111111")
        #expect(extracted(headers, [.b3, .traceContext])?.spanID.hexadecimal == Self.span)
        #expect(injected(context(), [.traceContext, .b3, .xray]).keys.sorted() == ["b3", "traceparent", "x-amzn-trace-id"])
    }

    // MARK: Damage

    @Test func damagedHeadersNeverHarm() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = TracingGenerator(seed: seed)
        let headers = [
            "traceparent": Self.parent, "tracestate": "ot=th:8;rv:12345678901234,vendor@system=a b", "baggage": "a=1;p;q=2, b = %C3%A9,c=",
            "b3": "\(Self.trace)-\(Self.span)-1",
            "x-b3-traceid": Self.trace, "x-b3-spanid": Self.span, "x-amzn-trace-id": "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=\(Self.span);Sampled=1",
        ]
        let names = headers.keys.sorted()
        for round in 0..<3_000 {
            var damaged = headers
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                guard let name = names.randomElement(using: &generator) else { continue }
                damaged[name] = generator.damaged(damaged[name] ?? "")
            }
            for propagator in Oriel.Propagator.allCases {
                let tracer = Oriel.Tracer(queues: [], propagators: [propagator])
                let context = tracer.context(damaged)
                if let found = context.spanContext {
                    #expect(!found.traceID.isZero && !found.spanID.isZero && found.isRemote, "seed \(seed), round \(round)")
                    #expect(TraceState.canonical(found.traceState) == found.traceState, "seed \(seed), round \(round): \(found.traceState)")
                    _ = tracer.startSpan("child", context: context)
                }
                // What is sent on is valid, and the same when it is read again.
                let again = tracer.context(tracer.headers(context))
                #expect(again.spanContext == context.spanContext && again.baggage == context.baggage, "seed \(seed), round \(round), \(propagator): \(damaged)")
            }
        }
    }
}

extension TracingGenerator {
    /// The text with a few bytes changed, taken out or put in, or cut.
    mutating func damaged(_ text: String) -> String {
        var bytes = Array(text.utf8)
        for _ in 0..<Int.random(in: 1...3, using: &self) {
            let byte = Bool.random(using: &self) ? UInt8.random(in: 0...255, using: &self) : Array("-=,;:%0afAF g\t".utf8).randomElement(using: &self) ?? 0
            let index = Int.random(in: 0...bytes.count, using: &self)
            switch Int.random(in: 0..<4, using: &self) {
            case 0 where index < bytes.count: bytes[index] = byte
            case 1 where index < bytes.count: bytes.remove(at: index)
            case 2: bytes.insert(byte, at: index)
            case 3: bytes.removeSubrange(index...)
            default: break
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
