import OrielTelemetry

/// How a request or a reply is written.
public enum OTLPFormat: Hashable, Sendable {
    /// `application/x-protobuf`
    case protobuf
    /// `application/json`
    case json

    /// The media type for `Content-Type`.
    public var mediaType: String {
        switch self {
        case .protobuf: "application/x-protobuf"
        case .json: "application/json"
        }
    }
}

/// Writes OTLP requests. The same bytes are an `Export…ServiceRequest` and a `TracesData`, `MetricsData` or `LogsData`.
///
/// Neighbouring groups with equal resources share one resource message. Scalars at their default are left out, as protobuf does; values
/// nested too deeply are left
/// empty (``AttributeValue/maximumNesting``); negative times are written as 0.
public enum OTLPEncoder {
    /// An `ExportTraceServiceRequest`.
    public static func traces(_ groups: [OTLPScopeGroup<OTLPSpan>], format: OTLPFormat = .protobuf) -> [UInt8] {
        request(groups, root: .tracesData, format: format) { $0.span($1) }
    }

    /// An `ExportLogsServiceRequest`.
    public static func logs(_ groups: [OTLPScopeGroup<OTLPLogRecord>], format: OTLPFormat = .protobuf) -> [UInt8] {
        request(groups, root: .logsData, format: format) { $0.logRecord($1) }
    }

    /// An `ExportMetricsServiceRequest`.
    public static func metrics(_ groups: [OTLPScopeGroup<OTLPMetric>], format: OTLPFormat = .protobuf) -> [UInt8] {
        request(groups, root: .metricsData, format: format) { $0.metric($1) }
    }

    private static func request<Row>(
        _ groups: [OTLPScopeGroup<Row>], root: OTLPMessage, format: OTLPFormat, _ write: (inout WireWriter, Row) -> Void
    ) -> [UInt8] {
        var writer = WireWriter()
        var index = 0
        while index < groups.count {
            let resource = groups[index].resource
            var end = index + 1
            while end < groups.count, groups[end].resource == resource { end += 1 }
            writer.resourceGroup(resource) { writer in
                for group in groups[index..<end] {
                    writer.scopeGroup(group.scope) { writer in
                        for row in group.rows { writer.messageField(2) { write(&$0, row) } }
                    }
                }
            }
            index = end
        }
        return finish(writer, root: root, format: format)
    }

    /// What was written, in the wanted form.
    static func finish(_ writer: WireWriter, root: OTLPMessage, format: OTLPFormat) -> [UInt8] {
        switch format {
        case .protobuf: writer.bytes
        case .json: OTLPJSON.json(fromProtobuf: writer.bytes.span, message: root)
        }
    }
}

extension WireWriter {
    /// A `ResourceSpans` or a sibling as field 1; `body` writes its scope groups.
    mutating func resourceGroup(_ resource: Resource, _ body: (inout WireWriter) -> Void) {
        messageField(1) { writer in
            writer.messageField(1) { writer in
                writer.keyValues(1, resource.attributes)
                writer.uint32(2, resource.droppedAttributesCount)
                for reference in resource.entityReferences { writer.bytesField(3, reference.span) }
            }
            body(&writer)
            writer.text(3, resource.schemaURL)
        }
    }

    /// A `ScopeSpans` or a sibling as field 2; `body` writes its rows as fields 2.
    mutating func scopeGroup(_ scope: InstrumentationScope, _ body: (inout WireWriter) -> Void) {
        messageField(2) { writer in
            writer.messageField(1) { writer in
                writer.text(1, scope.name)
                writer.text(2, scope.version)
                writer.keyValues(3, scope.attributes)
                writer.uint32(4, scope.droppedAttributesCount)
            }
            body(&writer)
            writer.text(3, scope.schemaURL)
        }
    }

    /// The content of a `Span`.
    mutating func span(_ span: OTLPSpan) {
        traceIDField(1, span.traceID)
        spanIDField(2, span.spanID)
        text(3, span.traceState)
        if !span.parentSpanID.isZero { spanIDField(4, span.parentSpanID) }
        text(5, span.name)
        enumeration(6, span.kind)
        time(7, span.startTime)
        time(8, span.endTime)
        keyValues(9, span.attributes)
        uint32(10, span.droppedAttributesCount)
        for event in span.events { messageField(11) { $0.spanEvent(event) } }
        uint32(12, span.droppedEventsCount)
        for link in span.links { messageField(13) { $0.spanLink(link) } }
        uint32(14, span.droppedLinksCount)
        if span.statusCode != 0 || !span.statusMessage.isEmpty {
            messageField(15) { writer in
                writer.text(2, span.statusMessage)
                writer.enumeration(3, span.statusCode)
            }
        }
        if span.flags != 0 { fixed32Field(16, span.flags) }
    }

    private mutating func spanEvent(_ event: OTLPSpanEvent) {
        time(1, event.time)
        text(2, event.name)
        keyValues(3, event.attributes)
        uint32(4, event.droppedAttributesCount)
    }

    private mutating func spanLink(_ link: OTLPSpanLink) {
        if !link.traceID.isZero { traceIDField(1, link.traceID) }
        if !link.spanID.isZero { spanIDField(2, link.spanID) }
        text(3, link.traceState)
        keyValues(4, link.attributes)
        uint32(5, link.droppedAttributesCount)
        if link.flags != 0 { fixed32Field(6, link.flags) }
    }

    /// The content of a `LogRecord`.
    mutating func logRecord(_ record: OTLPLogRecord) {
        time(1, record.time)
        enumeration(2, record.severityNumber)
        text(3, record.severityText)
        if record.body != .empty { messageField(5) { $0.anyValue(record.body) } }
        keyValues(6, record.attributes)
        uint32(7, record.droppedAttributesCount)
        if record.flags != 0 { fixed32Field(8, record.flags) }
        if !record.traceID.isZero { traceIDField(9, record.traceID) }
        if !record.spanID.isZero { spanIDField(10, record.spanID) }
        time(11, record.observedTime)
        text(12, record.eventName)
    }

    // MARK: Fields that are left out at their default

    mutating func text(_ number: UInt32, _ value: String) {
        if !value.isEmpty { stringField(number, value) }
    }

    mutating func uint32(_ number: UInt32, _ value: UInt32) {
        if value != 0 { varintField(number, UInt64(value)) }
    }

    mutating func enumeration(_ number: UInt32, _ value: Int32) {
        if value != 0 { varintField(number, UInt64(bitPattern: Int64(value))) }
    }

    mutating func time(_ number: UInt32, _ value: Timestamp) {
        if value.nanoseconds > 0 { fixed64Field(number, UInt64(value.nanoseconds)) }
    }
}
