public import Logging
public import OrielClient
public import OrielTelemetry

extension Oriel {
    /// All settings of the client, each with a default that works beside an `oriel serve` or any OpenTelemetry collector on the same machine.
    ///
    /// ```swift
    /// var configuration = Oriel.Configuration.environment()
    /// configuration.serviceName = "shop"
    /// ```
    ///
    /// ``init()`` gives the defaults alone; ``environment()`` and ``init(environment:)`` read the variables that OpenTelemetry specifies for all SDKs, and what is assigned afterwards counts
    /// more than they. A value that cannot be understood is never fatal: the default stays, and ``problems`` tells.
    public struct Configuration: Sendable {
        // MARK: What is observed

        /// `service.name`; `OTEL_SERVICE_NAME`. `nil` takes it from ``resourceAttributes``, else from what is detected.
        public var serviceName: String?
        /// `service.version`. `nil` leaves what ``resourceAttributes`` says.
        public var serviceVersion: String?
        /// `service.namespace`: the group of services that this one belongs to. `nil` leaves what ``resourceAttributes`` says.
        public var serviceNamespace: String?
        /// `deployment.environment.name`, such as `production`. `nil` leaves what ``resourceAttributes`` says.
        public var environmentName: String?
        /// Further attributes of the resource; `OTEL_RESOURCE_ATTRIBUTES`. They count more than what is detected.
        public var resourceAttributes: [Attribute] = []

        // MARK: Where it goes

        /// Whether nothing is recorded or exported at all, except that log lines still go to the console; `OTEL_SDK_DISABLED`. The context of a caller goes on to who is called as it came.
        public var isDisabled = false
        /// Where log lines go; `OTEL_LOGS_EXPORTER`. By default to an OTLP receiver and to the console, so that `docker logs` never falls silent.
        public var logExporters: Set<ExporterChoice> = [.otlp, .console]
        /// Where metrics go; `OTEL_METRICS_EXPORTER`.
        public var metricExporters: Set<ExporterChoice> = [.otlp]
        /// Where spans go; `OTEL_TRACES_EXPORTER`.
        public var spanExporters: Set<ExporterChoice> = [.otlp]
        /// The OTLP receivers, one a signal; `OTEL_EXPORTER_OTLP_…`.
        public var otlp = OTLPConfiguration()
        /// How the console's lines look; `ORIEL_CONSOLE_FORM`: `auto`, `json` or `pretty`.
        public var consoleForm: ConsoleForm = .auto
        /// The listener for scrapes; `OTEL_EXPORTER_PROMETHEUS_HOST` and `…_PORT`. It is opened when ``metricExporters`` contains `.prometheus`.
        public var prometheus = PrometheusConfiguration()
        /// Delays, sizes, retries and the spill folder of the delivery; `OTEL_BSP_…`, `OTEL_BLRP_…`, `OTEL_METRIC_EXPORT_…`, `ORIEL_SPILL_FOLDER`.
        public var delivery = DeliveryConfiguration()

        /// What the delivery's time for a request is as long as only the receivers say how long one may take: code that sets another one means it.
        var receiversTimeout = DeliveryConfiguration().exportTimeout

        /// Exporters of your own. Each gets all logs, metrics and spans, through a delivery of its own with the bounds of ``delivery``, without the spill folder.
        public var customExporters: [any TelemetryExporter] = []

        // MARK: Spans

        /// Which spans are recorded; `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG`.
        public var sampler: SamplerChoice = .parentBasedAlwaysOn
        /// A sampler of your own, which counts more than ``sampler``.
        public var customSampler: (any Sampler)?
        /// The headers in which contexts travel, in the order in which they are read; `OTEL_PROPAGATORS`.
        public var propagators: [Propagator] = Propagator.standard
        /// The bounds of a span; `OTEL_SPAN_…`, `OTEL_EVENT_…`, `OTEL_LINK_…`.
        public var spanLimits = SpanLimits()
        /// Whether spans tell where in the source code they were started; some 100 bytes a span.
        public var recordsSourceLocation = false

        // MARK: Metrics

        /// What sums that are pushed count from; `OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE`.
        public var temporality: TemporalityPreference = .cumulative
        /// How histograms count whose instrument says nothing; `OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION`. `nil`: timers in explicit buckets, recorders in exponential ones.
        public var histogramAggregation: HistogramAggregation?
        /// Which measurements become exemplars; `OTEL_METRICS_EXEMPLAR_FILTER`.
        public var exemplarFilter: ExemplarFilter = .traceBased
        /// The units of counters, recorders and meters by their labels in swift-metrics, which has no place for them: UCUM's symbol (`By`, `s`) or a word. They end the metric's name.
        public var metricUnits: [String: String] = [:]
        /// Descriptions of metrics by their labels in swift-metrics.
        public var metricHelp: [String: String] = [:]
        /// The buckets of timers (in seconds) and recorders by their labels in swift-metrics, where they are to be others than ``histogramAggregation`` gives.
        public var metricBuckets: [String: HistogramBuckets] = [:]
        /// The most series of one metric. Label sets beyond it share the series `otel_metric_overflow="true"`.
        public var cardinalityLimit = 2000

        // MARK: Log lines

        /// The level of new loggers; `LOG_LEVEL`, with swift-log's names.
        public var logLevel: Logging.Logger.Level = .info
        /// What is written of a log line; `OTEL_LOGRECORD_…`, and for ``LogOptions/includesCode`` `ORIEL_LOGS_CODE`.
        public var logs = LogOptions()
        /// Is asked for metadata at each line of a logger that has no provider of its own: `.multiplex([…])` of swift-log joins several.
        public var metadataProvider: Logging.Logger.MetadataProvider?

        /// What could not be understood when the environment was read.
        public internal(set) var problems: [Problem] = []

        /// The defaults alone; ``environment()`` also reads the process's variables.
        public init() {}
    }
}

extension Oriel.Configuration {
    /// A variable of the environment that could not be understood, and what was done about it.
    public struct Problem: Hashable, Sendable, CustomStringConvertible {
        /// Its name.
        public var variable: String
        /// What it holds; `…` where that may be a secret.
        public var value: String
        /// What would be right.
        public var expected: String
        /// What is used instead.
        public var used: String

        public var description: String { "\(variable)=\(value) is not understood: expected \(expected); using \(used)" }
    }
}
