/// Exemplars of metric series, column by column. Attributes hold the labels besides trace and span id.
public struct ExemplarBatch: Sendable {
    public var streams = StreamTable()
    public var streamIndexes: [UInt32] = []
    /// Milliseconds since 1970.
    public var times: [Int64] = []
    /// Row numbers in commit order; empty when not assigned.
    public var ords: [UInt64] = []
    public var values: [Double] = []
    /// Zero when the exemplar names no trace.
    public var traceIDs: [TraceID] = []
    /// Raw values of ``SpanID``; 0 when the exemplar names no span.
    public var spanIDs: [UInt64] = []
    public var attributes = AttributeTable()

    public init() {}

    @inlinable
    public var count: Int { times.count }

    /// The same rows in the form that stores take; the arrays are shared.
    public var columnBatch: ColumnBatch {
        ColumnBatch(
            signal: .exemplars, streams: streams, streamIndexes: streamIndexes, times: times, ords: ords,
            columns: [
                .doubles(values),
                .traceIDs(traceIDs),
                .identifiers(spanIDs),
            ], attributes: attributes)
    }

    /// Takes over the rows of a batch. Absent columns become defaults; a batch of another signal or with columns of the wrong length is `nil`.
    public init?(_ batch: ColumnBatch) {
        guard batch.signal == .exemplars, batch.hasConsistentCounts else { return nil }
        streams = batch.streams
        streamIndexes = batch.streamIndexes
        times = batch.times
        ords = batch.ords
        values = batch.doubles(.value)
        traceIDs = batch.traceIDs(.traceID)
        spanIDs = batch.identifiers(.spanID)
        attributes = batch.attributes ?? AttributeTable(emptyRows: batch.count)
    }
}
