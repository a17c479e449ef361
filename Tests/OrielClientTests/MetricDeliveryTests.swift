import OrielTelemetry
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
        let registry = quietRegistry()
        registry.addCollector { [statistics] in statistics.collect(into: &$0) }
        let text = registry.text()
        for line in [
            "oriel_client_items_total{outcome=\"delivered\",signal=\"logs\"} 6",
            "oriel_client_items_total{outcome=\"dropped\",reason=\"queue_full\",signal=\"logs\"} 3",
            "oriel_client_items_total{outcome=\"dropped\",reason=\"refused\",signal=\"logs\"} 0",
            "oriel_client_waiting_items{signal=\"logs\"} 1", "oriel_client_waiting_items{signal=\"spans\"} 0", "oriel_client_queue_bytes 99",
            "oriel_client_failed_requests_total 4", "oriel_client_receiver_gone 1",
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
