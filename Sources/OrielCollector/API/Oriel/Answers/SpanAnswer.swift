import OrielTelemetry

/// Writes spans as the API shows them.
struct SpanAnswer {
    private let batch: SpanBatch
    private var streams: StreamAnswer

    init(_ batch: SpanBatch) {
        self.batch = batch
        streams = StreamAnswer(batch.streams)
    }

    mutating func write(_ row: Int, to writer: inout JSONWriter) {
        let stream = Int(batch.streamIndexes[row])
        let start = batch.startTimes[row]
        writer.beginObject()
        writer.member("trace_id", batch.traceIDs[row])
        writer.member("span_id", SpanID(rawValue: batch.spanIDs[row]))
        writer.member("parent_span_id", SpanID(rawValue: batch.parentSpanIDs[row]))
        writer.member("trace_state", batch.traceStates.string(at: row))
        writer.member("service", streams.service(of: stream))
        writer.member("name", batch.names.string(at: row))
        writer.member("kind", SpanAnswer.kindName(batch.kinds[row]))
        writer.time("start_time", Timestamp(nanoseconds: start))
        writer.time("end_time", Timestamp(nanoseconds: start.addingSaturating(batch.durations[row])))
        writer.key("duration_nano")
        writer.quotedInteger(batch.durations[row])
        writer.key("status")
        writer.object { writer in
            writer.member("code", SpanAnswer.statusName(batch.statusCodes[row]))
            writer.member("message", batch.statusMessages.string(at: row))
        }
        writer.member("flags", batch.flags[row])
        writer.member("attributes", attributes: batch.attributes.attributes(of: row))
        writer.member("dropped_attributes_count", batch.droppedAttributesCounts[row])
        writer.key("events")
        writer.array { writer in
            for event in SpanEvent.events(in: batch.events.bytes.span.extracting(batch.events.range(of: row))) { event.write(to: &writer) }
        }
        writer.member("dropped_events_count", batch.droppedEventsCounts[row])
        writer.key("links")
        writer.array { writer in
            for link in SpanLink.links(in: batch.links.bytes.span.extracting(batch.links.range(of: row))) { link.write(to: &writer) }
        }
        writer.member("dropped_links_count", batch.droppedLinksCounts[row])
        streams.writeMembers(of: stream, to: &writer)
        writer.endObject()
    }

    /// OTLP's `SpanKind` in lower case; a number beyond it as it is.
    static func kindName(_ kind: Int64) -> String {
        let names = ["unspecified", "internal", "server", "client", "producer", "consumer"]
        return (0..<6).contains(kind) ? names[Int(kind)] : String(kind)
    }

    /// OTLP's `StatusCode` in lower case; a number beyond it as it is.
    static func statusName(_ code: Int64) -> String {
        let names = ["unset", "ok", "error"]
        return (0..<3).contains(code) ? names[Int(code)] : String(code)
    }
}

/// An event of a span, out of ``ColumnID/events``.
struct SpanEvent {
    var time: UInt64 = 0
    var name = ""
    var attributes: [Attribute] = []
    var droppedAttributesCount: UInt32 = 0

    /// The events of a span; the part before damage, which what a decoder accepted cannot have.
    static func events(in bytes: Span<UInt8>) -> [SpanEvent] {
        var events: [SpanEvent] = []
        var reader = WireReader(start: 0, end: bytes.count)
        do {
            while let tag = try reader.nextTag(in: bytes) {
                guard tag.number == 11, tag.wireType == 2 else {
                    try reader.skip(tag, in: bytes)
                    continue
                }
                events.append(try SpanEvent(bytes.extracting(try reader.lengthDelimited(in: bytes))))
            }
        } catch {
            return events
        }
        return events
    }

    private init(_ bytes: Span<UInt8>) throws(WireError) {
        var reader = WireReader(start: 0, end: bytes.count)
        while let tag = try reader.nextTag(in: bytes) {
            switch (tag.number, tag.wireType) {
            case (1, 1): time = try reader.fixed64(in: bytes)
            case (2, 2): name = String(repairing: bytes.extracting(try reader.lengthDelimited(in: bytes)))
            case (3, 2): attributes.append(try Attribute(keyValue: bytes.extracting(try reader.lengthDelimited(in: bytes))))
            case (4, 0): droppedAttributesCount = UInt32(truncatingIfNeeded: try reader.varint(in: bytes))
            default: try reader.skip(tag, in: bytes)
            }
        }
    }

    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.time("time", Timestamp(nanoseconds: Int64(clamping: time)))
            writer.member("name", name)
            writer.member("attributes", attributes: attributes)
            writer.member("dropped_attributes_count", droppedAttributesCount)
        }
    }
}

/// A link of a span, out of ``ColumnID/links``.
struct SpanLink {
    var traceID: [UInt8] = []
    var spanID: [UInt8] = []
    var traceState = ""
    var attributes: [Attribute] = []
    var droppedAttributesCount: UInt32 = 0
    var flags: UInt32 = 0

    /// The links of a span; the part before damage, which what a decoder accepted cannot have.
    static func links(in bytes: Span<UInt8>) -> [SpanLink] {
        var links: [SpanLink] = []
        var reader = WireReader(start: 0, end: bytes.count)
        do {
            while let tag = try reader.nextTag(in: bytes) {
                guard tag.number == 13, tag.wireType == 2 else {
                    try reader.skip(tag, in: bytes)
                    continue
                }
                links.append(try SpanLink(bytes.extracting(try reader.lengthDelimited(in: bytes))))
            }
        } catch {
            return links
        }
        return links
    }

    private init(_ bytes: Span<UInt8>) throws(WireError) {
        var reader = WireReader(start: 0, end: bytes.count)
        while let tag = try reader.nextTag(in: bytes) {
            switch (tag.number, tag.wireType) {
            case (1, 2): traceID = bytes.extracting(try reader.lengthDelimited(in: bytes)).array
            case (2, 2): spanID = bytes.extracting(try reader.lengthDelimited(in: bytes)).array
            case (3, 2): traceState = String(repairing: bytes.extracting(try reader.lengthDelimited(in: bytes)))
            case (4, 2): attributes.append(try Attribute(keyValue: bytes.extracting(try reader.lengthDelimited(in: bytes))))
            case (5, 0): droppedAttributesCount = UInt32(truncatingIfNeeded: try reader.varint(in: bytes))
            case (6, 5): flags = try reader.fixed32(in: bytes)
            default: try reader.skip(tag, in: bytes)
            }
        }
    }

    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.key("trace_id")
            writer.hexadecimal(traceID.span)
            writer.key("span_id")
            writer.hexadecimal(spanID.span)
            writer.member("trace_state", traceState)
            writer.member("flags", flags)
            writer.member("attributes", attributes: attributes)
            writer.member("dropped_attributes_count", droppedAttributesCount)
        }
    }
}
