import Logging
import OTel
import Oriel
import ServiceLifecycle
import Tracing

/// Loggers and tracers of the libraries that have them.
struct Peers {
    /// Samplers that both libraries have.
    enum Sampling {
        /// Samples everything, or what the parent says.
        case on
        /// Samples nothing at the root, below it what the parent says.
        case off
        /// Samples nothing and does not ask.
        case never
    }

    let oriel: Oriel.DeliveryPipeline
    let orielLogger: Logger
    let otelLogger: Logger
    private let orielTracers: [Sampling: any Tracer]
    private let otelTracers: [Sampling: any Tracer]

    init() throws {
        let pipeline = try Oriel.DeliveryPipeline.toNowhere()
        oriel = pipeline
        let handler = Oriel.LogHandler(label: "benchmark", queues: [pipeline.logs])
        orielLogger = Logger(label: "benchmark", factory: { _ in handler })
        orielTracers = [
            .on: Oriel.Tracer(queues: [pipeline.spans]),
            .off: Oriel.Tracer(queues: [pipeline.spans], sampler: Oriel.ParentBasedSampler(root: Oriel.AlwaysOffSampler())),
            .never: Oriel.Tracer(queues: [pipeline.spans], sampler: Oriel.AlwaysOffSampler()),
        ]
        var configuration = OTel.Configuration.default
        configuration.logs.exporter = .none
        // It would tell of dropped spans.
        configuration.diagnosticLogLevel = .warning
        let logs = try OTel.makeLoggingBackend(configuration: configuration)
        Self.run(logs.service)
        otelLogger = Logger(label: "benchmark", factory: logs.factory)
        otelTracers = [.on: try Self.tracer(.parentBasedAlwaysOn), .off: try Self.tracer(.parentBasedAlwaysOff), .never: try Self.tracer(.alwaysOff)]
    }

    func tracers(_ sampling: Sampling) -> (oriel: any Tracer, otel: any Tracer) {
        guard let oriel = orielTracers[sampling], let otel = otelTracers[sampling] else { preconditionFailure("there is a tracer for each sampling") }
        return (oriel, otel)
    }

    /// Returns when everything has been delivered.
    func catchUp() {
        oriel.flushBlocking(deadline: Oriel.Timestamp.now.advanced(by: 60_000_000_000))
        Rest.wait()
    }

    /// How many records Oriel has dropped.
    var dropped: Int { Int(oriel.statistics[.logs].droppedTotal + oriel.statistics[.spans].droppedTotal) }

    private static func tracer(_ sampler: OTel.Configuration.TracesConfiguration.SamplerConfiguration) throws -> any Tracer {
        var configuration = OTel.Configuration.default
        configuration.diagnosticLogLevel = .warning
        configuration.traces.exporter = .none
        configuration.traces.sampler = sampler
        // So much room that nothing is dropped.
        configuration.traces.batchSpanProcessor.maxQueueSize = 1 << 16
        configuration.traces.batchSpanProcessor.maxExportBatchSize = 1 << 16
        configuration.traces.batchSpanProcessor.scheduleDelay = .milliseconds(50)
        let backend = try OTel.makeTracingBackend(configuration: configuration)
        run(backend.service)
        return backend.factory
    }

    /// Runs a service for as long as the process.
    private static func run(_ service: some Service) {
        Task.detached {
            do { try await service.run() } catch { fatalError("a service of swift-otel has ended: \(error)") }
        }
    }
}

/// Takes everything and keeps nothing.
private struct NullExporter: Oriel.TelemetryExporter {
    func export(_ batch: Oriel.ExportBatch, deadline: Oriel.Timestamp) -> Oriel.ExportOutcome { .delivered() }
}

extension Oriel.DeliveryPipeline {
    /// A pipeline to nowhere, with so much room that nothing is dropped.
    fileprivate static func toNowhere() throws -> Oriel.DeliveryPipeline {
        var configuration = Oriel.DeliveryConfiguration()
        configuration.queueBytes = 256 << 20
        return try Oriel.DeliveryPipeline(name: "benchmark", exporter: NullExporter(), resource: Oriel.Resource(attributes: []), configuration: configuration)
    }
}
