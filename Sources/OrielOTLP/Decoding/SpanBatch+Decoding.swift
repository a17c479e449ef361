import OrielTelemetry

extension SpanBatch {
    /// Why a span is not taken.
    private enum Fault: String {
        case traceID = "trace_id must be 16 bytes, not all zero"
        case spanID = "span_id must be 8 bytes, not all zero"
        case parentSpanID = "parent_span_id must be empty or 8 bytes"
        case startTime = "start_time_unix_nano is beyond the year 2262"
        case endTime = "end_time_unix_nano is beyond the year 2262"
        case eventTime = "an event's time_unix_nano is beyond the year 2262"
        case nesting = "an attribute is nested deeper than 64 arrays and maps"
    }

    /// Appends the span in the content of a `Span` message, or rejects it and leaves nothing of it.
    mutating func appendSpan(
        _ content: Range<Int>, stream: UInt32, in bytes: Span<UInt8>, hints: inout AttributeKeyHints, rejections: inout OTLPRejections
    ) throws(WireError) {
        let fault: Fault?
        do throws(WireError) {
            fault = try decodeSpan(content, stream: stream, in: bytes, hints: &hints, rejections: &rejections)
        } catch {
            guard case .nestingTooDeep = error.reason else { throw error }
            fault = .nesting
        }
        guard let fault else { return }
        attributes.abandonRow()
        events.abandonValue()
        links.abandonValue()
        rejections.reject("\(bytes.rowPath(content, root: .tracesData)): \(fault.rawValue)")
    }

    /// Reads all fields first and appends to the columns at the end; only attributes, events and links, which have no fixed size, go to
    /// their columns at once.
    private mutating func decodeSpan(
        _ content: Range<Int>, stream: UInt32, in bytes: Span<UInt8>, hints: inout AttributeKeyHints, rejections: inout OTLPRejections
    ) throws(WireError) -> Fault? {
        var traceID = 0..<0
        var spanID = 0..<0
        var parentSpanID = 0..<0
        var traceState = 0..<0
        var name = 0..<0
        var kind: UInt64 = 0
        var start: UInt64 = 0
        var end: UInt64 = 0
        var droppedAttributes: UInt64 = 0
        var droppedEvents: UInt64 = 0
        var droppedLinks: UInt64 = 0
        var statusMessage = 0..<0
        var statusCode: UInt64 = 0
        var spanFlags: UInt32 = 0
        var fault: Fault?
        hints.beginRow()

        var reader = WireReader(start: content.lowerBound, end: content.upperBound)
        while true {
            let fieldStart = reader.offset
            guard let tag = try reader.nextTag(in: bytes) else { break }
            switch tag.rawValue {
            case 1 << 3 | 2: traceID = try reader.lengthDelimited(in: bytes)
            case 2 << 3 | 2: spanID = try reader.lengthDelimited(in: bytes)
            case 3 << 3 | 2: traceState = try reader.lengthDelimited(in: bytes)
            case 4 << 3 | 2: parentSpanID = try reader.lengthDelimited(in: bytes)
            case 5 << 3 | 2: name = try reader.lengthDelimited(in: bytes)
            case 6 << 3: kind = try reader.varint(in: bytes)
            case 7 << 3 | 1: start = try reader.fixed64(in: bytes)
            case 8 << 3 | 1: end = try reader.fixed64(in: bytes)
            case 9 << 3 | 2: try attributes.append(keyValue: try reader.lengthDelimited(in: bytes), in: bytes, hints: &hints)
            case 10 << 3: droppedAttributes = try reader.varint(in: bytes)
            case 11 << 3 | 2:
                let event = try reader.lengthDelimited(in: bytes)
                if try OTLPSpanParts.checkEvent(event, in: bytes) {
                    events.extendValue(bytes.extracting(fieldStart..<reader.offset))
                } else {
                    fault = .eventTime
                }
            case 12 << 3: droppedEvents = try reader.varint(in: bytes)
            case 13 << 3 | 2:
                let link = try reader.lengthDelimited(in: bytes)
                if try OTLPSpanParts.checkLink(link, in: bytes) {
                    links.extendValue(bytes.extracting(fieldStart..<reader.offset))
                } else {
                    droppedLinks &+= 1
                    rejections.warn("\(bytes.rowPath(link, root: .tracesData)): the link was dropped: trace_id must be 16 bytes and span_id 8")
                }
            case 14 << 3: droppedLinks &+= try reader.varint(in: bytes)
            case 15 << 3 | 2:
                let status = try reader.lengthDelimited(in: bytes)
                var inner = WireReader(start: status.lowerBound, end: status.upperBound)
                while let tag = try inner.nextTag(in: bytes) {
                    switch tag.rawValue {
                    case 2 << 3 | 2: statusMessage = try inner.lengthDelimited(in: bytes)
                    case 3 << 3: statusCode = try inner.varint(in: bytes)
                    default:
                        guard !(2...3).contains(tag.number) else { throw WireError(.unexpectedWireType, offset: inner.offset) }
                        try inner.skip(tag, in: bytes)
                    }
                }
            case 16 << 3 | 5: spanFlags = try reader.fixed32(in: bytes)
            default:
                guard !(1...16).contains(tag.number) else { throw WireError(.unexpectedWireType, offset: reader.offset) }
                try reader.skip(tag, in: bytes)
            }
        }

        if let fault { return fault }
        guard let trace = TraceID(bytes: bytes.extracting(traceID)), !trace.isZero else { return .traceID }
        guard let span = SpanID(bytes: bytes.extracting(spanID)), !span.isZero else { return .spanID }
        var parent = SpanID.zero
        if !parentSpanID.isEmpty {
            guard let id = SpanID(bytes: bytes.extracting(parentSpanID)) else { return .parentSpanID }
            parent = id
        }
        guard let startTime = Int64(exactly: start) else { return .startTime }
        guard let endTime = Int64(exactly: end) else { return .endTime }

        streamIndexes.append(stream)
        startTimes.append(startTime)
        traceIDs.append(trace)
        spanIDs.append(span.rawValue)
        parentSpanIDs.append(parent.rawValue)
        traceStates.append(bytes.extracting(traceState))
        names.append(bytes.extracting(name))
        kinds.append(Int64(Int32(truncatingIfNeeded: kind)))
        // Both lie in 0...Int64.max, so the difference cannot overflow.
        durations.append(endTime &- startTime)
        statusCodes.append(Int64(Int32(truncatingIfNeeded: statusCode)))
        statusMessages.append(bytes.extracting(statusMessage))
        flags.append(Int64(spanFlags))
        droppedAttributesCounts.append(Int64(UInt32(truncatingIfNeeded: droppedAttributes)))
        events.finishValue()
        droppedEventsCounts.append(Int64(UInt32(truncatingIfNeeded: droppedEvents)))
        links.finishValue()
        droppedLinksCounts.append(Int64(UInt32(truncatingIfNeeded: droppedLinks)))
        attributes.finishRow()
        return nil
    }
}

/// Checks of what is stored as bytes, so that reading it later cannot fail.
enum OTLPSpanParts {
    /// Walks an `Event`; `false` when its time does not fit.
    static func checkEvent(_ content: Range<Int>, in bytes: Span<UInt8>) throws(WireError) -> Bool {
        var time: UInt64 = 0
        var reader = WireReader(start: content.lowerBound, end: content.upperBound)
        while let tag = try reader.nextTag(in: bytes) {
            switch tag.rawValue {
            case 1 << 3 | 1: time = try reader.fixed64(in: bytes)
            case 2 << 3 | 2: _ = try reader.lengthDelimited(in: bytes)
            case 3 << 3 | 2: try checkAttribute(try reader.lengthDelimited(in: bytes), in: bytes)
            case 4 << 3: _ = try reader.varint(in: bytes)
            default:
                guard !(1...4).contains(tag.number) else { throw WireError(.unexpectedWireType, offset: reader.offset) }
                try reader.skip(tag, in: bytes)
            }
        }
        return time <= UInt64(Int64.max)
    }

    /// Walks a `Link`; `false` when an id has the wrong length.
    static func checkLink(_ content: Range<Int>, in bytes: Span<UInt8>) throws(WireError) -> Bool {
        var traceIDLength = 0
        var spanIDLength = 0
        var reader = WireReader(start: content.lowerBound, end: content.upperBound)
        while let tag = try reader.nextTag(in: bytes) {
            switch tag.rawValue {
            case 1 << 3 | 2: traceIDLength = try reader.lengthDelimited(in: bytes).count
            case 2 << 3 | 2: spanIDLength = try reader.lengthDelimited(in: bytes).count
            case 3 << 3 | 2: _ = try reader.lengthDelimited(in: bytes)
            case 4 << 3 | 2: try checkAttribute(try reader.lengthDelimited(in: bytes), in: bytes)
            case 5 << 3: _ = try reader.varint(in: bytes)
            case 6 << 3 | 5: _ = try reader.fixed32(in: bytes)
            default:
                guard !(1...6).contains(tag.number) else { throw WireError(.unexpectedWireType, offset: reader.offset) }
                try reader.skip(tag, in: bytes)
            }
        }
        return (traceIDLength == 0 || traceIDLength == 16) && (spanIDLength == 0 || spanIDLength == 8)
    }

    private static func checkAttribute(_ content: Range<Int>, in bytes: Span<UInt8>) throws(WireError) {
        var reader = WireReader(start: content.lowerBound, end: content.upperBound)
        _ = try reader.keyValue(in: bytes)
    }
}
