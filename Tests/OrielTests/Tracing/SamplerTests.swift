@testable import Oriel
import OrielClient
import OrielOTLP
import OrielTelemetry
import Testing
import Tracing

@Suite struct SamplerTests {
    private static let parent = Oriel.SpanContext(
        traceID: TraceID(high: 1, low: 0x00FF_0000_0000_0000), spanID: SpanID(rawValue: 2), flags: 1, traceState: "ot=th:8", isRemote: true)

    private func candidate(_ parent: Oriel.SpanContext? = nil, _ traceID: TraceID = TraceID(high: 0, low: 1)) -> Oriel.SamplingCandidate {
        Oriel.SamplingCandidate(parent: parent, traceID: parent?.traceID ?? traceID, operationName: "op", kind: .internal)
    }

    // MARK: Thresholds

    @Test(arguments: [
        (1.0, "ot=th:0"), (0.5, "ot=th:8"), (0.25, "ot=th:c"), (0.125, "ot=th:e"), (0.75, "ot=th:4"), (0.1, "ot=th:e666"), (1 / 3.0, "ot=th:aaab"),
        (0.01, "ot=th:fd70a"), (0.001, "ot=th:ffbe77"), (1e-6, "ot=th:ffffef39"), (0.999, "ot=th:004189"), (1e-300, "ot=th:ffffffffffffff"), (7.0, "ot=th:0"),
        (.infinity, "ot=th:0"),
    ])
    func ratiosAsThresholds(_ ratio: Double, _ text: String) throws {
        let threshold = try #require(Oriel.SamplingThreshold(ratio: ratio))
        #expect(threshold.traceState == text)
        #expect(TraceState.threshold(in: text) == threshold)
        if ratio <= 1, ratio > 1e-15 { #expect(abs(threshold.ratio / ratio - 1) < 1e-4 && abs(threshold.weight * ratio - 1) < 1e-4) }
    }

    @Test func noRatioIsNoThreshold() {
        for ratio in [0, -1, .nan, -.infinity] as [Double] { #expect(Oriel.SamplingThreshold(ratio: ratio) == nil) }
        #expect(Oriel.SamplingThreshold(value: .max).value == 1 << 56 - 1)
    }

    @Test func thresholdsSurviveTheirText() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = TracingGenerator(seed: seed)
        for _ in 0..<2_000 {
            let value = generator.next() >> 8 & (UInt64.max << UInt64.random(in: 0..<56, using: &generator))
            let threshold = Oriel.SamplingThreshold(value: value)
            #expect(TraceState.threshold(in: threshold.traceState) == threshold, "seed \(seed), value \(value)")
            let ratio = Double.random(in: 0...1, using: &generator)
            #expect(ratio == 0 || Oriel.SamplingThreshold(ratio: ratio).map { abs($0.ratio - ratio) < 1e-4 } == true, "seed \(seed), ratio \(ratio)")
        }
    }

    // MARK: Samplers

    @Test func simpleSamplers() {
        #expect(Oriel.AlwaysOnSampler().decision(for: candidate()) == Oriel.SamplingDecision(isSampled: true, threshold: .known(.always)))
        #expect(Oriel.AlwaysOffSampler().decision(for: candidate(Self.parent)) == .drop)
        #expect(Oriel.RatioSampler(ratio: 0).decision(for: candidate()) == .drop)
        #expect(Oriel.RatioSampler(ratio: 1).decision(for: candidate(nil, TraceID(high: 0, low: 1 << 63))).isSampled)
    }

    @Test func ratiosAreConsistentAmongServices() {
        let ids = IdentifierGenerator()
        let ratios = [0.001, 0.01, 0.1, 0.5, 0.9]
        let samplers = ratios.map { Oriel.RatioSampler(ratio: $0) }
        var counts = [Int](repeating: 0, count: ratios.count)
        let total = 100_000
        for _ in 0..<total {
            let id = ids.traceID()
            let kept = samplers.map { $0.decision(for: candidate(nil, id)).isSampled }
            for index in kept.indices where kept[index] {
                counts[index] += 1
                // What a smaller ratio keeps, a larger one keeps too.
                #expect(index + 1 == kept.count || kept[index + 1], "\(id)")
            }
        }
        for (ratio, count) in zip(ratios, counts) {
            let deviation = (Double(total) * ratio * (1 - ratio)).squareRoot()
            #expect(abs(Double(count) - Double(total) * ratio) < 7 * deviation, "\(ratio): \(count)")
        }
    }

    @Test func theRandomnessOfTheFirstServiceCounts() {
        var parent = Self.parent
        let sampler = Oriel.RatioSampler(ratio: 0.5)
        #expect(candidate(parent).randomness == 0xFF_0000_0000_0000 && sampler.decision(for: candidate(parent)).isSampled)
        parent.traceState = "a=b,ot=th:0;rv:7fffffffffffff"
        #expect(candidate(parent).randomness == 0x7F_FFFF_FFFF_FFFF && !sampler.decision(for: candidate(parent)).isSampled)
        parent.traceState = "ot=rv:80000000000000"
        #expect(sampler.decision(for: candidate(parent)).isSampled)
        for damaged in ["ot=rv:8", "ot=rv:800000000000000", "ot=rv:8000000000000G", "ot=rv:8000000000000A", "ot=rv", "other=rv:00000000000000"] {
            parent.traceState = damaged
            #expect(candidate(parent).randomness == 0xFF_0000_0000_0000, "\(damaged)")
        }
    }

    @Test func childrenFollowTheirParents() {
        let sampler = Oriel.ParentBasedSampler(root: Oriel.RatioSampler(ratio: 0))
        #expect(sampler.decision(for: candidate()) == .drop)
        for flags in [0, 1] as [UInt8] {
            for isRemote in [false, true] {
                var parent = Self.parent
                parent.flags = flags
                parent.isRemote = isRemote
                let decision = sampler.decision(for: candidate(parent))
                #expect(decision == Oriel.SamplingDecision(isSampled: flags == 1, threshold: .inherited))
            }
        }
    }

    @Test func eachKindOfParentMayHaveASampler() {
        struct Marked: Oriel.Sampler {
            let value: UInt64

            func decision(for candidate: Oriel.SamplingCandidate) -> Oriel.SamplingDecision {
                .init(isSampled: true, threshold: .known(.init(value: value << 52)))
            }
        }
        let sampler = Oriel.ParentBasedSampler(
            root: Marked(value: 1), remoteParentSampled: Marked(value: 9), remoteParentNotSampled: Marked(value: 3), localParentSampled: Marked(value: 4),
            localParentNotSampled: Marked(value: 5))
        func threshold(_ flags: UInt8, _ isRemote: Bool, _ state: String) -> Oriel.SamplingDecision.Threshold {
            var parent = Self.parent
            parent.flags = flags
            parent.isRemote = isRemote
            parent.traceState = state
            return sampler.decision(for: candidate(parent)).threshold
        }
        func known(_ value: UInt64) -> Oriel.SamplingDecision.Threshold { .known(.init(value: value << 52)) }
        #expect(sampler.decision(for: candidate()).threshold == known(1))
        #expect(threshold(1, true, "ot=th:8") == known(9))
        #expect(threshold(0, true, "ot=th:8") == known(3))
        // Children of spans that were not recorded are chosen from, too, so the parent's threshold excludes nobody.
        #expect(threshold(1, false, "ot=th:8") == known(4))
        #expect(threshold(1, false, "") == known(4))
        #expect(threshold(0, false, "") == known(5))
    }

    @Test(arguments: [nil, Oriel.AlwaysOffSampler(), Oriel.RatioSampler(ratio: 0)] as [(any Oriel.Sampler)?])
    func theStricterThresholdIsToldWhereOnlyChildrenOfRecordedSpansAreChosenFrom(_ notSampled: (any Oriel.Sampler)?) {
        func threshold(_ ratio: Double, _ state: String) -> Oriel.SamplingDecision.Threshold {
            let sampler = Oriel.ParentBasedSampler(
                root: Oriel.AlwaysOnSampler(), remoteParentSampled: Oriel.RatioSampler(ratio: ratio), remoteParentNotSampled: notSampled)
            var parent = Self.parent
            parent.traceState = state
            return sampler.decision(for: candidate(parent)).threshold
        }
        #expect(threshold(0.25, "ot=th:8") == .known(.init(value: 0xC << 52)))
        #expect(threshold(0.5, "ot=th:c") == .inherited)
        #expect(threshold(0.5, "") == .unknown)
        // The parent's would have dropped it.
        #expect(threshold(0.5, "ot=th:c;rv:a0000000000000") == .unknown)
    }

    @Test func weightsAddUpWhereBothKindsOfChildrenAreChosenFrom() {
        let ids = IdentifierGenerator()
        let parents = Oriel.RatioSampler(ratio: 0.25)
        let half = Oriel.RatioSampler(ratio: 0.5)
        let sampler = Oriel.ParentBasedSampler(root: half, remoteParentSampled: half, remoteParentNotSampled: half)
        let total = 20_000
        var weight = 0.0
        for _ in 0..<total {
            var parent = Oriel.SpanContext(traceID: ids.traceID(), spanID: SpanID(rawValue: 1), isRemote: true)
            if parents.decision(for: candidate(nil, parent.traceID)).isSampled {
                parent.flags = 1
                parent.traceState = "ot=th:c"
            }
            let decision = sampler.decision(for: candidate(parent))
            guard decision.isSampled else { continue }
            guard case .known(let threshold) = decision.threshold else {
                Issue.record("\(decision.threshold)")
                return
            }
            weight += threshold.weight
        }
        #expect(abs(weight / Double(total) - 1) < 0.1)
    }

    /// The flag says that it is recorded, the threshold that it is not: nobody knows how many it stands for.
    @Test(arguments: [("ot=th:ff8", true), ("ot=th:8;rv:80000000000000", true), ("ot=th:8;rv:7fffffffffffff", false), ("ot=th:ffc", false)])
    func aThresholdThatContradictsTheFlagIsErased(_ state: String, _ isConsistent: Bool) throws {
        var parent = Self.parent
        parent.traceID = TraceID(high: 1, low: 0x00FF_8000_0000_0000)
        parent.traceState = state
        let sampler = Oriel.ParentBasedSampler(root: Oriel.AlwaysOffSampler())
        #expect(sampler.decision(for: candidate(parent)) == .init(isSampled: true, threshold: isConsistent ? .inherited : .unknown))
        let tracer = Oriel.Tracer(queues: [], sampler: sampler)
        var context = ServiceContext.topLevel
        context.spanContextReference = SpanContextReference(parent)
        let span = try #require(tracer.startSpan("x", context: context).context.spanContext)
        #expect(span.isSampled && (TraceState.threshold(in: span.traceState) != nil) == isConsistent, "\(span.traceState)")
        #expect(TraceState.randomness(in: span.traceState) == TraceState.randomness(in: state))
    }

    // MARK: In the tracer

    @Test func theDecisionIsToldInTheTraceState() async throws {
        let capture = try SpanCapture()
        let tracer = capture.tracer(sampler: Oriel.RatioSampler(ratio: 0.5))
        var kept = 0
        for _ in 0..<200 {
            tracer.withSpan("root") { span in
                let context = span.context.spanContext
                #expect(context?.traceState == (span.isRecording ? "ot=th:8" : ""))
                if span.isRecording { kept += 1 }
            }
        }
        let spans = try await capture.spans()
        #expect(spans.count == kept && spans.allSatisfy { $0.traceState == "ot=th:8" && $0.traceID.low & 0x80_0000_0000_0000 != 0 })
    }

    @Test func aDroppedSpanTellsNoThreshold() throws {
        let tracer = Oriel.Tracer(queues: [], sampler: Oriel.AlwaysOffSampler())
        var context = ServiceContext.topLevel
        tracer.extract(
            ["traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03", "tracestate": "a=1,ot=rv:12345678901234;th:8"], into: &context,
            using: HeaderCarrier())
        let span = try #require(tracer.startSpan("x", context: context).context.spanContext)
        #expect(span.traceState == "ot=rv:12345678901234,a=1" && span.flags == 2)
    }

    @Test func aDecisionThatIsLeftToUsIsTheRootsSamplers() throws {
        let header = ["b3": "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"]
        for (root, isSampled) in [(Oriel.AlwaysOnSampler(), true), (Oriel.AlwaysOffSampler(), false)] as [(any Oriel.Sampler, Bool)] {
            let tracer = Oriel.Tracer(queues: [], sampler: Oriel.ParentBasedSampler(root: root), propagators: [.b3])
            let span = tracer.startSpan("x", context: tracer.context(header))
            #expect(span.isRecording == isSampled && span.context.spanContext?.traceID.hexadecimal == "4bf92f3577b34da6a3ce929d0e0e4736")
            #expect(tracer.headers(span.context)["b3"]?.hasSuffix(isSampled ? "-1" : "-0") == true)
        }
    }
}
