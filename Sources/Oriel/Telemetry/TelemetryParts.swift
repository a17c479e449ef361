import OrielClient
import OrielExporterConsole
import OrielExporterOTLP
import OrielExporterPrometheus
import OrielTelemetry

/// Makes what a ``Oriel/Telemetry`` is made of. What the configuration asks for and cannot be had is left out and told, not thrown.
struct TelemetryParts {
    private let configuration: Oriel.Configuration
    private let resource: Resource
    private let registry: MetricRegistry
    private(set) var otlp: DeliveryPipeline?
    private(set) var console: DeliveryPipeline?
    /// Those of the application's own exporters.
    private(set) var custom: [DeliveryPipeline] = []
    private(set) var listener: PrometheusListener?
    private(set) var problems: [String] = []
    /// The signals that were to go over OTLP and cannot.
    private var unsendable: Set<ExportSignal> = []

    init(_ configuration: Oriel.Configuration, _ resource: Resource, _ registry: MetricRegistry) {
        self.configuration = configuration
        self.resource = resource
        self.registry = registry
    }

    private func exporters(_ signal: ExportSignal) -> Set<Oriel.ExporterChoice> {
        if configuration.isDisabled { return signal == .logs ? configuration.logExporters.intersection([.console]) : [] }
        let wanted =
            switch signal {
            case .logs: configuration.logExporters
            case .metrics: configuration.metricExporters
            case .spans: configuration.spanExporters
            }
        return unsendable.contains(signal) ? wanted.subtracting([.otlp]) : wanted
    }

    private func isWanted(_ choice: Oriel.ExporterChoice) -> Bool { ExportSignal.allCases.contains { exporters($0).contains(choice) } }

    /// The queues that records of a signal go into.
    func queues(_ signal: ExportSignal) -> [RecordQueue] {
        let exporters = exporters(signal)
        var pipelines: [DeliveryPipeline] = []
        if let otlp, exporters.contains(.otlp) { pipelines.append(otlp) }
        if let console, exporters.contains(.console) { pipelines.append(console) }
        pipelines += custom
        return pipelines.map { signal == .logs ? $0.logs : $0.spans }
    }

    /// - Parameters:
    ///   - replacement: what takes the place of the OTLP exporter.
    ///   - warn: is told what goes wrong, and says whether it could pass that on.
    mutating func makePipelines(_ replacement: (any TelemetryExporter)?, _ warn: @escaping @Sendable (String) -> Bool) throws(DeliveryError) {
        if isWanted(.otlp) {
            let exporter = replacement ?? makeExporter()
            // Where no signal can be sent there is nothing to be delivered.
            if isWanted(.otlp) {
                var delivery = configuration.delivery
                delivery.exportTimeout = configuration.otlpTimeout
                let pipeline = try pipeline("oriel-otlp", exporter, delivery, .otlp, warn)
                registry.addCollector(of: pipeline)
                otlp = pipeline
            }
        }
        if isWanted(.console) {
            var delivery = DeliveryConfiguration()
            delivery.queueBytes = min(configuration.delivery.queueBytes, 4 << 20)
            // What is logged before a crash should be seen.
            delivery.logDelay = .milliseconds(2)
            delivery.spanDelay = .milliseconds(2)
            delivery.batchBytes = 64 << 10
            delivery.metricInterval = configuration.delivery.metricInterval
            delivery.retry.longestDelay = .seconds(1)
            delivery.keepsOrder = true
            console = try pipeline("oriel-console", ConsoleExporter(form: configuration.consoleForm.exporterForm), delivery, .console, warn)
        }
        if !configuration.isDisabled {
            var delivery = configuration.delivery
            // What lies in the folder of another pipeline is for another receiver.
            delivery.spillFolder = nil
            var counts: [String: Int] = [:]
            for exporter in configuration.customExporters {
                let pipeline = try pipeline("oriel-custom", exporter, delivery, nil, warn)
                let type = String(describing: type(of: exporter))
                counts[type, default: 0] += 1
                let number = counts[type, default: 1]
                registry.addCollector(of: pipeline, labels: ["exporter": number == 1 ? type : "\(type)-\(number)"])
                custom.append(pipeline)
            }
        }
    }

    /// An exporter for what can be sent over OTLP.
    private mutating func makeExporter() -> OTLPExporter {
        var settings = configuration.exporterConfiguration
        settings.signals = Set(ExportSignal.allCases.filter { exporters($0).contains(.otlp) })
        var faults: [ExportSignal: OTLPExporterError] = [:]
        let exporter = OTLPExporter(usableOf: settings, &faults)
        unsendable = Set(faults.keys)
        // What is wrong with several is told once.
        for signal in ExportSignal.allCases {
            guard let fault = faults[signal] else { continue }
            let names = ExportSignal.allCases.filter { faults[$0] == fault }.map(\.rawValue)
            if names.first == signal.rawValue { problems.append("not sent over OTLP: \(names.joined(separator: ", ")): \(fault)") }
        }
        return exporter
    }

    /// - Parameter choice: what the exporter is chosen by; `nil` for one that gets all signals.
    private func pipeline(
        _ name: String, _ exporter: any TelemetryExporter, _ delivery: DeliveryConfiguration, _ choice: Oriel.ExporterChoice?,
        _ warn: @escaping @Sendable (String) -> Bool
    ) throws(DeliveryError) -> DeliveryPipeline {
        var metrics: MetricPush?
        var delivery = delivery
        // A console is there all the time.
        if isFunction, choice != .console { delivery.pauseAfterFlush = .seconds(1) }
        if choice.map({ exporters(.metrics).contains($0) }) ?? true {
            metrics = MetricPush(
                registry: registry, resource: Oriel.metricResource(of: resource), temporality: temporality, sharesSeries: isFunction)
        }
        return try DeliveryPipeline(
            name: name, exporter: exporter, resource: resource, configuration: delivery, metrics: metrics, warn: warn, isDirect: choice == .console)
    }

    /// Whether the process is a sandbox of a function, frozen between invocations.
    private var isFunction: Bool { resource["faas.name"] != nil }

    /// Sandboxes of a function come and go; only what each of them adds can be summed up.
    private var temporality: MetricTemporality {
        if isFunction { return .delta }
        return switch configuration.temporality {
        case .cumulative: .cumulative
        case .delta: .delta
        case .lowMemory: .lowMemory
        }
    }

    mutating func makeListener() {
        guard exporters(.metrics).contains(.prometheus) else { return }
        let settings = configuration.prometheus
        let host = settings.host.contains(":") && !settings.host.hasPrefix("[") ? "[\(settings.host)]" : settings.host
        do throws(ListenerError) {
            listener = try PrometheusListener(
                registry: registry, resource: resource, configuration: .init(address: "\(host):\(settings.port)"))
        } catch {
            problems.append("nobody can scrape the metrics: \(error)")
        }
    }
}

extension Oriel.Configuration {
    /// The longest that a request to an OTLP receiver may take: what the receivers say, or what is said of batches if that is shorter.
    var otlpTimeout: Duration {
        let receivers = otlp.longestTimeout
        return delivery.exportTimeout == receiversTimeout ? receivers : min(delivery.exportTimeout, receivers)
    }

    /// The settings of the OTLP exporter.
    var exporterConfiguration: OTLPExporter.Configuration {
        var result = OTLPExporter.Configuration()
        for signal in ExportSignal.allCases {
            let receiver = otlp[signal]
            var tls = OTLPExporter.TLS()
            tls.certificateAuthorityFile = receiver.certificateFile
            tls.certificateFile = receiver.clientCertificateFile
            tls.privateKeyFile = receiver.clientKeyFile
            result.overrides[signal] = OTLPExporter.Override(
                endpoint: receiver.endpoint, headers: receiver.headers.sorted { $0.key < $1.key }.map { OTLPExporter.Header($0.key, $0.value) },
                compression: receiver.compression == .gzip ? .gzip : OTLPExporter.Compression.none, tls: tls, timeout: receiver.timeout)
        }
        return result
    }
}

extension Oriel.RegistryMetricsFactory {
    /// A factory with the settings for histograms and exemplars.
    init(registry: MetricRegistry, _ configuration: Oriel.Configuration, _ delivery: TelemetryDelivery) {
        let timers: HistogramBuckets = configuration.histogramAggregation == .exponential ? .exponential() : .seconds
        let recorders: HistogramBuckets = configuration.histogramAggregation == .explicit ? .general : .exponential()
        self.init(
            registry: registry, timerBuckets: timers, recorderBuckets: recorders, units: configuration.metricUnits, help: configuration.metricHelp,
            buckets: configuration.metricBuckets, exemplars: configuration.exemplarFilter)
        self.delivery = delivery
    }
}
