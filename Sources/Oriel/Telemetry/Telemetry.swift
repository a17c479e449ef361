import CoreMetrics
public import Logging
public import OrielClient
import OrielExporterConsole
import OrielExporterOTLP
public import OrielExporterPrometheus
public import OrielTelemetry
import Tracing

extension Oriel {
    /// All that a service needs to be observed: loggers, metrics and spans that go where a ``Configuration`` says, without globals.
    ///
    /// ```swift
    /// let telemetry = try Oriel.telemetry()
    /// let logger = Logger(label: "shop") { telemetry.logHandler(label: $0) }
    /// try await telemetry.tracer.withSpan("checkout") { span in … }
    /// await telemetry.shutdown(timeout: .seconds(5))
    /// ```
    ///
    /// ``bootstrap(_:)`` does the same and installs it for the whole process. Nothing here blocks the caller or fails because of a collector that is slow or gone: what cannot be delivered
    /// within the bounds is dropped, counted in ``statistics`` and told on standard error once a minute.
    ///
    /// Its loggers, its tracer and the instruments of ``metricsFactory`` need nobody to keep it: the delivery goes on as long as one of them is there, or until it is shut down.
    public final class Telemetry: Sendable {
        /// What it was made with.
        public let configuration: Configuration
        /// What this process is.
        public let resource: Resource
        /// All metrics of the process.
        public let registry: MetricRegistry
        /// The backend for swift-metrics.
        public let metricsFactory: RegistryMetricsFactory
        /// The backend for swift-distributed-tracing. Calls on it as a value are faster than the global `withSpan`.
        public let tracer: Tracer
        /// The listener for scrapes, if there is one.
        public let listener: PrometheusListener?
        /// What of the configuration could not be followed, in sentences. They are written to standard error at the start, too.
        public let problems: [String]

        let functions: FunctionMetrics
        private let identifiers: IdentifierGenerator
        private let otlp: DeliveryPipeline?
        private let delivery: TelemetryDelivery
        private let logQueues: [RecordQueue]
        private var pipelines: [DeliveryPipeline] { delivery.pipelines }

        /// - Throws: ``DeliveryError`` when the system has no thread to give. All else that goes wrong is in ``problems``.
        public convenience init(_ configuration: Configuration) throws(DeliveryError) {
            try self.init(configuration, exporter: nil)
        }

        /// - Parameter exporter: what takes the place of the OTLP exporter.
        init(_ configuration: Configuration, exporter: (any TelemetryExporter)?) throws(DeliveryError) {
            let resource = Oriel.detectResource(configuration)
            let warn: @Sendable (String) -> Bool = { StandardError.print("oriel: \($0)") }
            let registry = MetricRegistry(configuration: .init(seriesLimit: configuration.cardinalityLimit), warn: warn)
            registry.addCollector(ProcessMetrics.collect)
            var parts = TelemetryParts(configuration, resource, registry)
            try parts.makePipelines(exporter, warn)
            parts.makeListener()
            let identifiers = IdentifierGenerator()
            let pipelines = [parts.otlp].compactMap { $0 } + parts.custom + [parts.console].compactMap { $0 }
            let delivery = TelemetryDelivery(pipelines: pipelines, listener: parts.listener)
            let flush: @Sendable () -> Void = {
                let deadline = Timestamp.now.advanced(by: 5_000_000_000)
                // All at once: one whose receiver is gone takes no time from the others.
                let ends = delivery.pipelines.map { $0.beginFlush(deadline: deadline) }
                for end in ends { _ = end.waitBlocking(until: deadline) }
            }
            tracer =
                configuration.isDisabled
                ? Tracer(passingOn: configuration.propagators, flush: flush)
                : Tracer(
                    queues: parts.queues(.spans), sampler: configuration.customSampler ?? configuration.sampler.sampler,
                    propagators: configuration.propagators, limits: configuration.spanLimits, recordsSourceLocation: configuration.recordsSourceLocation,
                    identifiers: identifiers, flush: flush)
            metricsFactory = RegistryMetricsFactory(registry: registry, configuration, delivery)
            functions = FunctionMetrics(
                registry: registry, functionName: resource["faas.name"].flatMap { if case .string(let name) = $0 { name } else { nil } })
            self.configuration = configuration
            self.resource = resource
            self.registry = registry
            self.identifiers = identifiers
            listener = parts.listener
            otlp = parts.otlp
            self.delivery = delivery
            logQueues = parts.queues(.logs)
            problems = configuration.problems.map(\.description) + parts.problems
            for problem in problems { StandardError.print("oriel: \(problem)") }
        }

        // MARK: Backends

        /// A backend for one logger of swift-log.
        ///
        /// - Parameter metadataProvider: is asked for metadata at each line; `nil` for that of the configuration.
        public func logHandler(label: String, metadataProvider: Logger.MetadataProvider? = nil) -> LogHandler {
            LogHandler(
                label: label, queues: logQueues, options: configuration.logs, logLevel: configuration.logLevel,
                metadataProvider: metadataProvider ?? configuration.metadataProvider, delivery: delivery)
        }

        /// The metrics in Prometheus' text format 0.0.4, with a `target_info` of the resource.
        public func prometheusText() -> String { Oriel.prometheusText(registry, resource: resource) }

        /// What a scrape endpoint answers with; see ``Oriel/exposition(of:resource:accept:)``.
        public func exposition(accept: String?) -> Exposition { Oriel.exposition(of: registry, resource: resource, accept: accept) }

        // MARK: Delivery

        /// Sends all that was emitted before the call, by the deadline at the latest.
        ///
        /// - Parameter deadline: by the wall clock.
        /// - Returns: whether all of it was delivered.
        @discardableResult
        public func flush(deadline: Timestamp) async -> Bool {
            await Self.wait(for: pipelines.map { $0.beginFlush(deadline: deadline) }, until: deadline)
        }

        /// As ``flush(deadline:)``, by a time from now.
        @discardableResult
        public func flush(timeout: Duration) async -> Bool { await flush(deadline: .now.advanced(by: timeout.nanoseconds)) }

        /// Sends what waits, by the deadline at the latest, and ends. What could not be delivered goes to the spill folder if there is one. Of what is emitted afterwards only log lines for
        /// the console are still written, by the threads that log them.
        ///
        /// - Returns: whether all of it was delivered.
        @discardableResult
        public func shutdown(deadline: Timestamp) async -> Bool {
            listener?.beginShutdown()
            let isDelivered = await Self.wait(for: pipelines.map { $0.beginShutdown(deadline: deadline) }, until: deadline)
            await listener?.shutdown(deadline: deadline)
            return isDelivered
        }

        /// As ``shutdown(deadline:)``, by a time from now.
        @discardableResult
        public func shutdown(timeout: Duration) async -> Bool { await shutdown(deadline: .now.advanced(by: timeout.nanoseconds)) }

        /// As ``shutdown(deadline:)``, for a thread that may block.
        func shutdownBlocking(deadline: Timestamp) {
            listener?.beginShutdown()
            // All at once: one whose receiver is gone takes no time from the others.
            let ends = pipelines.map { $0.beginShutdown(deadline: deadline) }
            for end in ends { _ = end.waitBlocking(until: deadline) }
            listener?.shutdownBlocking(deadline: deadline)
        }

        /// Ends the pause that follows a flush where a sandbox may be frozen.
        func resumeDelivery() {
            for pipeline in pipelines { pipeline.resume() }
        }

        /// Waits for what all pipelines have begun: none of them waits for another one, nor for a cooperative pool that is busy.
        ///
        /// - Returns: whether all went well.
        private static func wait(for ends: [Completion], until deadline: Timestamp) async -> Bool {
            var result = true
            for end in ends where await !end.wait(until: deadline) { result = false }
            return result
        }

        /// What became of the telemetry for the OTLP receiver; `nil` without one.
        public var statistics: DeliveryStatistics? { otlp?.statistics }

        /// Draws ids anew that a process which was restored from the same snapshot does not draw.
        public func reseed() { identifiers.reseed() }
    }

    /// Telemetry without globals, as the environment says (``Configuration/environment()``) or as given.
    public static func telemetry(_ configuration: Configuration = .environment()) throws(DeliveryError) -> Telemetry {
        try Telemetry(configuration)
    }
}
