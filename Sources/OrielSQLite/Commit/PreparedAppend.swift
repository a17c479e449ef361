import OrielCompression
import OrielStore
import OrielTelemetry

/// A request made ready for the commit thread, on the request's own thread: checked, its streams known, encoded.
struct PreparedAppend: Sendable {
    var batches: [ColumnBatch] = []
    var frame: RedoFrame?
    var deltas: [DeltaRows] = []
    var families: [MetricFamily] = []
    var key: RequestKey?
    var rejected: [Receipt.Rejection] = []
    var references: [StreamReference] = []
    var byteCount = 0

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

    init(_ writeSet: WriteSet, registry: StreamRegistry, limits: Limits, compressors: CompressorPool) throws(StoreError) {
        key = writeSet.requestKey
        families = writeSet.families
        var distinct: Set<StreamReference> = []
        var collisions: [Signal: Int] = [:]
        for batch in writeSet.batches where batch.count > 0 {
            let accepted = try accept(batch, registry, limits, &distinct, &collisions)
            if let accepted, accepted.batch.count > 0 {
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
            let accepted = try accept(batch, registry, limits, &distinct, &collisions)
            if let accepted, accepted.batch.count > 0 {
                deltas.append(DeltaRows(batch: accepted.batch, startTimes: accepted.rows.map { rows in rows.map { starts[$0] } } ?? starts))
            }
        }
        references = distinct.sorted()
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
        _ batch: ColumnBatch, _ registry: StreamRegistry, _ limits: Limits, _ distinct: inout Set<StreamReference>, _ collisions: inout [Signal: Int]
    ) throws(StoreError) -> (batch: ColumnBatch, rows: [Int]?)? {
        guard batch.hasConsistentCounts, batch.signal.hasAttributes == (batch.attributes != nil) || batch.attributes == nil else {
            throw .malformedBatch(signal: batch.signal)
        }
        let table = registry.intern(batch.streams)
        let bounds = limits.bounds(batch.signal)
        var references: [StreamReference] = []
        references.reserveCapacity(batch.count)
        var kept: [Int]?
        var early = 0
        var late = 0
        var collided = 0
        for row in 0..<batch.count {
            let index = Int(batch.streamIndexes[row])
            guard index < table.count else {
                throw .malformedBatch(signal: batch.signal)
            }
            let time = batch.times[row]
            guard let reference = table[index], bounds.contains(time) else {
                if table[index] == nil {
                    collided += 1
                } else if time < bounds.lowerBound {
                    early += 1
                } else {
                    late += 1
                }
                if kept == nil {
                    kept = Array(0..<row)
                }
                continue
            }
            kept?.append(row)
            references.append(reference)
        }
        for (reason, count) in [(Receipt.Rejection.Reason.beforeRetention, early), (.tooFarInFuture, late), (.streamCollision, collided)] where count > 0 {
            rejected.append(Receipt.Rejection(signal: batch.signal, reason: reason, count: count))
        }
        distinct.formUnion(references)
        var accepted = kept.map { batch.selecting($0) } ?? batch
        accepted.streams = StreamTable()
        accepted.streamIndexes = references
        accepted.ords = []
        return (accepted, kept)
    }
}
