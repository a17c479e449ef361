import CoreMetrics
import Logging
import OrielClient
import OrielTelemetry
import Testing
import Tracing

@testable import Oriel

/// The delivery lives as long as a backend that needs it.
@Suite(.timeLimit(.minutes(1))) struct DeliveryLifetimeTests {
    /// Tells of each request.
    private struct Teller: TelemetryExporter {
        let signals: AsyncStream<ExportSignal>.Continuation

        func export(_ batch: ExportBatch, deadline: OrielTelemetry.Timestamp) -> ExportOutcome {
            signals.yield(batch.signal)
            return .delivered()
        }

        func shutdown() { signals.finish() }
    }

    private let signals: AsyncStream<ExportSignal>
    private let continuation: AsyncStream<ExportSignal>.Continuation

    init() { (signals, continuation) = AsyncStream.makeStream() }

    private func telemetry(_ metricInterval: Duration = .seconds(3600)) throws -> Oriel.Telemetry {
        var configuration = Oriel.Configuration()
        configuration.logExporters = []
        configuration.metricExporters = []
        configuration.spanExporters = []
        configuration.customExporters = [Teller(signals: continuation)]
        configuration.delivery.logDelay = .milliseconds(1)
        configuration.delivery.spanDelay = .milliseconds(1)
        configuration.delivery.metricInterval = metricInterval
        return try Oriel.telemetry(configuration)
    }

    /// Whether a request of the signal comes before the delivery ends.
    private func arrives(_ signal: ExportSignal) async -> Bool { await signals.contains(signal) }

    @Test func aLoggerKeepsIt() async throws {
        func logger() throws -> Logger {
            let telemetry = try telemetry()
            return Logger(label: "shop") { telemetry.logHandler(label: $0) }
        }
        let logger = try logger()
        logger.info("paid")
        #expect(await arrives(.logs))
        withExtendedLifetime(logger) {}
    }

    @Test func anInstrumentKeepsIt() async throws {
        let counter = CoreMetrics.Counter(label: "orders", factory: try telemetry(.milliseconds(10)).metricsFactory)
        counter.increment()
        #expect(await arrives(.metrics))
        withExtendedLifetime(counter) {}
    }

    @Test func aTracerKeepsIt() async throws {
        let tracer = try telemetry().tracer
        tracer.withSpan("checkout") { _ in }
        #expect(await arrives(.spans))
        withExtendedLifetime(tracer) {}
    }

    @Test func withoutThemItEnds() async throws {
        _ = try telemetry()
        #expect(await !arrives(.logs))
    }
}
