import CoreMetrics
import Logging
import Oriel
import Tracing

#if ServiceLifecycle
import ServiceLifecycle
#endif

// A service whose collector is gone: nothing listens on port 1.
var configuration = Oriel.Configuration()
configuration.serviceName = "consumer"
configuration.resourceAttributes = [Oriel.Attribute("team", "checkout")]
configuration.otlp.setBase("http://127.0.0.1:1")
configuration.logExporters = [.otlp]
configuration.delivery.logDelay = .milliseconds(100)
configuration.delivery.retry.longestDelay = .seconds(1)
configuration.metricUnits["consumer.size"] = "By"
configuration.metricBuckets["consumer.size"] = .explicit([100, 1000])

let begin = ContinuousClock.now
let telemetry = try Oriel.telemetry(configuration)
let initialization = begin.duration(to: .now)

let logger = Logger(label: "consumer") { telemetry.logHandler(label: $0) }
telemetry.tracer.withSpan("run") { span in
    span.attributes["consumer.kind"] = "check"
    logger.info("a run", metadata: ["kind": "check"])
    withMetricsFactory(telemetry.metricsFactory) {
        Counter(label: "consumer.runs", dimensions: [("kind", "check")]).increment()
        Recorder(label: "consumer.size").record(512)
    }
}
telemetry.registry.gauge("consumer_state", labels: ["state": "up"], help: "Whether it is up.").set(1)
print(telemetry.prometheusText(), terminator: "")

let ending = ContinuousClock.now
#if ServiceLifecycle
let group = ServiceGroup(
    configuration: .init(services: [.init(service: Oriel.TelemetryService(telemetry, shutdownTimeout: .milliseconds(500)))], logger: logger))
async let end: Void = group.run()
await group.triggerGracefulShutdown()
try await end
#else
await telemetry.shutdown(timeout: .milliseconds(500))
#endif
let counts = telemetry.statistics?[.logs] ?? Oriel.DeliveryStatistics.Counts()
print("log lines: emitted \(counts.emitted), dropped \(counts.droppedTotal), \(counts.dropped[.shutdown] ?? 0) of them at the end")
print("Oriel.telemetry() took \(initialization), the end \(ending.duration(to: .now))")
