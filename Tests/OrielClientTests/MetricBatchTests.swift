import OrielClient
import OrielTelemetry
import Synchronization
import Testing

/// Metrics that do not fit one request.
@Suite struct MetricBatchTests {
    private static let limit = 16 << 10

    private func pipeline(
        _ exporter: FakeExporter, _ registry: MetricRegistry, _ temporality: MetricTemporality = .cumulative,
        _ change: (inout DeliveryConfiguration) -> Void = { _ in }
    ) throws -> DeliveryPipeline {
        let configuration = DeliveryConfiguration.patient {
            $0.batchBytes = Self.limit
            $0.retry.firstDelay = .milliseconds(10)
            $0.retry.longestDelay = .milliseconds(10)
            $0.retry.failuresUntilOpen = .max
            change(&$0)
        }
        return try DeliveryPipeline(
            name: "delivery", exporter: exporter, resource: Resource(), configuration: configuration,
            metrics: MetricPush(registry: registry, resource: Resource(attributes: [Attribute("service.name", .string("shop"))]), temporality: temporality))
    }

    private func expectExact(_ pipeline: DeliveryPipeline, sourceLocation: SourceLocation = #_sourceLocation) {
        let counts = pipeline.statistics[.metrics]
        #expect(counts.emitted == counts.delivered + counts.droppedTotal + counts.waiting, "\(counts)", sourceLocation: sourceLocation)
    }

    /// The values of the points of counters, by the name of the metric and the value of the one label.
    private func values(_ batches: [ExportBatch]) -> [(series: String, value: Int)] {
        batches.flatMap { $0.messages(at: [1, 2, 2]) }.flatMap { metric in
            let name = metric.payloads(at: [1]).first.map { String(decoding: $0, as: UTF8.self) } ?? ""
            return metric.messages(at: [7, 1]).map { point in
                let label = point.payloads(at: [7, 2, 1]).first.map { String(decoding: $0, as: UTF8.self) } ?? ""
                let value = point.payloads(at: [6]).first?.reversed().reduce(0) { $0 << 8 | Int($1) } ?? 0
                return ("\(name)/\(label)", value)
            }
        }
    }

    /// What a receiver has of each series that adds up what it gets.
    private func sums(_ batches: [ExportBatch]) -> [String: Int] {
        values(batches).reduce(into: [:]) { $0[$1.series, default: 0] += $1.value }
    }

    /// What a receiver has of each series that keeps what it got last.
    private func latest(_ batches: [ExportBatch]) -> [String: Int] {
        values(batches).reduce(into: [:]) { $0[$1.series] = $1.value }
    }

    private func count(_ registry: MetricRegistry, _ counts: [String: Int]) {
        for (series, value) in counts {
            let parts = series.split(separator: "/").map(String.init)
            registry.counter(parts[0], labels: ["n": parts[1]]).increment(by: value)
        }
    }

    private func counts(_ families: Int, _ series: Int, _ value: (Int) -> Int) -> [String: Int] {
        var result: [String: Int] = [:]
        for family in 0..<families {
            for number in 0..<series { result["family\(family)/\(number)"] = value(family * series + number) }
        }
        return result
    }

    // MARK: Sizes

    @Test(arguments: MetricTemporality.allCases) func requestsAreOfTheSizeThatIsAskedFor(_ temporality: MetricTemporality) async throws {
        let registry = quietRegistry()
        let trace = TraceID(high: 1, low: 2)
        for number in 0..<300 {
            let labels: MetricLabels = ["path": "/orders/\(number)", "method": "GET"]
            registry.histogram("classic", labels: labels, buckets: .seconds).record(Double(number), traceID: trace, spanID: SpanID(rawValue: 3))
            let exponential = registry.histogram("exponential", labels: labels, buckets: .exponential())
            for step in 1...20 { exponential.record(Double(step * number)) }
            registry.counter("counter", labels: labels).increment()
            registry.gauge("gauge", labels: labels).set(1)
        }
        let exporter = FakeExporter()
        let pipeline = try pipeline(exporter, registry, temporality)
        #expect(await pipeline.flush(deadline: .after(.seconds(60))))
        let sizes = exporter.delivered.map(\.request.count)
        #expect(sizes.count > 5)
        #expect(sizes.allSatisfy { $0 <= Self.limit })
        #expect(sizes.dropLast().allSatisfy { $0 > Self.limit / 3 }, "\(sizes)")
        #expect(exporter.delivered.reduce(0) { $0 + $1.itemCount } == 1200)
        #expect(pipeline.statistics[.metrics].delivered == 1200)
        #expect(pipeline.statistics.queuedBytes == 0)
        expectExact(pipeline)
    }

    @Test func aSeriesThatIsLargerThanARequestIsSentAlone() async throws {
        let registry = quietRegistry()
        registry.counter("large", help: String(repeating: "x", count: 2 * Self.limit)).increment()
        registry.counter("small").increment()
        let exporter = FakeExporter()
        let pipeline = try pipeline(exporter, registry)
        #expect(await pipeline.flush(deadline: .after(.seconds(60))))
        #expect(exporter.delivered.map(\.itemCount) == [1, 1])
    }

    // MARK: Failures

    @Test func oneRequestThatIsRefusedIsAllThatIsLost() async throws {
        let registry = quietRegistry()
        count(registry, counts(4, 400) { $0 + 1 })
        let exporter = FakeExporter { number, _ in number == 2 ? .refused(reason: "413") : .delivered() }
        let pipeline = try pipeline(exporter, registry)
        #expect(await pipeline.flush(deadline: .after(.seconds(60))) == false)
        #expect(exporter.attempts.count > 5)
        let lost = exporter.attempts[2].batch.itemCount
        #expect(pipeline.statistics[.metrics].dropped == [.refused: UInt64(lost)])
        #expect(sums(exporter.delivered).count == 1600 - lost)
        expectExact(pipeline)
        #expect(await pipeline.flush(deadline: .after(.seconds(60))))
    }

    @Test func aReceiverThatTakesFewRequestsAtATimeGetsAllSeries() async throws {
        let registry = quietRegistry()
        let expected = counts(4, 400) { $0 + 1 }
        count(registry, expected)
        // One is taken, one is not.
        let exporter = FakeExporter { number, _ in number % 2 == 0 ? .delivered() : .failed(reason: "429") }
        let pipeline = try pipeline(exporter, registry)
        await pipeline.flush(deadline: .after(.milliseconds(1)))
        #expect(await eventually { latest(exporter.delivered) == expected })
        exporter.setAnswer(.delivered())
        #expect(await pipeline.shutdown(deadline: .after(.seconds(60))))
        expectExact(pipeline)
    }

    @Test(arguments: 1...6 as ClosedRange<UInt64>) func deltasAddUpWhateverArrived(seed: UInt64) async throws {
        let registry = quietRegistry()
        let exporter = FakeExporter { number, _ in
            (UInt64(number) &* 0x9E37_79B9_7F4A_7C15 &+ seed &* 0xD134_2543_DE82_EF95) >> 62 == 0 ? .failed(reason: "gone") : .delivered()
        }
        let pipeline = try pipeline(exporter, registry, .delta)
        var expected: [String: Int] = [:]
        for round in 1...8 {
            // Not each series each time.
            let counts = counts(3, 300) { ($0 &* round &+ Int(seed)) % 7 }.filter { $0.value > 2 }
            count(registry, counts)
            expected.merge(counts, uniquingKeysWith: +)
            // Some end in the middle.
            if round % 2 == 0 {
                #expect(await pipeline.flush(deadline: .after(.seconds(60))), "seed \(seed)")
                #expect(sums(exporter.delivered) == expected, "seed \(seed), round \(round)")
            } else {
                await pipeline.flush(deadline: .after(.milliseconds(5)))
            }
        }
        #expect(await pipeline.shutdown(deadline: .after(.seconds(60))), "seed \(seed)")
        #expect(sums(exporter.delivered) == expected, "seed \(seed)")
        #expect(exporter.attempts.contains { $0.outcome == .failed(reason: "gone") })
        expectExact(pipeline)
        #expect(pipeline.statistics.queuedBytes == 0)
    }

    @Test func deltasThatCannotBeSentAtTheEndAreInFiles() async throws {
        let folder = TemporaryFolder()
        let registry = quietRegistry()
        let first = counts(3, 300) { $0 + 1 }
        count(registry, first)
        let exporter = FakeExporter { number, _ in number < 2 ? .delivered() : .failed(reason: "gone") }
        let early = try pipeline(exporter, registry, .delta) {
            $0.spillFolder = folder.path
            $0.retry.failuresUntilOpen = 1
        }
        #expect(await early.flush(deadline: .after(.seconds(60))) == false)
        let second = counts(3, 300) { $0 % 3 }.filter { $0.value > 0 }
        count(registry, second)
        #expect(await early.shutdown(deadline: .after(.seconds(60))) == false)
        #expect(early.statistics[.metrics].waiting > 0)
        #expect(early.statistics[.metrics].droppedTotal == 0)
        expectExact(early)
        let late = FakeExporter()
        let next = try pipeline(late, quietRegistry(), .delta) { $0.spillFolder = folder.path }
        let expected = first.merging(second, uniquingKeysWith: +)
        #expect(await eventually { sums(exporter.delivered + late.delivered) == expected })
        #expect(await eventually { next.statistics[.metrics].waiting == 0 })
    }

    @Test func seriesThatAreNeverTakenHoldUpNoOthers() async throws {
        let registry = quietRegistry()
        let expected = counts(3, 300) { $0 + 1 }
        count(registry, expected)
        let exporter = FakeExporter { _, batch in
            String(decoding: batch.request, as: UTF8.self).contains("family0") ? .failed(reason: "too much") : .delivered()
        }
        let pipeline = try pipeline(exporter, registry)
        await pipeline.flush(deadline: .after(.milliseconds(20)))
        let others = expected.filter { !$0.key.hasPrefix("family0") }
        #expect(await eventually { latest(exporter.delivered).count > others.count / 2 })
    }

    @Test(arguments: MetricTemporality.allCases) func whatDidNotArriveMayBeGoneAtTheNextAttempt(_ temporality: MetricTemporality) async throws {
        let registry = quietRegistry()
        let names = (0..<400).map { "z\($0)" }
        let gauges = names.map { name -> Gauge in
            let gauge = registry.gauge(name)
            gauge.set(1)
            return gauge
        }
        registry.counter("a").increment()
        let exporter = FakeExporter { number, _ in number == 0 ? .delivered() : .failed(reason: "gone") }
        let pipeline = try pipeline(exporter, registry, temporality)
        await pipeline.flush(deadline: .after(.milliseconds(30)))
        #expect(await eventually { exporter.attempts.count > 1 })
        for gauge in gauges { registry.remove(gauge) }
        exporter.setAnswer(.delivered())
        #expect(await pipeline.flush(deadline: .after(.seconds(60))))
        expectExact(pipeline)
    }

    // MARK: Flushes, and others who want to send

    @Test func aFlushWaitsForWhatWasCountedBeforeIt() async throws {
        let registry = quietRegistry()
        count(registry, counts(4, 400) { _ in 1 })
        let exporter = FakeExporter()
        exporter.hold()
        let pipeline = try pipeline(exporter, registry)
        async let first = pipeline.flush(deadline: .after(.seconds(60)))
        #expect(await eventually { exporter.attempts.count == 1 })
        // It is in the request that is on its way, with another value.
        count(registry, ["family0/0": 5])
        async let second = pipeline.flush(deadline: .after(.seconds(60)))
        exporter.release()
        #expect(await first)
        #expect(await second)
        #expect(latest(exporter.delivered)["family0/0"] == 6)
    }

    @Test func metricsAreSentThoughLogsNeverEnd() async throws {
        final class Holder: Sendable {
            let pipeline = Mutex<DeliveryPipeline?>(nil)
        }
        let holder = Holder()
        let registry = quietRegistry()
        registry.counter("orders").increment()
        let exporter = FakeExporter { _, batch in
            if batch.signal == .logs { holder.pipeline.withLock { $0 }?.logs.add("one more") }
            return .delivered()
        }
        let pipeline = try pipeline(exporter, registry) { $0.logDelay = .zero }
        holder.pipeline.withLock { $0 = pipeline }
        pipeline.logs.add("first")
        #expect(await pipeline.flush(deadline: .after(.seconds(60))))
        #expect(exporter.delivered.contains { $0.signal == .metrics })
        holder.pipeline.withLock { $0 = nil }
    }
}

extension ExportBatch {
    /// The messages that the field numbers lead to.
    fileprivate func messages(at path: [UInt32]) -> [ExportBatch] {
        payloads(at: path).map { ExportBatch(signal: signal, request: $0, itemCount: 0) }
    }
}
