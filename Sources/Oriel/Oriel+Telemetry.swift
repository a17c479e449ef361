public import OrielClient
public import OrielTelemetry

// What an application names when it configures the client or writes an exporter, so that `import Oriel` is all it needs.
extension Oriel {
    /// A moment, in nanoseconds since 1970.
    public typealias Timestamp = OrielTelemetry.Timestamp
    /// The id of a trace, 16 bytes.
    public typealias TraceID = OrielTelemetry.TraceID
    /// The id of a span, 8 bytes.
    public typealias SpanID = OrielTelemetry.SpanID
    /// A key and a value of a resource or a record.
    public typealias Attribute = OrielTelemetry.Attribute
    /// The value of an attribute, which keeps its type.
    public typealias AttributeValue = OrielTelemetry.AttributeValue
    /// What made telemetry: its attributes.
    public typealias Resource = OrielTelemetry.Resource
    /// The name and the version of the library that made telemetry.
    public typealias InstrumentationScope = OrielTelemetry.InstrumentationScope
    /// The bounds and times of the delivery.
    public typealias DeliveryConfiguration = OrielClient.DeliveryConfiguration
    /// When a delivery that failed is tried again.
    public typealias RetryPolicy = OrielClient.RetryPolicy
    /// What became of the telemetry of a pipeline.
    public typealias DeliveryStatistics = OrielClient.DeliveryStatistics
    /// Brings telemetry to an exporter, on a thread of its own.
    public typealias DeliveryPipeline = OrielClient.DeliveryPipeline
    /// A pipeline could not be made.
    public typealias DeliveryError = OrielClient.DeliveryError
    /// Takes telemetry somewhere: to be implemented by who wants to send it elsewhere.
    public typealias TelemetryExporter = OrielClient.TelemetryExporter
    /// The kinds of telemetry that are exported.
    public typealias ExportSignal = OrielClient.ExportSignal
    /// Telemetry of one kind, ready to be sent.
    public typealias ExportBatch = OrielClient.ExportBatch
    /// What became of a batch.
    public typealias ExportOutcome = OrielClient.ExportOutcome
}
