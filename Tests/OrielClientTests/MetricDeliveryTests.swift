import OrielTelemetry
import Synchronization
import Testing

@testable import OrielClient

/// What a pipeline tells of itself.
@Suite struct MetricDeliveryTests {
    @Test func thePipelineOfDropsIsExported() {
        var statistics = DeliveryStatistics()
        statistics.signals[.logs] = .init()
        statistics.signals[.logs]?.emitted = 10
        statistics.signals[.logs]?.delivered = 6
        statistics.signals[.logs]?.dropped = [.queueFull: 3]
        statistics.signals[.logs]?.waiting = 1
        statistics.failedRequests = 4
        statistics.queuedBytes = 99
        statistics.isReceiverGone = true
        statistics.namelessScopes = 2
        let registry = quietRegistry()
        registry.addCollector { [statistics] in statistics.collect(into: &$0) }
        let text = registry.text()
        for line in [
            "oriel_client_items_total{outcome=\"delivered\",signal=\"logs\"} 6",
            "oriel_client_items_total{outcome=\"dropped\",reason=\"queue_full\",signal=\"logs\"} 3",
            "oriel_client_items_total{outcome=\"dropped\",reason=\"refused\",signal=\"logs\"} 0",
            "oriel_client_waiting_items{signal=\"logs\"} 1", "oriel_client_waiting_items{signal=\"spans\"} 0", "oriel_client_queue_bytes 99",
            "oriel_client_failed_requests_total 4", "oriel_client_receiver_gone 1",
            "oriel_client_nameless_scopes_total 2",
        ] {
            #expect(text.contains(line + "\n"), "\(line)\n\(text)")
        }
        #expect(!text.contains("outcome=\"delivered\",signal=\"spans\""))
    }

    private struct Sink: TelemetryExporter {
        func export(_ batch: ExportBatch, deadline: Timestamp) -> ExportOutcome { .delivered() }
    }

    @Test func aPipelineIsNotKeptAlive() throws {
        let registry = quietRegistry()
        var pipeline: DeliveryPipeline? = try DeliveryPipeline(name: "test", exporter: Sink(), resource: Resource())
        registry.addCollector(of: try #require(pipeline))
        #expect(registry.value("oriel_client_receiver_gone") == 0)
        pipeline?.shutdownBlocking(deadline: Timestamp(nanoseconds: Timestamp.now.nanoseconds + 20_000_000_000))
        pipeline = nil
        #expect(registry.text() == "")
    }

    @Test(arguments: MetricTemporality.allCases) func whatARemovedInstrumentCountedIsStillPushed(_ temporality: MetricTemporality) throws {
        let registry = quietRegistry()
        var push = MetricPush(registry: registry, resource: Resource(), temporality: temporality)
        let counter = registry.counter("c", labels: ["a": "1"])
        counter.increment(by: 3)
        #expect(push.wholeRequest()?.sums == [3])
        push.noteAllDone()
        counter.increment(by: 4)
        registry.remove(counter)
        #expect(registry.text() == "")
        registry.counter("c", labels: ["a": "1"]).increment(by: 5)
        let expected = temporality == .cumulative ? [7, 5] : [4, 5]
        #expect(push.wholeRequest()?.sums == expected)
        push.noteFailed()
        #expect(push.wholeRequest()?.sums == expected)
        push.noteAllDone()
        #expect(push.wholeRequest()?.sums == (temporality == .cumulative ? [5] : nil))
    }

    @Test func eachPushTellsOfARemovedInstrument() throws {
        let registry = quietRegistry()
        var first = MetricPush(registry: registry, resource: Resource(), temporality: .delta)
        var second: MetricPush? = MetricPush(registry: registry, resource: Resource(), temporality: .delta)
        for value in [1, 10] {
            let counter = registry.counter("c")
            counter.increment(by: value)
            registry.remove(counter)
            #expect(first.wholeRequest()?.sums == [value])
            first.noteAllDone()
        }
        // What the first has read is not changed for the second.
        #expect(second?.wholeRequest()?.sums == [1, 10])
        second = nil
        #expect(first.wholeRequest() == nil)
    }

    @Test func theEndOfARemovedSeriesIsToldBeforeTheNextBegins() throws {
        let registry = quietRegistry()
        let reader = MetricReader(registry)
        let histogram = registry.histogram("h", buckets: .exponential())
        histogram.record(1)
        registry.remove(histogram)
        registry.histogram("h", buckets: .exponential()).record(2)
        let series = try #require(reader.snapshot().snapshot.families.first).series
        #expect(series.count == 2)
        let end = try #require(series[0].end)
        #expect(series[0].start <= end && end <= series[1].start && series[1].end == nil)
    }

    @Test func instrumentsThatComeAndGoAllTheTimeAreCountedInBoundedMemory() throws {
        let registry = MetricRegistry(configuration: .init(seriesLimit: 50))
        var push = MetricPush(registry: registry, resource: Resource(), temporality: .delta)
        for _ in 0..<1000 {
            let counter = registry.counter("c")
            counter.increment(by: 2)
            registry.remove(counter)
            let histogram = registry.histogram("h", buckets: .explicit([1]))
            histogram.record(0.5)
            registry.remove(histogram)
        }
        #expect(push.wholeRequest()?.sums.contains(2000) == true)
        push.noteAllDone()
        for number in 0..<80 {
            let counter = registry.counter("c", labels: ["n": "\(number)"])
            counter.increment()
            registry.remove(counter)
        }
        #expect(registry.value("oriel_metric_registry_omitted_series_total") == 30)
    }

    /// With room for hardly more than the series that there are at a time, so that what goes during one reading must be kept in few entries.
    @Test func noInstrumentIsLostOrCountedTwiceWhileOthersReadTheMetrics() async throws {
        let registry = quietRegistry(seriesLimit: 20)
        let receiver = Receiver(registry)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { while !receiver.isOver { receiver.read() } }
            await withTaskGroup(of: Void.self) { makers in
                for maker in 0..<3 {
                    makers.addTask {
                        for round in 0..<2000 {
                            let counter = registry.counter("c", labels: ["maker": "\(maker)", "n": "\(round % 3)"])
                            counter.increment()
                            registry.remove(counter)
                        }
                    }
                }
            }
            receiver.end()
        }
        receiver.read()
        #expect(receiver.total == 6000)
    }

    /// Adds up what a push tells.
    private final class Receiver: Sendable {
        private let push: Mutex<MetricPush>
        private let sum = Mutex(0)
        private let hasEnded = Atomic<Bool>(false)

        init(_ registry: MetricRegistry) {
            push = Mutex(MetricPush(registry: registry, resource: Resource(), temporality: .delta))
        }

        func read() {
            push.withLock { push in
                guard let request = push.wholeRequest() else { return }
                sum.withLock { $0 += request.sums.reduce(0, +) }
                push.noteAllDone()
            }
        }

        var total: Int { sum.withLock { $0 } }
        var isOver: Bool { hasEnded.load(ordering: .relaxed) }
        func end() { hasEnded.store(true, ordering: .relaxed) }
    }

    @Test func processMetricsTellWhatLinuxKnows() {
        let registry = quietRegistry()
        registry.addCollector(ProcessMetrics.collect)
        let text = registry.text()
        #expect(text.contains("swift_runtime_info{architecture="))
        #expect((registry.value("swift_cooperative_threads") ?? 0) >= 1)
        #if os(Linux)
        #expect((registry.value("process_paging_faults_total{system_paging_fault_type=\"minor\"}") ?? 0) > 0)
        #expect(registry.value("process_context_switches_total{process_context_switch_type=\"voluntary\"}") != nil)
        #endif
        #expect(ProcessIO(text: Array("rchar: 5\nread_bytes: 7\nwrite_bytes: 8\ncancelled_write_bytes: 0\n".utf8)[...])?.writtenBytes == 8)
        #expect(ProcessIO(text: Array("read_bytes: x\n".utf8)[...]) == nil)
    }
}
