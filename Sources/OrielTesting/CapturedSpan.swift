public import OrielOTLP
public import OrielTelemetry

/// A finished span that a block of code made.
public struct CapturedSpan: Sendable, Hashable {
    /// All that was exported of it.
    public let span: OTLPSpan

    /// The name that it ended with.
    public var name: String { span.name }
    /// Of its trace.
    public var traceID: TraceID { span.traceID }
    /// Its own.
    public var spanID: SpanID { span.spanID }
    /// Zero for a root.
    public var parentSpanID: SpanID { span.parentSpanID }
    /// Whether it has no parent.
    public var isRoot: Bool { span.parentSpanID.isZero }
    /// Whether its status is an error.
    public var isError: Bool { span.statusCode == 2 }
    /// Events in their order; an error is one named `exception`.
    public var events: [OTLPSpanEvent] { span.events }
    /// Links to other spans.
    public var links: [OTLPSpanLink] { span.links }

    /// From its start to its end.
    public var duration: Duration {
        .nanoseconds(span.endTime.nanoseconds.subtractingSaturating(span.startTime.nanoseconds))
    }

    /// The value of an attribute, `nil` if there is none.
    public subscript(attribute: String) -> AttributeValue? {
        span.attributes.first { $0.key == attribute }?.value
    }
}
