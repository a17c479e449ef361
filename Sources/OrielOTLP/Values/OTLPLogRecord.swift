public import OrielTelemetry

/// A log record as OTLP knows it.
public struct OTLPLogRecord: Hashable, Sendable {
    /// Zero when unknown: receivers then use ``observedTime``, else the time of receipt.
    public var time: Timestamp
    /// Zero when unknown.
    public var observedTime: Timestamp
    /// OTLP `SeverityNumber`: 1 trace, 5 debug, 9 info, 13 warn, 17 error, 21 fatal; 0 unknown.
    public var severityNumber: Int32
    public var severityText: String
    public var body: AttributeValue
    public var attributes: [Attribute]
    public var droppedAttributesCount: UInt32
    /// OTLP `LogRecordFlags`.
    public var flags: UInt32
    /// Zero outside any trace.
    public var traceID: TraceID
    /// Zero outside any span.
    public var spanID: SpanID
    public var eventName: String

    public init(
        time: Timestamp = Timestamp(nanoseconds: 0), observedTime: Timestamp = Timestamp(nanoseconds: 0), severityNumber: Int32 = 0,
        severityText: String = "", body: AttributeValue = .empty, attributes: [Attribute] = [], droppedAttributesCount: UInt32 = 0,
        flags: UInt32 = 0, traceID: TraceID = .zero, spanID: SpanID = .zero, eventName: String = ""
    ) {
        self.time = time
        self.observedTime = observedTime
        self.severityNumber = severityNumber
        self.severityText = severityText
        self.body = body
        self.attributes = attributes
        self.droppedAttributesCount = droppedAttributesCount
        self.flags = flags
        self.traceID = traceID
        self.spanID = spanID
        self.eventName = eventName
    }
}
