import OrielClient
import OrielExporterPrometheus

/// What carries telemetry away. Each backend keeps it, so that a logger, an instrument or a tracer works as long as somebody has it, though the ``Oriel/Telemetry`` that it came from is gone.
final class TelemetryDelivery: Sendable {
    /// In the order in which they are asked where one is asked after the other.
    let pipelines: [DeliveryPipeline]
    /// The listener for scrapes, if there is one.
    let listener: PrometheusListener?

    init(pipelines: [DeliveryPipeline], listener: PrometheusListener?) {
        self.pipelines = pipelines
        self.listener = listener
    }
}
