import OrielOTLP
import OrielTelemetry
import Synchronization
import Testing

@testable import OrielClient

/// What is sent with delta temporality.
@Suite struct MetricBaselineTests {
    private static let trace = TraceID(high: 1, low: 2)
    private static let span = SpanID(rawValue: 3)

    private struct Steps {
        var state: UInt64
        mutating func next(below bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
    }

    private func point(_ snapshot: MetricSnapshot, _ name: String, _ index: Int = 0) -> MetricSnapshot.Point? {
        snapshot.families.first { $0.name == name }?.series.dropFirst(index).first?.point
    }

    private func counter(_ snapshot: MetricSnapshot, _ name: String, _ index: Int = 0) -> Double? {
        if case .counter(let value, _)? = point(snapshot, name, index) { value } else { nil }
    }

    @Test func countersTellWhatWasAdded() {
        let registry = quietRegistry()
        var baseline = MetricBaseline()
        let counter = registry.counter("c")
        counter.increment(by: 5)
        let first = registry.snapshot()
        #expect(self.counter(baseline.delta(of: first), "c") == 5)
        counter.increment(by: 2)
        let second = baseline.delta(of: registry.snapshot())
        #expect(self.counter(second, "c") == 2)
        // The interval begins where the one before ended.
        #expect(second.families.first?.series.first?.start == first.time)
        #expect(baseline.delta(of: registry.snapshot()).families.first?.series.isEmpty == true)
    }

    @Test func aResetBeginsAnew() {
        let registry = quietRegistry()
        var baseline = MetricBaseline()
        let counter = registry.counter("c")
        counter.increment(by: 5)
        _ = baseline.delta(of: registry.snapshot())
        counter.reset()
        counter.increment(by: 7)
        let after = baseline.delta(of: registry.snapshot())
        #expect(self.counter(after, "c") == 7)
        #expect(after.families.first?.series.first?.start == counter.start)
    }

    @Test func seriesThatComeAndGo() {
        let registry = quietRegistry()
        var baseline = MetricBaseline()
        let old = registry.counter("c", labels: ["a": "1"])
        old.increment(by: 3)
        _ = baseline.delta(of: registry.snapshot())
        registry.counter("c", labels: ["a": "2"]).increment(by: 4)
        let one = baseline.delta(of: registry.snapshot())
        #expect(one.families.first?.series.map(\.labels) == [[MetricLabel(name: "a", value: "2")]])
        #expect(counter(one, "c") == 4)
        // The same labels again are another series.
        registry.remove(old)
        registry.counter("c", labels: ["a": "1"]).increment(by: 2)
        #expect(counter(baseline.delta(of: registry.snapshot()), "c") == 2)
    }

    @Test func aRemovedSeriesThatIsReadAgainIsNotToldAgain() {
        let registry = quietRegistry()
        let reader = MetricReader(registry)
        var baseline = MetricBaseline()
        let old = registry.counter("c")
        old.increment(by: 3)
        registry.remove(old)
        registry.counter("c").increment(by: 4)
        let first = baseline.delta(of: reader.snapshot().snapshot)
        #expect([0, 1].map { counter(first, "c", $0) } == [3, 4])
        #expect(baseline.delta(of: reader.snapshot().snapshot).families.first?.series.isEmpty == true)
    }

    @Test func gaugesAndInfosStayAsTheyAre() throws {
        let registry = quietRegistry()
        var baseline = MetricBaseline()
        registry.gauge("g").set(4)
        try registry.registerInfo("i", labels: ["a": "b"])
        for _ in 0..<2 {
            let delta = baseline.delta(of: registry.snapshot())
            guard case .gauge(4)? = point(delta, "g"), case .info? = point(delta, "i") else {
                Issue.record("\(delta)")
                return
            }
        }
    }

    @Test func exemplarsAreToldOnce() {
        let registry = quietRegistry()
        var baseline = MetricBaseline()
        let counter = registry.counter("c")
        let classic = registry.histogram("h", buckets: .explicit([1]))
        let exponential = registry.histogram("e", buckets: .exponential())
        func exemplars() -> [Int] {
            let delta = baseline.delta(of: registry.snapshot())
            return ["c", "h", "e"].map {
                switch point(delta, $0) {
                case .counter(_, let exemplar): exemplar == nil ? 0 : 1
                case .histogram(let histogram): histogram.exemplars.count { $0 != nil }
                case .exponentialHistogram(let histogram): histogram.exemplars.count
                default: -1
                }
            }
        }
        counter.increment(traceID: Self.trace, spanID: Self.span)
        classic.record(0.5, traceID: Self.trace, spanID: Self.span)
        exponential.record(0.5, traceID: Self.trace, spanID: Self.span)
        #expect(exemplars() == [1, 1, 1])
        counter.increment()
        classic.record(0.5)
        exponential.record(0.5)
        #expect(exemplars() == [0, 0, 0])
        #expect(exemplars() == [-1, -1, -1])
        classic.record(2, traceID: Self.trace, spanID: Self.span)
        exponential.record(200, traceID: Self.trace, spanID: Self.span)
        #expect(exemplars() == [-1, 1, 1])
    }

    @Test func aCumulativePushTellsExemplarsOnceToo() throws {
        let registry = quietRegistry()
        let old = Timestamp(nanoseconds: 1_720_000_000_000_000_000)
        registry.counter("c").increment(traceID: Self.trace, spanID: Self.span, at: old)
        registry.histogram("h", buckets: .explicit([1])).record(0.5, traceID: Self.trace, spanID: Self.span, at: old)
        registry.histogram("e", buckets: .exponential()).record(0.5, traceID: Self.trace, spanID: Self.span, at: old)
        var push = MetricPush(registry: registry, resource: Resource())
        func exemplars() throws -> Int {
            let request = push.request(limit: 1 << 20)?.request ?? []
            var decoder = OTLPDecoder()
            return try decoder.metrics(request.span, receiveTime: .now).exemplars.times.count
        }
        #expect(try exemplars() == 3)
        push.noteFailed()
        #expect(try exemplars() == 3)
        push.noteDone()
        #expect(push.isComplete)
        push.endReading()
        #expect(try exemplars() == 0)
        push.endReading()
        registry.counter("c").increment(traceID: Self.trace, spanID: Self.span)
        #expect(try exemplars() == 1)
    }

    @Test(arguments: MetricTemporality.allCases)
    func whatIsToldAsADeltaDependsOnHowItIsCounted(temporality: MetricTemporality) throws {
        let registry = quietRegistry()
        let read = Mutex(10.0)
        let counter = registry.counter("counted")
        let gauge = registry.gauge("up_and_down")
        let histogram = registry.histogram("recorded", buckets: .exponential())
        try registry.registerCounter("read") { read.withLock { $0 } }
        registry.addCollector { $0.counter("collected", value: read.withLock { $0 } * 10) }
        counter.increment(by: 3)
        gauge.add(5)
        histogram.record(1)

        var push = MetricPush(registry: registry, resource: Resource(), temporality: temporality)
        let first = push.wholeRequest()
        #expect(first != nil)
        push.noteAllDone()
        counter.increment(by: 2)
        gauge.add(-1)
        histogram.record(1)
        read.withLock { $0 = 17 }
        let request = push.wholeRequest()?.request ?? []
        var decoder = OTLPDecoder()
        let told = try decoder.metrics(request.span, receiveTime: .now)

        #expect(told.samples.values.contains(4), "a gauge is no sum")
        #expect(told.deltas.histograms.count == (temporality == .cumulative ? 0 : 1))
        let deltas: Set<Double>
        let sums: Set<Double>
        switch temporality {
        case .cumulative: (deltas, sums) = ([], [5, 17, 170])
        case .delta: (deltas, sums) = ([2, 7, 70], [])
        case .lowMemory: (deltas, sums) = ([2], [17, 170])
        }
        #expect(Set(told.deltas.samples.values) == deltas)
        #expect(Set(told.samples.values).subtracting([1, 4]) == sums)
    }

    @Test func aScaleThatGoesDown() {
        let registry = quietRegistry()
        var baseline = MetricBaseline()
        let histogram = registry.histogram("e", buckets: .exponential(maximumBuckets: 4))
        histogram.record(1.5)
        histogram.record(-1.5)
        _ = baseline.delta(of: registry.snapshot())
        for value in [1.5, 1000, 0, -2] { histogram.record(value) }
        guard case .exponentialHistogram(let delta)? = point(baseline.delta(of: registry.snapshot()), "e") else {
            Issue.record("no histogram")
            return
        }
        #expect(delta.count == 4)
        #expect(delta.zeroCount == 1)
        #expect(delta.sum == 999.5)
        #expect(delta.positiveCounts.reduce(0, +) == 2)
        #expect(delta.negativeCounts.reduce(0, +) == 1)
    }

    /// What a receiver makes of the deltas that it adds up.
    private struct Receiver {
        var counters: [String: Double] = [:]
        var buckets: [String: [UInt64]] = [:]
        var sums: [String: Double] = [:]
        /// Counts of exponential histograms at a scale so coarse that all of them can be brought there.
        var octaves: [String: [Int: UInt64]] = [:]

        mutating func add(_ snapshot: MetricSnapshot) {
            for family in snapshot.families {
                for series in family.series {
                    let key = family.name + String(decoding: series.renderedLabels, as: UTF8.self)
                    switch series.point {
                    case .counter(let value, _): counters[key, default: 0] += value
                    case .histogram(let histogram):
                        let known = buckets[key] ?? histogram.counts.map { _ in 0 }
                        buckets[key] = zip(known, histogram.counts).map { $0 &+ $1 }
                        sums[key, default: 0] += histogram.sum
                    case .exponentialHistogram(let histogram):
                        sums[key, default: 0] += histogram.sum
                        octaves[key, default: [:]][.min, default: 0] += histogram.zeroCount
                        for (offset, counts, sign) in [
                            (histogram.positiveOffset, histogram.positiveCounts, 1), (histogram.negativeOffset, histogram.negativeCounts, 2),
                        ] {
                            for (position, count) in counts.enumerated() where count > 0 {
                                let coarse = (offset + position) >> (histogram.scale + 10)
                                octaves[key, default: [:]][coarse * 4 + sign, default: 0] += count
                            }
                        }
                    case .gauge, .info: break
                    }
                }
            }
            for (key, counts) in octaves { octaves[key] = counts.filter { $0.value != 0 } }
        }
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>) func theSumOfDeltasIsTheCumulativeValue(seed: UInt64) {
        var steps = Steps(state: seed)
        let registry = quietRegistry()
        var baseline = MetricBaseline()
        var receiver = Receiver()
        for _ in 0..<2000 {
            let labels: MetricLabels = ["n": "\(steps.next(below: 4))"]
            // Quarters add up without rounding.
            let value = Double(steps.next(below: 4000) - 1000) / 4
            switch steps.next(below: 5) {
            case 0: registry.counter("c", labels: labels).increment(by: abs(value))
            case 1: registry.counter("c", labels: labels).increment(by: steps.next(below: 100))
            case 2: registry.histogram("h", labels: labels, buckets: .explicit([-100, 0, 1, 10, 500])).record(value)
            case 3: registry.histogram("e", labels: labels, buckets: .exponential(maximumBuckets: 8)).record(value)
            default: if steps.next(below: 20) == 0 { receiver.add(baseline.delta(of: registry.snapshot())) }
            }
        }
        let last = registry.snapshot()
        receiver.add(baseline.delta(of: last))
        var cumulative = Receiver()
        cumulative.add(last)
        #expect(receiver.counters == cumulative.counters, "seed \(seed)")
        #expect(receiver.buckets == cumulative.buckets, "seed \(seed)")
        #expect(receiver.sums == cumulative.sums, "seed \(seed)")
        #expect(receiver.octaves == cumulative.octaves, "seed \(seed)")
    }
}
