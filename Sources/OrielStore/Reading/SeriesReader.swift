public import OrielTelemetry

/// Rows of one batch of samples or histograms that follow each other in the order of a ``SeriesReader``.
public struct SeriesRun: Sendable {
    /// Of the signal `.samples` or `.histograms`.
    public var batch: ColumnBatch
    /// Never empty.
    public var rows: Range<Int>
}

/// Reads float and histogram samples of metric series in one order: (stream, time) ascending, the histograms of a series between its floats. Where both
/// have a sample of one stream and time the histogram wins, and the float is left out.
///
/// No row is copied: a run is a part of a batch as the store delivered it, a whole one as long as the other kind has nothing to say. Two batches are at hand.
public struct SeriesReader {
    private var floats: Source
    private var histograms: Source
    /// Floats that a histogram of the same stream and time took the place of, until now.
    public private(set) var replacedFloats = 0

    /// Starts both scans.
    ///
    /// - Parameter plan: which series and times; its signal, order, limit and position are not looked at.
    public init(_ snapshot: any StoreSnapshot, _ plan: ScanPlan) throws(StoreError) {
        var plan = plan
        plan.order = .streamThenTime
        plan.limit = nil
        plan.position = nil
        plan.signal = .samples
        floats = Source(try snapshot.scan(plan))
        plan.signal = .histograms
        histograms = Source(try snapshot.scan(plan))
    }

    /// The next rows, or `nil` at the end. O(log rows of a batch) beside the scans themselves.
    public mutating func next() async throws(StoreError) -> SeriesRun? {
        while true {
            try await floats.fill()
            try await histograms.fill()
            guard let float = floats.key else { return histograms.take(before: nil) }
            guard let histogram = histograms.key else { return floats.take(before: nil) }
            if float == histogram {
                floats.skip()
                replacedFloats += 1
            } else if float < histogram {
                return floats.take(before: histogram)
            } else {
                return histograms.take(before: float)
            }
        }
    }

    /// What rows are ordered by.
    private struct Key: Comparable {
        var stream: StreamID
        var time: Int64

        static func < (left: Key, right: Key) -> Bool {
            left.stream == right.stream ? left.time < right.time : left.stream < right.stream
        }
    }

    /// One of the two scans: its batch at hand, and the first row of it that was not delivered.
    private struct Source {
        private let cursor: any ScanCursor
        private var batch: ColumnBatch?
        private var position = 0
        private var isAtEnd = false

        init(_ cursor: any ScanCursor) {
            self.cursor = cursor
        }

        /// Gets the next batch when there is none at hand.
        mutating func fill() async throws(StoreError) {
            guard batch == nil, !isAtEnd else { return }
            batch = try await cursor.next()
            position = 0
            isAtEnd = batch == nil
        }

        /// Of the first row at hand.
        var key: Key? { batch.map { key(of: position, $0) } }

        private func key(of row: Int, _ batch: ColumnBatch) -> Key {
            Key(stream: batch.streams.id(Int(batch.streamIndexes[row])) ?? StreamID(high: 0, low: 0), time: batch.times[row])
        }

        /// Leaves the first row out.
        mutating func skip() {
            advance(to: position + 1)
        }

        /// The rows at hand that come before `end`, at least one.
        mutating func take(before end: Key?) -> SeriesRun? {
            guard let batch else { return nil }
            var low = position + 1
            var high = batch.count
            if let end {
                while low < high {
                    let middle = (low + high) / 2
                    if key(of: middle, batch) < end { low = middle + 1 } else { high = middle }
                }
            }
            let run = SeriesRun(batch: batch, rows: position..<high)
            advance(to: high)
            return run
        }

        private mutating func advance(to row: Int) {
            position = row
            if let batch, row >= batch.count { self.batch = nil }
        }
    }
}
