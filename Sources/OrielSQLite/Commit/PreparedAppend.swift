import OrielCompression
import OrielStore
import OrielTelemetry

/// A request made ready for the commit thread, on the request's own thread: checked, its streams known, encoded.
struct PreparedAppend: Sendable {
    /// What the references are of.
    let registry: StreamRegistry
    var batches: [ColumnBatch] = []
    var frame: RedoFrame?
    var deltas: [DeltaRows] = []
    var families: [MetricFamily] = []
    var key: RequestKey?
    var rejected: [Receipt.Rejection] = []
    /// The streams of all rows; some may occur more than once.
    var references: [StreamReference] = []
    var byteCount = 0

    /// Whether rows were left out because the store holds as many streams as it may.
    var lacksStreams: Bool { rejected.contains { $0.reason == .tooManyStreams } }

    /// What rows may be accepted.
    struct Limits: Sendable {
        /// Rows before it are refused, by signal. Nanoseconds.
        var floors: [Signal: Timestamp]
        /// Rows from here on are refused. Nanoseconds.
        var end: Int64

        /// The accepted times in the signal's unit. Whatever the options, a time must be one that nanoseconds can express.
        func bounds(_ signal: Signal) -> ClosedRange<Int64> {
            let unit = signal.nanosecondsPerTimeUnit
            let floor = floors[signal]?.nanoseconds ?? .min
            let lower = (max(floor, Int64.min + unit) - 1).dividedRoundingDown(by: unit) + 1
            let upper = (min(end, Int64.max - unit) - 1).dividedRoundingDown(by: unit)
            return lower...max(lower, upper)
        }
    }

    /// A request that was made ready before.
    init(
        registry: StreamRegistry, batches: [ColumnBatch], families: [MetricFamily], key: RequestKey?, rejected: [Receipt.Rejection],
        references: [StreamReference], byteCount: Int
    ) {
        self.registry = registry
        self.batches = batches
        self.families = families
        self.key = key
        self.rejected = rejected
        self.references = references
        self.byteCount = byteCount
    }

    init(_ writeSet: WriteSet, registry: StreamRegistry, limits: Limits, compressors: CompressorPool) throws(StoreError) {
        self.registry = registry
        key = writeSet.requestKey
        families = writeSet.families
        for batch in writeSet.batches where batch.count > 0 {
            let accepted = try accept(batch, registry, limits)
            if accepted.batch.count > 0 {
                batches.append(accepted.batch)
            }
        }
        for (batch, starts) in [
            (writeSet.deltas.samples.columnBatch, writeSet.deltas.sampleStartTimes),
            (writeSet.deltas.histograms.columnBatch, writeSet.deltas.histogramStartTimes),
        ] where batch.count > 0 {
            guard starts.count == batch.count else {
                throw .malformedBatch(signal: batch.signal)
            }
            let accepted = try accept(batch, registry, limits)
            if accepted.batch.count > 0 {
                deltas.append(DeltaRows(batch: accepted.batch, startTimes: accepted.rows.map { rows in rows.map { starts[$0] } } ?? starts))
            }
        }
        byteCount = 256
        if !batches.isEmpty {
            do throws(CompressionError) {
                let batches = batches
                let frame = try compressors.withCompressor { (compressor) throws(CompressionError) in
                    try RedoFrame(batches, kind: .rows, compressor: &compressor)
                }
                self.frame = frame
                byteCount += frame.bytes.count
            } catch {
                throw .overloaded(retryAfterSeconds: 1)
            }
        }
        for delta in deltas {
            byteCount += delta.batch.approximateByteCount
        }
    }

    /// Checks a batch, replaces its streams by references, and leaves out rows that cannot be taken.
    ///
    /// - Returns: The accepted rows, and which these are when not all.
    private mutating func accept(
        _ batch: ColumnBatch, _ registry: StreamRegistry, _ limits: Limits
    ) throws(StoreError) -> (batch: ColumnBatch, rows: [Int]?) {
        guard batch.hasConsistentCounts, batch.signal.hasAttributes == (batch.attributes != nil) || batch.attributes == nil else {
            throw .malformedBatch(signal: batch.signal)
        }
        let table = registry.intern(batch.streams)
        let bounds = limits.bounds(batch.signal)
        guard batch.streamIndexes.max().map({ Int($0) < table.count }) ?? true else {
            throw .malformedBatch(signal: batch.signal)
        }
        var accepted = batch
        var kept: [Int]?
        let known = table.compactMap { $0 }
        if known.count == table.count, let first = batch.times.min(), let last = batch.times.max(), bounds.contains(first), bounds.contains(last) {
            accepted.streamIndexes = batch.streamIndexes.map { known[Int($0)] }
            references += known
        } else {
            let rows = select(batch, table, bounds, unknown: registry.isFull ? .tooManyStreams : .streamCollision)
            accepted = batch.selecting(rows)
            accepted.streamIndexes = rows.compactMap { table[Int(batch.streamIndexes[$0])] }
            references += StreamOrdinals.distinct(CollectionOfOne(accepted.streamIndexes))
            kept = rows
        }
        accepted.streams = StreamTable()
        accepted.ords = []
        return (accepted, kept)
    }

    /// The rows of a batch that can be taken; notes why the others cannot.
    ///
    /// - Parameter unknown: Why a stream has no reference.
    private mutating func select(
        _ batch: ColumnBatch, _ table: [StreamReference?], _ bounds: ClosedRange<Int64>, unknown: Receipt.Rejection.Reason
    ) -> [Int] {
        var kept: [Int] = []
        var early = 0
        var late = 0
        var streamless = 0
        for row in 0..<batch.count {
            let time = batch.times[row]
            if table[Int(batch.streamIndexes[row])] == nil {
                streamless += 1
            } else if time < bounds.lowerBound {
                early += 1
            } else if time > bounds.upperBound {
                late += 1
            } else {
                kept.append(row)
            }
        }
        for (reason, count) in [(Receipt.Rejection.Reason.beforeRetention, early), (.tooFarInFuture, late), (unknown, streamless)] where count > 0 {
            rejected.append(Receipt.Rejection(signal: batch.signal, reason: reason, count: count))
        }
        return kept
    }
}
