public import OrielTelemetry

extension SpanBatch {
    /// The span of a row.
    public func span(at row: Int) -> OTLPSpan {
        OTLPSpan(
            traceID: traceIDs[row], spanID: SpanID(rawValue: spanIDs[row]), parentSpanID: SpanID(rawValue: parentSpanIDs[row]),
            traceState: traceStates.string(at: row), name: names.string(at: row), kind: Int32(truncatingIfNeeded: kinds[row]),
            startTime: Timestamp(nanoseconds: startTimes[row]), endTime: Timestamp(nanoseconds: startTimes[row].addingSaturating(durations[row])),
            attributes: attributes.attributes(of: row), droppedAttributesCount: UInt32(truncatingIfNeeded: droppedAttributesCounts[row]),
            events: events(at: row), droppedEventsCount: UInt32(truncatingIfNeeded: droppedEventsCounts[row]), links: links(at: row),
            droppedLinksCount: UInt32(truncatingIfNeeded: droppedLinksCounts[row]), statusCode: Int32(truncatingIfNeeded: statusCodes[row]),
            statusMessage: statusMessages.string(at: row), flags: UInt32(truncatingIfNeeded: flags[row]))
    }

    /// The events of a row; see ``OTLPSpanEvent/read(_:)``.
    public func events(at row: Int) -> [OTLPSpanEvent] {
        OTLPSpanEvent.read(events.bytes.span.extracting(events.range(of: row)))
    }

    /// The links of a row; see ``OTLPSpanLink/read(_:)``.
    public func links(at row: Int) -> [OTLPSpanLink] {
        OTLPSpanLink.read(links.bytes.span.extracting(links.range(of: row)))
    }
}

extension OTLPSpanEvent {
    /// The events in a value of the column ``ColumnID/events``: `Span` fields 11, one after another. What is no valid OTLP (impossible for
    /// what a decoder accepted) ends the list.
    public static func read(_ bytes: Span<UInt8>) -> [OTLPSpanEvent] {
        OTLPSpanParts.messages(11, in: bytes) { (content) throws(WireError) in
            var event = OTLPSpanEvent(time: Timestamp(nanoseconds: 0), name: "")
            var reader = WireReader(start: 0, end: content.count)
            while let tag = try reader.nextTag(in: content) {
                switch tag.rawValue {
                case 1 << 3 | 1: event.time = Timestamp(nanoseconds: Int64(clamping: try reader.fixed64(in: content)))
                case 2 << 3 | 2: event.name = String(repairing: content.extracting(try reader.lengthDelimited(in: content)))
                case 3 << 3 | 2: event.attributes.append(try Attribute(keyValue: content.extracting(try reader.lengthDelimited(in: content))))
                case 4 << 3: event.droppedAttributesCount = UInt32(truncatingIfNeeded: try reader.varint(in: content))
                default: try reader.skip(tag, in: content)
                }
            }
            return event
        }
    }
}

extension OTLPSpanLink {
    /// The links in a value of the column ``ColumnID/links``: `Span` fields 13, one after another. What is no valid OTLP (impossible for
    /// what a decoder accepted) ends the list.
    public static func read(_ bytes: Span<UInt8>) -> [OTLPSpanLink] {
        OTLPSpanParts.messages(13, in: bytes) { (content) throws(WireError) in
            var link = OTLPSpanLink(traceID: .zero, spanID: .zero)
            var reader = WireReader(start: 0, end: content.count)
            while let tag = try reader.nextTag(in: content) {
                switch tag.rawValue {
                case 1 << 3 | 2: link.traceID = TraceID(bytes: content.extracting(try reader.lengthDelimited(in: content))) ?? .zero
                case 2 << 3 | 2: link.spanID = SpanID(bytes: content.extracting(try reader.lengthDelimited(in: content))) ?? .zero
                case 3 << 3 | 2: link.traceState = String(repairing: content.extracting(try reader.lengthDelimited(in: content)))
                case 4 << 3 | 2: link.attributes.append(try Attribute(keyValue: content.extracting(try reader.lengthDelimited(in: content))))
                case 5 << 3: link.droppedAttributesCount = UInt32(truncatingIfNeeded: try reader.varint(in: content))
                case 6 << 3 | 5: link.flags = try reader.fixed32(in: content)
                default: try reader.skip(tag, in: content)
                }
            }
            return link
        }
    }
}

extension OTLPSpanParts {
    /// Every message of field `number`, read by `body`, up to the end or to what cannot be read.
    fileprivate static func messages<Message>(
        _ number: UInt32, in bytes: Span<UInt8>, _ body: (Span<UInt8>) throws(WireError) -> Message
    ) -> [Message] {
        var messages: [Message] = []
        var reader = WireReader(start: 0, end: bytes.count)
        do throws(WireError) {
            while let tag = try reader.nextTag(in: bytes) {
                guard tag.number == number, tag.wireType == 2 else {
                    try reader.skip(tag, in: bytes)
                    continue
                }
                messages.append(try body(bytes.extracting(try reader.lengthDelimited(in: bytes))))
            }
        } catch {
            // The decoder walked these bytes before it stored them; a damaged page is found by its checksum, not here.
        }
        return messages
    }
}

extension LogBatch {
    /// The record of a row. Its time is 0 when the record had none.
    public func record(at row: Int) -> OTLPLogRecord {
        OTLPLogRecord(
            time: Timestamp(nanoseconds: timeOrigins[row] == LogTimeOrigin.record.rawValue ? times[row] : 0),
            observedTime: Timestamp(nanoseconds: observedTimes[row]), severityNumber: Int32(truncatingIfNeeded: severityNumbers[row]),
            severityText: severityTexts.string(at: row), body: body(at: row), attributes: attributes.attributes(of: row),
            droppedAttributesCount: UInt32(truncatingIfNeeded: droppedAttributesCounts[row]), flags: UInt32(truncatingIfNeeded: flags[row]),
            traceID: traceIDs[row], spanID: SpanID(rawValue: spanIDs[row]), eventName: eventNames.string(at: row))
    }
}
