/// Spans, column by column. Every array has one element per span.
public struct SpanBatch: Sendable {
    public var streams = StreamTable()
    public var streamIndexes: [UInt32] = []
    /// Start, in nanoseconds since 1970.
    public var startTimes: [Int64] = []
    /// Row numbers in commit order; empty when not assigned.
    public var ords: [UInt64] = []
    public var traceIDs: [TraceID] = []
    /// Raw values of ``SpanID``.
    public var spanIDs: [UInt64] = []
    /// Raw values of ``SpanID``; 0 for a root.
    public var parentSpanIDs: [UInt64] = []
    public var traceStates: ByteColumn = ByteColumn()
    public var names: ByteColumn = ByteColumn()
    /// OTLP `SpanKind`: 0 unspecified, 1 internal, 2 server, 3 client, 4 producer, 5 consumer.
    public var kinds: [Int64] = []
    /// End minus start, in nanoseconds; negative when the span ended before it started.
    public var durations: [Int64] = []
    /// OTLP `StatusCode`: 0 unset, 1 ok, 2 error.
    public var statusCodes: [Int64] = []
    public var statusMessages: ByteColumn = ByteColumn()
    /// OTLP `SpanFlags`.
    public var flags: [Int64] = []
    public var droppedAttributesCounts: [Int64] = []
    /// See ``ColumnID/events``.
    public var events: ByteColumn = ByteColumn()
    public var droppedEventsCounts: [Int64] = []
    /// See ``ColumnID/links``.
    public var links: ByteColumn = ByteColumn()
    public var droppedLinksCounts: [Int64] = []
    public var attributes = AttributeTable()

    public init() {}

    @inlinable
    public var count: Int { startTimes.count }

    /// The same rows in the form that stores take; the arrays are shared.
    public var columnBatch: ColumnBatch {
        ColumnBatch(
            signal: .spans, streams: streams, streamIndexes: streamIndexes, times: startTimes, ords: ords,
            columns: [
                .traceIDs(traceIDs),
                .identifiers(spanIDs),
                .identifiers(parentSpanIDs),
                .bytes(traceStates),
                .bytes(names),
                .integers(kinds),
                .integers(durations),
                .integers(statusCodes),
                .bytes(statusMessages),
                .integers(flags),
                .integers(droppedAttributesCounts),
                .bytes(events),
                .integers(droppedEventsCounts),
                .bytes(links),
                .integers(droppedLinksCounts),
            ], attributes: attributes)
    }

    /// Takes over the rows of a batch. Absent columns become defaults; a batch of another signal or with columns of the wrong length is `nil`.
    public init?(_ batch: ColumnBatch) {
        guard batch.signal == .spans, batch.hasConsistentCounts else { return nil }
        streams = batch.streams
        streamIndexes = batch.streamIndexes
        startTimes = batch.times
        ords = batch.ords
        traceIDs = batch.traceIDs(.traceID)
        spanIDs = batch.identifiers(.spanID)
        parentSpanIDs = batch.identifiers(.parentSpanID)
        traceStates = batch.bytes(.traceState)
        names = batch.bytes(.name)
        kinds = batch.integers(.kind)
        durations = batch.integers(.duration)
        statusCodes = batch.integers(.statusCode)
        statusMessages = batch.bytes(.statusMessage)
        flags = batch.integers(.flags)
        droppedAttributesCounts = batch.integers(.droppedAttributes)
        events = batch.bytes(.events)
        droppedEventsCounts = batch.integers(.droppedEvents)
        links = batch.bytes(.links)
        droppedLinksCounts = batch.integers(.droppedLinks)
        attributes = batch.attributes ?? AttributeTable(emptyRows: batch.count)
    }
}
