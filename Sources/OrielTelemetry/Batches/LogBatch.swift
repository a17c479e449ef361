/// Log records, column by column. Every array has one element per record.
public struct LogBatch: Sendable {
    public var streams = StreamTable()
    public var streamIndexes: [UInt32] = []
    /// The record's time, else its observed time, else when it was received (``timeOrigins`` tells), in nanoseconds since 1970.
    public var times: [Int64] = []
    /// Row numbers in commit order; empty when not assigned.
    public var ords: [UInt64] = []
    /// Zero for a record outside any trace.
    public var traceIDs: [TraceID] = []
    /// Raw values of ``SpanID``; 0 for a record outside any span.
    public var spanIDs: [UInt64] = []
    /// OTLP `SeverityNumber`: 1 trace, 5 debug, 9 info, 13 warn, 17 error, 21 fatal, each with three steps above; 0 unknown.
    public var severityNumbers: [Int64] = []
    public var severityTexts: ByteColumn = ByteColumn()
    /// Raw values of ``AttributeType``.
    public var bodyTypes: [Int64] = []
    /// UTF-8 of a string body, else the content of an OTLP `AnyValue`.
    public var bodies: ByteColumn = ByteColumn()
    /// Nanoseconds since 1970; 0 when the record had none.
    public var observedTimes: [Int64] = []
    /// Raw values of ``LogTimeOrigin``.
    public var timeOrigins: [Int64] = []
    /// OTLP `LogRecordFlags`.
    public var flags: [Int64] = []
    public var droppedAttributesCounts: [Int64] = []
    public var eventNames: ByteColumn = ByteColumn()
    public var attributes = AttributeTable()

    public init() {}

    @inlinable
    public var count: Int { times.count }

    /// The same rows in the form that stores take; the arrays are shared.
    public var columnBatch: ColumnBatch {
        ColumnBatch(
            signal: .logs, streams: streams, streamIndexes: streamIndexes, times: times, ords: ords,
            columns: [
                .traceIDs(traceIDs),
                .identifiers(spanIDs),
                .integers(severityNumbers),
                .bytes(severityTexts),
                .integers(bodyTypes),
                .bytes(bodies),
                .integers(observedTimes),
                .integers(timeOrigins),
                .integers(flags),
                .integers(droppedAttributesCounts),
                .bytes(eventNames),
            ], attributes: attributes)
    }

    /// Takes over the rows of a batch. Absent columns become defaults; a batch of another signal or with columns of the wrong length is `nil`.
    public init?(_ batch: ColumnBatch) {
        guard batch.signal == .logs, batch.hasConsistentCounts else { return nil }
        streams = batch.streams
        streamIndexes = batch.streamIndexes
        times = batch.times
        ords = batch.ords
        traceIDs = batch.traceIDs(.traceID)
        spanIDs = batch.identifiers(.spanID)
        severityNumbers = batch.integers(.severityNumber)
        severityTexts = batch.bytes(.severityText)
        bodyTypes = batch.integers(.bodyType)
        bodies = batch.bytes(.body)
        observedTimes = batch.integers(.observedTime)
        timeOrigins = batch.integers(.timeOrigin)
        flags = batch.integers(.flags)
        droppedAttributesCounts = batch.integers(.droppedAttributes)
        eventNames = batch.bytes(.eventName)
        attributes = batch.attributes ?? AttributeTable(emptyRows: batch.count)
    }
}

/// Where a log record's place in time came from.
public enum LogTimeOrigin: Int64, Sendable {
    /// The record said so.
    case record = 0
    /// The record had no time; its observed time serves.
    case observed = 1
    /// The record had neither; the time of receipt serves.
    case received = 2
}

extension LogBatch {
    /// The body of a record. Content that is no valid OTLP (impossible for what a decoder accepted) reads as empty.
    public func body(at row: Int) -> AttributeValue {
        let content = bodies.bytes.span.extracting(bodies.range(of: row))
        switch AttributeType(rawValue: UInt8(truncatingIfNeeded: bodyTypes[row])) {
        case .string: return .string(String(repairing: content))
        case .empty, nil: return .empty
        default:
            do {
                return try AttributeValue(anyValue: content)
            } catch {
                return .empty
            }
        }
    }

    /// Appends the body of the record being built.
    public mutating func appendBody(_ body: AttributeValue) {
        bodyTypes.append(Int64(body.type.rawValue))
        switch body {
        case .empty: bodies.appendEmpty()
        case .string(let text): bodies.append(text)
        default:
            var writer = WireWriter()
            writer.anyValue(body)
            bodies.append(writer.bytes.span)
        }
    }
}
