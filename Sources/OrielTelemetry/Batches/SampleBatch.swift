/// Float samples of metric series, column by column.
public struct SampleBatch: Sendable {
    public var streams = StreamTable()
    public var streamIndexes: [UInt32] = []
    /// Milliseconds since 1970.
    public var times: [Int64] = []
    /// A ``Swift/Double/staleMarker`` ends a series; other NaNs are values.
    public var values: [Double] = []

    public init() {}

    @inlinable
    public var count: Int { times.count }

    /// The same rows in the form that stores take; the arrays are shared.
    public var columnBatch: ColumnBatch {
        ColumnBatch(
            signal: .samples, streams: streams, streamIndexes: streamIndexes, times: times,
            columns: [
                .doubles(values)
            ])
    }

    /// Takes over the rows of a batch. Absent columns become defaults; a batch of another signal or with columns of the wrong length is `nil`.
    public init?(_ batch: ColumnBatch) {
        guard batch.signal == .samples, batch.hasConsistentCounts else { return nil }
        streams = batch.streams
        streamIndexes = batch.streamIndexes
        times = batch.times
        values = batch.doubles(.value)
    }
}
