import OrielTelemetry

extension LogBatch {
    /// Why a log record is not taken.
    private enum Fault: String {
        case time = "time_unix_nano is beyond the year 2262"
        case observedTime = "observed_time_unix_nano is beyond the year 2262"
        case nesting = "the body or an attribute is nested deeper than 64 arrays and maps"
    }

    /// Appends the record in the content of a `LogRecord` message, or rejects it and leaves nothing of it.
    mutating func appendRecord(
        _ content: Range<Int>, stream: UInt32, receiveTime: Timestamp, in bytes: Span<UInt8>, hints: inout AttributeKeyHints,
        rejections: inout OTLPRejections
    ) throws(WireError) {
        let fault: Fault?
        do throws(WireError) {
            fault = try decodeRecord(content, stream: stream, receiveTime: receiveTime, in: bytes, hints: &hints, rejections: &rejections)
        } catch {
            guard case .nestingTooDeep = error.reason else { throw error }
            fault = .nesting
        }
        guard let fault else { return }
        attributes.abandonRow()
        rejections.reject("\(bytes.rowPath(content, root: .logsData)): \(fault.rawValue)")
    }

    private mutating func decodeRecord(
        _ content: Range<Int>, stream: UInt32, receiveTime: Timestamp, in bytes: Span<UInt8>, hints: inout AttributeKeyHints,
        rejections: inout OTLPRejections
    ) throws(WireError) -> Fault? {
        var time: UInt64 = 0
        var observedTime: UInt64 = 0
        var severityNumber: UInt64 = 0
        var severityText = 0..<0
        var body = WireReader.AnyValue()
        var bodyContent = 0..<0
        var droppedAttributes: UInt64 = 0
        var recordFlags: UInt32 = 0
        var traceID = 0..<0
        var spanID = 0..<0
        var eventName = 0..<0
        hints.beginRow()

        var reader = WireReader(start: content.lowerBound, end: content.upperBound)
        while let tag = try reader.nextTag(in: bytes) {
            switch tag.rawValue {
            case 1 << 3 | 1: time = try reader.fixed64(in: bytes)
            case 2 << 3: severityNumber = try reader.varint(in: bytes)
            case 3 << 3 | 2: severityText = try reader.lengthDelimited(in: bytes)
            case 5 << 3 | 2:
                bodyContent = try reader.lengthDelimited(in: bytes)
                var inner = WireReader(start: bodyContent.lowerBound, end: bodyContent.upperBound)
                body = try inner.anyValue(in: bytes)
            case 6 << 3 | 2: try attributes.append(keyValue: try reader.lengthDelimited(in: bytes), in: bytes, hints: &hints)
            case 7 << 3: droppedAttributes = try reader.varint(in: bytes)
            case 8 << 3 | 5: recordFlags = try reader.fixed32(in: bytes)
            case 9 << 3 | 2: traceID = try reader.lengthDelimited(in: bytes)
            case 10 << 3 | 2: spanID = try reader.lengthDelimited(in: bytes)
            case 11 << 3 | 1: observedTime = try reader.fixed64(in: bytes)
            case 12 << 3 | 2: eventName = try reader.lengthDelimited(in: bytes)
            default:
                guard !(1...12).contains(tag.number) || tag.number == 4 else { throw WireError(.unexpectedWireType, offset: reader.offset) }
                try reader.skip(tag, in: bytes)
            }
        }

        guard let recordTime = Int64(exactly: time) else { return .time }
        guard let observed = Int64(exactly: observedTime) else { return .observedTime }
        let trace = TraceID(bytes: bytes.extracting(traceID))
        if trace == nil, !traceID.isEmpty {
            rejections.warn("\(bytes.rowPath(content, root: .logsData)): trace_id was dropped, it must be empty or 16 bytes")
        }
        let span = SpanID(bytes: bytes.extracting(spanID))
        if span == nil, !spanID.isEmpty {
            rejections.warn("\(bytes.rowPath(content, root: .logsData)): span_id was dropped, it must be empty or 8 bytes")
        }

        streamIndexes.append(stream)
        if recordTime != 0 {
            times.append(recordTime)
            timeOrigins.append(LogTimeOrigin.record.rawValue)
        } else if observed != 0 {
            times.append(observed)
            timeOrigins.append(LogTimeOrigin.observed.rawValue)
        } else {
            times.append(receiveTime.nanoseconds)
            timeOrigins.append(LogTimeOrigin.received.rawValue)
        }
        traceIDs.append(trace ?? .zero)
        spanIDs.append(span?.rawValue ?? 0)
        severityNumbers.append(Int64(Int32(truncatingIfNeeded: severityNumber)))
        severityTexts.append(bytes.extracting(severityText))
        bodyTypes.append(Int64(body.type.rawValue))
        switch body.type {
        case .string: bodies.append(bytes.extracting(body.content))
        case .empty: bodies.appendEmpty()
        default: bodies.append(bytes.extracting(bodyContent))
        }
        observedTimes.append(observed)
        flags.append(Int64(recordFlags))
        droppedAttributesCounts.append(Int64(UInt32(truncatingIfNeeded: droppedAttributes)))
        eventNames.append(bytes.extracting(eventName))
        attributes.finishRow()
        return nil
    }
}
