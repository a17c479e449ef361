import CoreMetrics
import Logging
import Oriel
import OrielClient
import OrielTelemetry
import Tracing

/// The telemetry of a service that runs, by the client library: what the service would make at its start.
struct DemoTelemetry: Sendable {
    /// How often metrics are sent.
    private static let metricInterval: Duration = .seconds(5)
    /// The longest that the end of a service waits for the collector.
    private static let patience: Duration = .seconds(2)

    let service: DemoService
    let telemetry: Oriel.Telemetry
    let logger: Logger
    private let metrics: Oriel.RegistryMetricsFactory

    /// - Parameter instance: the number of the service's instance; the first one's without it.
    /// - Throws: ``LoadError`` when the system has no thread to give.
    init(_ service: DemoService, endpoint: LoadEndpoint, instance: Int? = nil) throws(LoadError) {
        var configuration = service.configuration(instance: instance)
        configuration.otlp.setBase("\(endpoint)")
        configuration.logExporters = [.otlp]
        configuration.logLevel = .debug
        configuration.delivery.metricInterval = Self.metricInterval
        configuration.delivery.spanDelay = .seconds(1)
        do throws(DeliveryError) {
            telemetry = try Oriel.telemetry(configuration)
        } catch {
            throw LoadError("the shop's \(service.name) does not start: \(error)")
        }
        self.service = service
        let telemetry = telemetry
        logger = Logger(label: service.loggerLabel) { telemetry.logHandler(label: $0) }
        var metrics = telemetry.metricsFactory
        metrics.buckets[DemoMetric.requestDuration.rawValue] = .explicit(DemoMetric.bounds)
        for metric in DemoMetric.allCases {
            metrics.help[metric.rawValue] = metric.help
            metrics.units[metric.rawValue] = metric.unit
        }
        self.metrics = metrics
    }

    // MARK: Contexts

    /// What a request or message of the running span carries.
    var headers: [String: String] {
        var headers: [String: String] = [:]
        telemetry.tracer.inject(ServiceContext.current ?? .topLevel, into: &headers, using: HeaderFields())
        return headers
    }

    /// The context that headers carry.
    func context(of headers: [String: String]) -> ServiceContext {
        var context = ServiceContext.topLevel
        telemetry.tracer.extract(headers, into: &context, using: HeaderFields())
        return context
    }

    // MARK: Metrics

    /// - Parameter labels: in the order of ``DemoMetric/requestLabels``.
    func recordRequest(_ labels: [(String, String)], nanoseconds: Int64) {
        Timer(label: DemoMetric.requestDuration.rawValue, dimensions: labels, factory: metrics).recordNanoseconds(nanoseconds)
    }

    func countOrders(_ state: DemoOrderState, _ count: Int = 1) {
        Counter(label: DemoMetric.orders.rawValue, dimensions: [(DemoMetric.orderLabel, state.rawValue)], factory: metrics).increment(by: count)
    }

    func setMemory(_ bytes: Int64) {
        Meter(label: DemoMetric.memory.rawValue, factory: metrics).set(bytes)
    }

    func setQueueDepth(_ count: Int) {
        let label = (DemoMetric.queueLabel.name, DemoMetric.queueLabel.value)
        Meter(label: DemoMetric.queueDepth.rawValue, dimensions: [label], factory: metrics).set(count)
    }

    /// Sends what waits, and ends.
    func shutdown() async {
        await telemetry.shutdown(timeout: Self.patience)
    }
}
