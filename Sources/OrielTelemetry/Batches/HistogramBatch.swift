/// Native histogram samples of metric series, column by column.
public struct HistogramBatch: Sendable {
    public var streams = StreamTable()
    public var streamIndexes: [UInt32] = []
    /// Milliseconds since 1970.
    public var times: [Int64] = []
    public var counts: [Double] = []
    /// A ``Swift/Double/staleMarker`` marks the sample stale.
    public var sums: [Double] = []
    /// All else of ``NativeHistogram``; see ``NativeHistogram/encodedBuckets``.
    public var buckets: ByteColumn = ByteColumn()

    public init() {}

    @inlinable
    public var count: Int { times.count }

    /// The same rows in the form that stores take; the arrays are shared.
    public var columnBatch: ColumnBatch {
        ColumnBatch(
            signal: .histograms, streams: streams, streamIndexes: streamIndexes, times: times,
            columns: [
                .doubles(counts),
                .doubles(sums),
                .bytes(buckets),
            ])
    }

    /// Takes over the rows of a batch. Absent columns become defaults; a batch of another signal or with columns of the wrong length is `nil`.
    public init?(_ batch: ColumnBatch) {
        guard batch.signal == .histograms, batch.hasConsistentCounts else { return nil }
        streams = batch.streams
        streamIndexes = batch.streamIndexes
        times = batch.times
        counts = batch.doubles(.count)
        sums = batch.doubles(.sum)
        buckets = batch.bytes(.buckets)
    }
}

extension HistogramBatch {
    /// Appends a sample of stream `stream` of ``streams``.
    public mutating func append(_ histogram: NativeHistogram, stream: Int, time: Int64) {
        streamIndexes.append(UInt32(stream))
        times.append(time)
        counts.append(histogram.count)
        sums.append(histogram.sum)
        buckets.append(histogram.encodedBuckets.span)
    }

    /// The sample of a row.
    public func histogram(at row: Int) throws(WireError) -> NativeHistogram {
        var histogram = try NativeHistogram(encodedBuckets: buckets.bytes.span.extracting(buckets.range(of: row)))
        histogram.count = counts[row]
        histogram.sum = sums[row]
        return histogram
    }
}
