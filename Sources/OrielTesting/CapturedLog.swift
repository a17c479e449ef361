public import OrielOTLP
public import OrielTelemetry

/// A log line that a block of code emitted.
public struct CapturedLog: Sendable, Hashable {
    /// All that was exported of it.
    public let record: OTLPLogRecord
    /// The logger's label.
    public let label: String

    /// What was logged, without metadata.
    public var message: String {
        if case .string(let text) = record.body { text } else { "" }
    }

    /// swift-log's level in upper case: `INFO`.
    public var level: String { record.severityText }
    /// Zero outside any span.
    public var traceID: TraceID { record.traceID }
    /// Zero outside any span.
    public var spanID: SpanID { record.spanID }

    /// The value of a metadata key, `nil` if there is none.
    public subscript(metadata: String) -> AttributeValue? {
        record.attributes.first { $0.key == metadata }?.value
    }
}
