import CoreMetrics
import Logging
import OrielClient
import OrielTelemetry
import OrielTesting
import Testing
import Tracing

@testable import Oriel

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Exporters, samplers, units and buckets that an application brings along.
@Suite struct CustomPartsTests {
    /// Records spans of kind server only.
    private struct ServersOnly: Oriel.Sampler {
        func decision(for candidate: Oriel.SamplingCandidate) -> Oriel.SamplingDecision {
            candidate.kind == .server ? Oriel.SamplingDecision(isSampled: true, threshold: .unknown) : .drop
        }
    }

    private func configuration() -> Oriel.Configuration {
        var configuration = Oriel.Configuration()
        configuration.logExporters = []
        configuration.metricExporters = []
        configuration.spanExporters = []
        return configuration
    }

    @Test func eachCustomExporterGetsEverything() async throws {
        let exporters = [MemoryExporter(), MemoryExporter()]
        var configuration = configuration()
        configuration.customExporters = exporters
        let telemetry = try Oriel.telemetry(configuration)
        telemetry.tracer.withSpan("checkout") { _ in Logger(label: "shop") { telemetry.logHandler(label: $0) }.info("paid") }
        #expect(await telemetry.flush(timeout: .seconds(30)))
        for exporter in exporters {
            #expect(exporter.spans.map(\.name) == ["checkout"])
            #expect(exporter.logs.map(\.message) == ["paid"])
            #expect(!exporter.metrics.isEmpty)
        }
        await telemetry.shutdown(timeout: .seconds(30))
    }

    @Test func whatBecomesOfTheirTelemetryIsCounted() async throws {
        struct Refusing: TelemetryExporter {
            func export(_ batch: ExportBatch, deadline: Timestamp) -> ExportOutcome { .refused(reason: "no") }
        }
        var configuration = configuration()
        configuration.customExporters = [MemoryExporter(), Refusing(), MemoryExporter()]
        let telemetry = try Oriel.telemetry(configuration)
        telemetry.tracer.withSpan("checkout") { _ in }
        await telemetry.flush(timeout: .seconds(30))
        let text = telemetry.prometheusText()
        for line in [
            #"oriel_client_items_total{exporter="MemoryExporter",outcome="delivered",signal="spans"} 1"#,
            #"oriel_client_items_total{exporter="MemoryExporter-2",outcome="delivered",signal="spans"} 1"#,
            #"oriel_client_items_total{exporter="Refusing",outcome="delivered",signal="spans"} 0"#,
            #"oriel_client_items_total{exporter="Refusing",outcome="dropped",reason="refused",signal="spans"} 1"#,
            #"oriel_client_waiting_items{exporter="Refusing",signal="spans"} 0"#, #"oriel_client_receiver_gone{exporter="MemoryExporter"} 0"#,
            "oriel_metric_registry_omitted_series_total 0",
        ] { #expect(text.contains(line + "\n"), "\(line)") }
        await telemetry.shutdown(timeout: .seconds(30))
    }

    /// A collector that takes connections and never answers.
    private struct HangingExporter: TelemetryExporter {
        func export(_ batch: ExportBatch, deadline: Timestamp) -> ExportOutcome {
            while deadline > .now { usleep(1000) }
            return .failed(reason: "no answer")
        }
    }

    /// A collector that answers, but not at once.
    private struct SlowExporter: TelemetryExporter {
        let memory = MemoryExporter()

        func export(_ batch: ExportBatch, deadline: Timestamp) -> ExportOutcome {
            let end = Timestamp.now.advanced(by: 100_000_000)
            while min(end, deadline) > .now { usleep(1000) }
            return end <= .now ? memory.export(batch, deadline: deadline) : .failed(reason: "no answer yet")
        }
    }

    @Test func aCollectorThatNeverAnswersTakesNoTimeFromOthersAtTheEnd() throws {
        let exporter = SlowExporter()
        var configuration = configuration()
        configuration.logExporters = [.otlp]
        configuration.customExporters = [exporter]
        let telemetry = try Oriel.Telemetry(configuration, exporter: HangingExporter())
        Logger(label: "shop") { telemetry.logHandler(label: $0) }.info("the last order")
        telemetry.shutdownBlocking(deadline: .now.advanced(by: 1_000_000_000))
        #expect(exporter.memory.logs.map(\.message) == ["the last order"])
    }

    @Test func whoIsDisabledExportsNothing() async throws {
        let exporter = MemoryExporter()
        var configuration = configuration()
        configuration.customExporters = [exporter]
        configuration.isDisabled = true
        let telemetry = try Oriel.telemetry(configuration)
        telemetry.tracer.withSpan("checkout") { _ in Logger(label: "shop") { telemetry.logHandler(label: $0) }.info("paid") }
        await telemetry.shutdown(timeout: .seconds(30))
        #expect(exporter.spans.isEmpty && exporter.logs.isEmpty && exporter.metrics.isEmpty)
    }

    @Test func aCustomSamplerDecides() async throws {
        let exporter = MemoryExporter()
        var configuration = configuration()
        configuration.customExporters = [exporter]
        configuration.sampler = .alwaysOff
        configuration.customSampler = ServersOnly()
        let telemetry = try Oriel.telemetry(configuration)
        telemetry.tracer.withSpan("request", ofKind: .server) { _ in telemetry.tracer.withSpan("query", ofKind: .client) { _ in } }
        await telemetry.shutdown(timeout: .seconds(30))
        #expect(exporter.spans.map(\.name) == ["request"])
    }

    @Test func unitsHelpAndBucketsGoByTheLabel() throws {
        var configuration = configuration()
        configuration.metricUnits["upload.size"] = "By"
        configuration.metricHelp["upload.size"] = "What was uploaded."
        configuration.metricBuckets["upload.size"] = .explicit([10, 100])
        let telemetry = try Oriel.telemetry(configuration)
        withMetricsFactory(telemetry.metricsFactory) { Recorder(label: "upload.size").record(50) }
        let text = telemetry.prometheusText()
        #expect(text.contains("# HELP upload_size_bytes What was uploaded.\n"))
        #expect(text.contains("upload_size_bytes_bucket{le=\"10\"} 0\n"))
        #expect(text.contains("upload_size_bytes_bucket{le=\"100\"} 1\n"))
    }

    @Test func explicitBucketsFitWhatIsMeasured() throws {
        var configuration = configuration()
        configuration.histogramAggregation = .explicit
        let telemetry = try Oriel.telemetry(configuration)
        withMetricsFactory(telemetry.metricsFactory) {
            Recorder(label: "cart.size").record(30)
            Timer(label: "latency").recordMilliseconds(30)
        }
        let lines = telemetry.prometheusText().split(separator: "\n")
        let bounds = { (name: String) in lines.filter { $0.hasPrefix("\(name)_bucket{le=\"") }.compactMap { $0.split(separator: "\"").dropFirst().first } }
        #expect(bounds("cart_size") == ["0", "5", "10", "25", "50", "75", "100", "250", "500", "750", "1000", "2500", "5000", "7500", "10000", "+Inf"])
        #expect(bounds("latency_seconds").first == "0.005")
    }

    @Test func onlyFunctionsHaveTheirMetrics() async throws {
        let telemetry = try Oriel.telemetry(configuration())
        #expect(!telemetry.prometheusText().contains("faas_"))
        await telemetry.invocation(Oriel.Invocation(requestID: "1")) {}
        #expect(telemetry.prometheusText().contains("faas_invocations_total 1\n"))
        #expect(telemetry.prometheusText().contains("faas_coldstarts_total 1\n"))
    }
}
