#if ServiceLifecycle
import Logging
import OrielClient
import OrielTelemetry
import OrielTesting
import ServiceLifecycle
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

/// Telemetry in a group of services, which has to end with the group, whatever the collector does.
@Suite(.timeLimit(.minutes(2))) struct LifecycleTests {
    /// A collector that takes connections and never answers.
    private struct HangingExporter: TelemetryExporter {
        func export(_ batch: ExportBatch, deadline: Timestamp) -> ExportOutcome {
            while Timestamp.now < deadline { usleep(1000) }
            return .failed(reason: "no answer")
        }
    }

    /// A service that logs a line when it ends.
    private struct Worker: Service {
        let logger: Logger

        func run() async throws {
            try await gracefulShutdown()
            logger.info("the last order is done")
        }
    }

    private func configuration(endpoint: String = "http://127.0.0.1:1") -> Oriel.Configuration {
        var configuration = Oriel.Configuration()
        configuration.serviceName = "shop"
        configuration.otlp.setBase(endpoint)
        configuration.logExporters = [.otlp]
        return configuration
    }

    private func emit(_ telemetry: Oriel.Telemetry) -> Logger {
        let logger = Logger(label: "shop") { telemetry.logHandler(label: $0) }
        telemetry.tracer.withSpan("checkout") { _ in logger.info("an order") }
        return logger
    }

    private func run(_ telemetry: Oriel.Telemetry, _ service: Oriel.TelemetryService, _ logger: Logger) async throws {
        let group = ServiceGroup(
            configuration: .init(
                services: [.init(service: service), .init(service: Worker(logger: logger))], logger: Logger(label: "group") { _ in SwiftLogNoOpLogHandler() }))
        async let end: Void = group.run()
        await group.triggerGracefulShutdown()
        try await end
    }

    @Test func aGroupEndsThoughNobodyListens() async throws {
        let telemetry = try Oriel.telemetry(configuration())
        try await run(telemetry, telemetry.service, emit(telemetry))
        let statistics = try #require(telemetry.statistics)
        for signal in [ExportSignal.logs, .spans] {
            #expect(statistics[signal].emitted > 0)
            #expect(statistics[signal].dropped == [.shutdown: statistics[signal].emitted])
            #expect(statistics[signal].waiting == 0)
        }
        #expect(statistics.lastFailure != nil)
    }

    @Test func aGroupEndsThoughTheCollectorNeverAnswers() async throws {
        // Without a bound this request would take its ten seconds, and each that follows too.
        let telemetry = try Oriel.Telemetry(configuration(), exporter: HangingExporter())
        try await run(telemetry, Oriel.TelemetryService(telemetry, shutdownTimeout: .milliseconds(300)), emit(telemetry))
        #expect(telemetry.statistics?[.spans].delivered == 0)
    }

    @Test func lastWordsOfOtherServicesAreDelivered() async throws {
        let exporter = MemoryExporter()
        let telemetry = try Oriel.Telemetry(configuration(), exporter: exporter)
        let service = Oriel.TelemetryService(telemetry, shutdownTimeout: .seconds(60))
        try await run(telemetry, service, emit(telemetry))
        #expect(exporter.logs.map(\.message) == ["an order", "the last order is done"])
        #expect(exporter.spans.map(\.name) == ["checkout"])
    }

    @Test func aCancelledServiceSendsWhatItHas() async throws {
        let exporter = MemoryExporter()
        let telemetry = try Oriel.Telemetry(configuration(), exporter: exporter)
        _ = emit(telemetry)
        let service = Oriel.TelemetryService(telemetry, shutdownTimeout: .seconds(60))
        let task = Task { try await service.run() }
        task.cancel()
        try await task.value
        #expect(exporter.logs.map(\.message) == ["an order"])
    }
}
#endif
