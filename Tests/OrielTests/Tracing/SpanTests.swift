import OrielClient
import OrielOTLP
import OrielTelemetry
import Synchronization
import Testing
import Tracing

@testable import Oriel

@Suite struct SpanTests {
    private let capture: SpanCapture

    init() throws { capture = try SpanCapture() }

    private struct Failure: Error, CustomStringConvertible {
        var description: String { "no such cart" }
    }

    private enum OtherKey: ServiceContextKey {
        typealias Value = String
    }

    // MARK: Relations

    @Test func nestedSpansAreOneTrace() async throws {
        let tracer = capture.tracer()
        try await tracer.withSpan("outer", ofKind: .server) { outer in
            #expect(ServiceContext.current?.spanContext == outer.context.spanContext)
            tracer.withSpan("inner", ofKind: .client) { _ in }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<3 {
                    group.addTask { try await tracer.withSpan("task \(index)") { _ in try await Task.sleep(for: .microseconds(10)) } }
                }
                try await group.waitForAll()
            }
            await Task { tracer.withSpan("unstructured") { _ in } }.value
            await Task.detached { tracer.withSpan("detached") { _ in } }.value
        }
        let spans = try await capture.spans()
        #expect(spans.count == 7)
        let outer = try #require(spans.first { $0.name == "outer" })
        #expect(outer.parentSpanID.isZero && outer.kind == 2 && outer.flags == 3 && outer.traceState == "ot=th:0")
        for span in spans where span.name != "outer" && span.name != "detached" {
            #expect(span.parentSpanID == outer.spanID && span.traceID == outer.traceID && span.flags == 0x103, "\(span)")
        }
        let detached = try #require(spans.first { $0.name == "detached" })
        #expect(detached.parentSpanID.isZero && detached.traceID != outer.traceID)
        #expect(Set(spans.map(\.spanID)).count == 7)
        #expect(try await capture.scopes() == [InstrumentationScope(name: "oriel-swift")])
    }

    @Test func contextsStayWhatTheyWereWhenOtherSpansStart() throws {
        let tracer = capture.tracer()
        var kept: [(context: ServiceContext, spanID: SpanID)] = []
        for round in 0..<20 {
            tracer.withSpan("outer") { outer in
                // Some are kept, the others let go, so that some are used again.
                if round % 3 == 0 { kept.append((outer.context, outer.spanContext.spanID)) }
                tracer.withSpan("inner") { inner in
                    #expect(ServiceContext.current?.spanContext == inner.spanContext)
                    if round % 2 == 0 { kept.append((inner.context, inner.spanContext.spanID)) }
                }
                #expect(ServiceContext.current?.spanContext == outer.spanContext)
                var other = outer.context
                other[OtherKey.self] = "\(round)"
                let child = tracer.startSpan("child", context: other)
                #expect(child.context[OtherKey.self] == "\(round)" && child.context.spanContext == child.spanContext)
                #expect(outer.context[OtherKey.self] == nil && outer.context.count == 1)
                child.end()
            }
        }
        #expect(kept.allSatisfy { $0.context.spanContext?.spanID == $0.spanID && $0.context.count == 1 })
    }

    @Test func kindsAreThoseOfOTLP() async throws {
        let tracer = capture.tracer()
        for kind in [SpanKind.internal, .server, .client, .producer, .consumer] { tracer.withSpan("\(kind)", ofKind: kind) { _ in } }
        let spans = try await capture.spans()
        #expect(spans.map(\.kind) == [1, 2, 3, 4, 5])
    }

    @Test func aSpanThatIsNotRecordedKeepsTheContextOfItsParent() async throws {
        let tracer = capture.tracer(sampler: Oriel.ParentBasedSampler(root: Oriel.AlwaysOffSampler()))
        var context = ServiceContext.topLevel
        context[OtherKey.self] = "kept"
        context.baggage = Oriel.Baggage([.init(key: "user", value: "7")])
        try ServiceContext.withValue(context) {
            try tracer.withSpan("outer") { outer in
                let first = try #require(outer.context.spanContext)
                #expect(!outer.isRecording && !first.isSampled && first.flags == 2 && first.traceState.isEmpty && !first.spanID.isZero)
                #expect(outer.context[OtherKey.self] == "kept" && outer.context.baggage["user"] == "7")
                outer.attributes["a"] = 1
                outer.updateAttributes { _ in Issue.record("what is not recorded is not asked for") }
                outer.operationName = "other"
                outer.addEvent("event")
                outer.setStatus(SpanStatus(code: .error))
                outer.recordError(Failure())
                #expect(outer.attributes.isEmpty && outer.operationName.isEmpty)
                try tracer.withSpan("inner") { inner in
                    let second = try #require(inner.context.spanContext)
                    #expect(second.traceID == first.traceID && second.spanID != first.spanID && !second.isSampled)
                    #expect(inner.context[OtherKey.self] == "kept" && inner.context.baggage["user"] == "7")
                }
            }
        }
        #expect(try await capture.spans().isEmpty)
    }

    @Test func aParentOfAnotherProcessIsToldAsRemote() async throws {
        let tracer = capture.tracer(sampler: Oriel.ParentBasedSampler(root: Oriel.AlwaysOffSampler()))
        let context = tracer.context([
            "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "tracestate": "vendor=1,ot=th:c",
        ])
        tracer.withSpan("remote", context: context) { _ in }
        let span = try await capture.span()
        #expect(span.traceID.hexadecimal == "4bf92f3577b34da6a3ce929d0e0e4736" && span.parentSpanID.hexadecimal == "00f067aa0ba902b7")
        #expect(span.flags == 0x301 && span.traceState == "vendor=1,ot=th:c")
    }

    @Test func severalQueuesGetTheSame() async throws {
        let second = try SpanCapture()
        let tracer = Oriel.Tracer(
            queues: [capture.pipeline.spans, second.pipeline.spans], scope: InstrumentationScope(name: "shop", version: "2"), sampler: Oriel.AlwaysOnSampler())
        tracer.withSpan("both") { $0.attributes["a"] = "b" }
        let spans = try await (capture.span(), second.span())
        #expect(spans.0 == spans.1 && spans.0["a"] == "b")
        #expect(try await second.scopes() == [InstrumentationScope(name: "shop", version: "2")])
        Oriel.Tracer(queues: []).withSpan("nowhere") { _ in }
    }

    @Test func theExistentialAPIsWork() async throws {
        let tracer: any Tracer = capture.tracer()
        let span = tracer.startAnySpan("any", context: .topLevel)
        span.attributes["a"] = 1
        span.attributes["b"] = "two"
        span.updateAttributes { $0["c"] = 3.5 }
        span.attributes["a"] = nil
        span.end()
        #expect(try await capture.span().attributes.sorted { $0.key < $1.key } == [Attribute("b", "two"), Attribute("c", 3.5)])
    }

    @Test func flushingIsLeftToWhoeverMadeTheTracer() {
        let count = Mutex(0)
        let tracer = Oriel.Tracer(queues: [], flush: { count.withLock { $0 += 1 } })
        tracer.forceFlush()
        #expect(count.withLock { $0 } == 1)
    }

    // MARK: Contents

    @Test func allIsEncoded() async throws {
        struct Described: CustomStringConvertible, Sendable {
            let description: String
        }
        let tracer = capture.tracer(recordsSourceLocation: true)
        let other = tracer.startSpan("other", context: .topLevel)
        let span = tracer.startSpan(
            "first name", context: .topLevel, at: DefaultTracerClock.Timestamp(nanosecondsSinceEpoch: 1_000), function: "f()", file: "M/F.swift", line: 7)
        span.operationName = "second name"
        #expect(span.operationName == "second name" && span.isRecording)
        span.updateAttributes { attributes in
            attributes["int32"] = Int32(-3)
            attributes["int"] = Int.max
            attributes["double"] = 0.25
            attributes["bool"] = true
            attributes["string"] = "é\n"
            attributes["described"] = SpanAttribute.stringConvertible(Described(description: "D"))
            attributes["int32s"] = SpanAttribute.int32Array([1, -1])
            attributes["ints"] = SpanAttribute.int64Array([])
            attributes["doubles"] = SpanAttribute.doubleArray([0.5])
            attributes["bools"] = SpanAttribute.boolArray([true, false])
            attributes["strings"] = SpanAttribute.stringArray(["x", ""])
            attributes["descriptions"] = SpanAttribute.stringConvertibleArray([Described(description: "E"), Described(description: "F")])
            attributes["code.line.number"] = 9
        }
        span.addEvent(SpanEvent(name: "event", at: DefaultTracerClock.Timestamp(nanosecondsSinceEpoch: 1_500), attributes: ["n": 1]))
        span.addLink(other, attributes: ["why": "because"])
        span.addLink(SpanLink(context: .topLevel, attributes: [:]))
        span.setStatus(SpanStatus(code: .error, message: "broken"))
        span.end(at: DefaultTracerClock.Timestamp(nanosecondsSinceEpoch: 2_000))

        let made = try await capture.span()
        #expect(made.name == "second name" && made.startTime.nanoseconds == 1_000 && made.endTime.nanoseconds == 2_000)
        #expect(made.statusCode == 2 && made.statusMessage == "broken")
        let expected: [Attribute] = [
            Attribute("bool", true), Attribute("bools", [true, false]), Attribute("code.file.path", "M/F.swift"), Attribute("code.function.name", "f()"),
            Attribute("code.line.number", 9), Attribute("described", "D"), Attribute("descriptions", ["E", "F"]), Attribute("double", 0.25),
            Attribute("doubles", [0.5]), Attribute("int", .int(.max)), Attribute("int32", -3), Attribute("int32s", [1, -1]), Attribute("ints", []),
            Attribute("string", "é\n"), Attribute("strings", ["x", ""]),
        ]
        #expect(made.attributes.sorted { $0.key < $1.key } == expected)
        #expect(made.events == [OTLPSpanEvent(time: Timestamp(nanoseconds: 1_500), name: "event", attributes: [Attribute("n", 1)])])
        let linked = try #require(other.context.spanContext)
        #expect(
            made.links == [
                OTLPSpanLink(
                    traceID: linked.traceID, spanID: linked.spanID, traceState: "ot=th:0", attributes: [Attribute("why", "because")], flags: 0x103)
            ])
        #expect(made.droppedLinksCount == 0)
    }

    @Test func textsOfAnyLengthAreEncoded() async throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = TracingGenerator(seed: seed)
        let lengths = [0, 1, 15, 16, 100, 117, 118, 119, 120, 126, 127, 128, 129, 250, 510, 511, 512, 513, 600, 20_000]
        let tracer = capture.tracer()
        var expected: [[Attribute]] = []
        for _ in 0..<60 {
            var attributes: [Attribute] = []
            for index in 0..<5 {
                let key = "\(index)" + String(repeating: "k", count: lengths.randomElement(using: &generator) ?? 0)
                let text = String(repeating: ["v", "é", "日"].randomElement(using: &generator) ?? "v", count: lengths.randomElement(using: &generator) ?? 0)
                let values: [AttributeValue] = [
                    .string(text), .int(Int64(bitPattern: generator.next())), .int(Int64(text.utf8.count)), .double(0.5), .bool(true),
                ]
                attributes.append(Attribute(key, values.randomElement(using: &generator) ?? .string(text)))
            }
            expected.append(attributes)
            tracer.withSpan("span") { span in
                for attribute in attributes {
                    switch attribute.value {
                    case .string(let text): span.attributes[attribute.key] = text
                    case .int(let number): span.attributes[attribute.key] = number
                    case .double(let number): span.attributes[attribute.key] = number
                    case .bool(let flag): span.attributes[attribute.key] = flag
                    default: break
                    }
                }
            }
        }
        let spans = try await capture.spans()
        #expect(spans.map { $0.attributes.sorted { $0.key < $1.key } } == expected, "seed \(seed)")
    }

    @Test func namesAndStatesOfAnyLengthAreEncoded() async throws {
        let tracer = capture.tracer(sampler: Oriel.ParentBasedSampler(root: Oriel.AlwaysOnSampler()))
        let lengths = [0, 1, 15, 16, 127, 128, 503, 504, 505, 511, 512, 513, 1024]
        let states = ["", "a=" + String(repeating: "s", count: 6), "a=" + String(repeating: "s", count: 250)]
        for state in states {
            var context = ServiceContext.topLevel
            context.spanContextReference = SpanContextReference(
                Oriel.SpanContext(traceID: TraceID(high: 1, low: 2), spanID: SpanID(rawValue: 3), flags: 1, traceState: state))
            for length in lengths { tracer.startSpan(String(repeating: "n", count: length), context: context).end() }
        }
        let spans = try await capture.spans()
        #expect(spans.map(\.name.utf8.count) == states.flatMap { _ in lengths })
        #expect(spans.map(\.traceState) == states.flatMap { state in lengths.map { _ in state } })
    }

    @Test func sourceLocationsAreOnlyToldWhenAskedFor() async throws {
        capture.tracer().withSpan("plain") { _ in }
        #expect(try await capture.span().attributes.isEmpty)
    }

    @Test func errorsBecomeExceptions() async throws {
        let tracer = capture.tracer()
        #expect(throws: Failure.self) { try tracer.withSpan("failing") { _ in throw Failure() } }
        let span = try await capture.span()
        #expect(span.statusCode == 2)
        let event = try #require(span.events.first)
        #expect(span.events.count == 1 && event.name == "exception")
        let type = event.attributes.first { $0.key == "exception.type" }?.value
        guard case .string(let name)? = type else { return #expect(Bool(false), "\(event)") }
        #expect(name.hasSuffix("Failure"))
        #expect(event.attributes.contains(Attribute("exception.message", "no such cart")))
    }

    @Test func anErrorThatWasDealtWithIsNoFailure() async throws {
        capture.tracer().withSpan("retried") { $0.recordError(Failure()) }
        let span = try await capture.span()
        #expect(span.statusCode == 0 && span.events.map(\.name) == ["exception"])
    }

    @Test func aRecordedErrorKeepsAStatusThatWasSet() async throws {
        let tracer = capture.tracer()
        tracer.withSpan("fine") { span in
            span.setStatus(SpanStatus(code: .ok, message: "is not told"))
            span.recordError(Failure(), attributes: ["retry": 2], at: DefaultTracerClock.Timestamp(nanosecondsSinceEpoch: 5))
            span.setStatus(SpanStatus(code: .error, message: "late"))
        }
        let span = try await capture.span()
        #expect(span.statusCode == 1 && span.statusMessage.isEmpty)
        #expect(span.events.first?.time.nanoseconds == 5 && span.events.first?.attributes.contains(Attribute("retry", 2)) == true)
    }

    @Test func theMessageOfAnErrorStaysWhenItIsThrown() async throws {
        let tracer = capture.tracer()
        #expect(throws: Failure.self) {
            try tracer.withSpan("failing") { span in
                span.setStatus(SpanStatus(code: .error, message: "first"))
                span.setStatus(SpanStatus(code: .error, message: "out of stock"))
                throw Failure()
            }
        }
        let span = try await capture.span()
        #expect(span.statusCode == 2 && span.statusMessage == "out of stock" && span.events.count == 1)
    }

    // MARK: Ending

    @Test func onlyTheFirstEndCounts() async throws {
        let tracer = capture.tracer()
        let span = tracer.startSpan("once", context: .topLevel, at: DefaultTracerClock.Timestamp(nanosecondsSinceEpoch: 10))
        span.end(at: DefaultTracerClock.Timestamp(nanosecondsSinceEpoch: 20))
        span.end()
        span.attributes["late"] = 1
        span.operationName = "late"
        span.addEvent("late")
        span.setStatus(SpanStatus(code: .error))
        span.recordError(Failure())
        span.addLink(span)
        #expect(!span.isRecording && span.attributes.isEmpty && span.operationName == "once")
        let made = try await capture.span()
        #expect(made.name == "once" && made.endTime.nanoseconds == 20 && made.attributes.isEmpty && made.events.isEmpty && made.statusCode == 0)
    }

    @Test func aSpanThatHasEndedKeepsNothingOfWhatItTold() async throws {
        let tracer = capture.tracer()
        let span = tracer.startSpan("told", context: .topLevel)
        span.attributes["a"] = 1
        #expect(span.attributes == ["a": 1])
        span.end()
        #expect(span.attributes.isEmpty && span.operationName == "told")
        #expect(try await capture.span().attributes == [Attribute("a", 1)])
    }

    @Test func spansThatFollowEachOtherDoNotKeepThoseBefore() {
        let tracer = capture.tracer()
        for value in [nil, "kept"] {
            var context = ServiceContext.topLevel
            context[OtherKey.self] = value
            weak var first: SpanRecording?
            for round in 0..<4 {
                let span = tracer.startSpan("\(round)", context: context)
                context = span.context
                if round == 0 {
                    first = context.spanContextReference?.recording
                    #expect(first != nil)
                }
                span.end()
            }
            #expect(first == nil)
        }
    }

    @Test func manyThreadsEndASpanOnce() async throws {
        let tracer = capture.tracer()
        for _ in 0..<100 {
            let span = tracer.startSpan("raced", context: .topLevel)
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<4 { group.addTask { span.end() } }
            }
        }
        #expect(try await capture.spans().count == 100)
    }

    @Test func aSpanThatEndsWhileItsAttributesChangeLosesNone() async throws {
        let tracer = capture.tracer()
        let span = tracer.startSpan("busy", context: .topLevel)
        span.attributes["before"] = 1
        span.updateAttributes { attributes in
            span.attributes["other"] = 2
            span.end()
            attributes["inside"] = 3
        }
        let made = try await capture.span()
        #expect(made.attributes.sorted { $0.key < $1.key } == [Attribute("before", 1), Attribute("inside", 3), Attribute("other", 2)])
    }

    @Test func changesWithinChangesAreMerged() async throws {
        var limits = Oriel.SpanLimits()
        limits.attributes = 2
        let tracer = capture.tracer(limits: limits)
        let span = tracer.startSpan("full", context: .topLevel)
        span.attributes = ["a": 1, "b": 1]
        span.updateAttributes { attributes in
            attributes["b"] = 2
            attributes["c"] = 2
            span.attributes["a"] = 3
        }
        #expect(span.attributes == ["a": 3, "b": 2])
        span.end()
        #expect(try await capture.span().droppedAttributesCount == 1)
    }

    @Test func threadsThatSetAttributesOfOneSpanLoseNone() async throws {
        let tracer = capture.tracer()
        let span = tracer.startSpan("shared", context: .topLevel)
        await withTaskGroup(of: Void.self) { group in
            for thread in 0..<8 {
                group.addTask { for index in 0..<10 { span.attributes["\(thread).\(index)"] = index } }
            }
        }
        span.end()
        #expect(try await capture.span().attributes.count == 80)
    }

    @Test func eightThreadsMakeSpansAtOnce() async throws {
        let tracer = capture.tracer()
        await withTaskGroup(of: Void.self) { group in
            for thread in 0..<8 {
                group.addTask {
                    for index in 0..<500 {
                        tracer.withSpan("\(thread)") { outer in
                            outer.attributes["index"] = index
                            tracer.withSpan("inner") { _ in }
                        }
                    }
                }
            }
        }
        let spans = try await capture.spans()
        #expect(spans.count == 8_000 && Set(spans.map(\.spanID)).count == 8_000)
        let traces = Dictionary(grouping: spans, by: \.traceID)
        #expect(traces.count == 4_000)
        for trace in traces.values {
            let inner = try #require(trace.first { $0.name == "inner" })
            let outer = try #require(trace.first { $0.name != "inner" })
            #expect(trace.count == 2 && inner.parentSpanID == outer.spanID && outer.parentSpanID.isZero)
        }
        #expect(capture.pipeline.statistics.signals[.spans]?.delivered == 8_000)
    }
}
