public import OrielTelemetry

/// A span as OTLP knows it: for clients that build requests without batches, and for readers of single spans.
public struct OTLPSpan: Hashable, Sendable {
    public var traceID: TraceID
    public var spanID: SpanID
    /// Zero for a root.
    public var parentSpanID: SpanID
    /// W3C `tracestate`.
    public var traceState: String
    public var name: String
    /// OTLP `SpanKind`: 0 unspecified, 1 internal, 2 server, 3 client, 4 producer, 5 consumer.
    public var kind: Int32
    public var startTime: Timestamp
    public var endTime: Timestamp
    public var attributes: [Attribute]
    public var droppedAttributesCount: UInt32
    public var events: [OTLPSpanEvent]
    public var droppedEventsCount: UInt32
    public var links: [OTLPSpanLink]
    public var droppedLinksCount: UInt32
    /// OTLP `StatusCode`: 0 unset, 1 ok, 2 error.
    public var statusCode: Int32
    public var statusMessage: String
    /// OTLP `SpanFlags`.
    public var flags: UInt32

    public init(
        traceID: TraceID, spanID: SpanID, parentSpanID: SpanID = .zero, traceState: String = "", name: String = "", kind: Int32 = 0,
        startTime: Timestamp = Timestamp(nanoseconds: 0), endTime: Timestamp = Timestamp(nanoseconds: 0), attributes: [Attribute] = [],
        droppedAttributesCount: UInt32 = 0, events: [OTLPSpanEvent] = [], droppedEventsCount: UInt32 = 0, links: [OTLPSpanLink] = [],
        droppedLinksCount: UInt32 = 0, statusCode: Int32 = 0, statusMessage: String = "", flags: UInt32 = 0
    ) {
        self.traceID = traceID
        self.spanID = spanID
        self.parentSpanID = parentSpanID
        self.traceState = traceState
        self.name = name
        self.kind = kind
        self.startTime = startTime
        self.endTime = endTime
        self.attributes = attributes
        self.droppedAttributesCount = droppedAttributesCount
        self.events = events
        self.droppedEventsCount = droppedEventsCount
        self.links = links
        self.droppedLinksCount = droppedLinksCount
        self.statusCode = statusCode
        self.statusMessage = statusMessage
        self.flags = flags
    }
}

/// Something that happened during a span: OTLP `Span.Event`.
public struct OTLPSpanEvent: Hashable, Sendable {
    public var time: Timestamp
    public var name: String
    public var attributes: [Attribute]
    public var droppedAttributesCount: UInt32

    public init(time: Timestamp, name: String, attributes: [Attribute] = [], droppedAttributesCount: UInt32 = 0) {
        self.time = time
        self.name = name
        self.attributes = attributes
        self.droppedAttributesCount = droppedAttributesCount
    }
}

/// A reference to another span: OTLP `Span.Link`.
public struct OTLPSpanLink: Hashable, Sendable {
    public var traceID: TraceID
    public var spanID: SpanID
    public var traceState: String
    public var attributes: [Attribute]
    public var droppedAttributesCount: UInt32
    /// OTLP `SpanFlags`.
    public var flags: UInt32

    public init(
        traceID: TraceID, spanID: SpanID, traceState: String = "", attributes: [Attribute] = [], droppedAttributesCount: UInt32 = 0,
        flags: UInt32 = 0
    ) {
        self.traceID = traceID
        self.spanID = spanID
        self.traceState = traceState
        self.attributes = attributes
        self.droppedAttributesCount = droppedAttributesCount
        self.flags = flags
    }
}
