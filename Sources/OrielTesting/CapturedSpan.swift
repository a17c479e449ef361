public import OrielOTLP
public import OrielTelemetry

/// A finished span that a block of code made.
public struct CapturedSpan: Sendable, Hashable {
    /// All that was exported of it.
    public let span: OTLPSpan

    public var name: String { span.name }
    public var traceID: TraceID { span.traceID }
    public var spanID: SpanID { span.spanID }
    /// Zero for a root.
    public var parentSpanID: SpanID { span.parentSpanID }
    public var isRoot: Bool { span.parentSpanID.isZero }
    /// Whether its status is an error.
    public var isError: Bool { span.statusCode == 2 }
    public var events: [OTLPSpanEvent] { span.events }
    public var links: [OTLPSpanLink] { span.links }

    public var duration: Duration {
        .nanoseconds(span.endTime.nanoseconds.subtractingSaturating(span.startTime.nanoseconds))
    }

    /// The value of an attribute, `nil` if there is none.
    public subscript(attribute: String) -> AttributeValue? {
        span.attributes.first { $0.key == attribute }?.value
    }
}
