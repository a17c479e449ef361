import OrielStore
import OrielTelemetry

/// One input of a scan's merge: a block, or a group of chunks. It gives its selected rows in the scan's order, decodes nothing before it is opened, and holds
/// no more than ``ScanContext/sourceCapacity`` entries: when these are used up it is filled again behind the last one.
final class ScanSource {
    enum Rows: Sendable {
        case block(any BlockContainer, BlockHeader, BlockCandidates)
        case chunks([BuilderChunk])
    }

    let rows: Rows
    /// Rows of this source outside are none of the scan's, in the signal's unit.
    let bounds: Range<Int64>
    /// No row of this source comes before.
    let lowerBound: RowKey
    /// No row of this source comes behind.
    let upperBound: RowKey
    /// The last commit of this source: between sources the higher one's sample stays.
    let priority: CommitSequence
    /// The rows that pass, if they were selected before this source was opened.
    var ahead: Result<[Int], StoreError>?
    /// The rows themselves, if they were read before this source was opened.
    var readAhead: BlockReading.Outcome?
    private(set) var entries: [RowEntry] = []
    private(set) var next = 0
    private var isComplete = false
    /// Decoded rows that the entries refer to: all of a block, or those in `rows`.
    private var decoded: (batch: ColumnBatch, rows: [Int]?)?
    private var reservedBytes = 0
    /// Whether rows are decoded only as they are needed: the budget has no room for keeping them, or some of them are damaged.
    private var decodesSingly = false
    /// How often needed rows could not be decoded.
    private var damageCount = 0
    /// From so much damage on, the rest of a block is given up: each try costs as much as a success.
    private static let damageLimit = 16

    init(_ rows: Rows, in bounds: Range<Int64>, lowerBound: RowKey, upperBound: RowKey, priority: CommitSequence) {
        self.rows = rows
        self.bounds = bounds
        self.lowerBound = lowerBound
        self.upperBound = upperBound
        self.priority = priority
    }

    var head: RowEntry? { next < entries.count ? entries[next] : nil }

    /// Whether the entries are used up but the source has more.
    var needsFill: Bool { next == entries.count && !isComplete }

    /// Whether it was never filled.
    var isUntouched: Bool { next == 0 && entries.isEmpty && !isComplete }

    func advance() { next += 1 }

    /// Selects the next entries.
    ///
    /// - Parameter after: Only rows behind this key.
    func fill(after: RowKey?, _ context: inout ScanContext) throws(StoreError) {
        try context.budget.check()
        releaseDecoded(context.budget)
        entries = []
        next = 0
        if isGivenUp {
            isComplete = true
            return
        }
        var collector = EntryCollector(capacity: context.sourceCapacity, after: after, deduplicates: context.deduplicates)
        switch rows {
        case .block(let container, let header, let candidates):
            do throws(StoreError) {
                try collect(container, header, candidates, into: &collector, &context)
            } catch  where error.isDamage {
                // What selects rows cannot be read, so none of the block is delivered. The container has noted it.
                damageCount = ScanSource.damageLimit
                isComplete = true
                return
            }
        case .chunks(let chunks):
            for (unit, chunk) in chunks.enumerated() {
                collect(chunk, unit, into: &collector, &context)
            }
        }
        entries = collector.finish()
        isComplete = !collector.isTruncated
        let bytes = entries.count * MemoryLayout<RowEntry>.stride
        try context.budget.reserve(bytes)
        reservedBytes += bytes
    }

    private func collect(
        _ container: any BlockContainer, _ header: BlockHeader, _ candidates: BlockCandidates, into collector: inout EntryCollector,
        _ context: inout ScanContext
    ) throws(StoreError) {
        var rows: [Int]?
        let early = readAhead
        readAhead = nil
        // What was read early is reserved.
        if let early { reservedBytes += early.byteCount }
        if let early {
            rows = early.rows
            if early.batch.count == 0 { return }
        } else if context.selectsRows {
            let selection = BlockSelection(container: container, header: header, candidates: candidates, bounds: bounds)
            let found = if let ahead { try ahead.get() } else { try selection.rows(&context.evaluator, context.registry) }
            if found.isEmpty { return }
            rows = found.count == header.rowCount ? nil : found
        } else {
            rows = try candidates.resolve(container, header, in: bounds)
            if let rows, rows.isEmpty { return }
        }
        rows = try context.remaining(rows, of: header, container)
        if let rows, rows.isEmpty { return }
        // The first decoding can as well be the only one.
        var isOnlyDecoding = context.readsWhole && !decodesSingly
        var batch: ColumnBatch
        do throws(StoreError) {
            if let early {
                batch = early.batch
            } else {
                batch = try container.read(block: header.index, rows: rows, projection: isOnlyDecoding ? context.deliveryProjection : .positions)
            }
        } catch  where error.isDamage && isOnlyDecoding {
            // The positions may be whole, and with them rows of other pages.
            isOnlyDecoding = false
            decodesSingly = true
            batch = try container.read(block: header.index, rows: rows, projection: .positions)
        }
        var bytes = batch.approximateByteCount
        if isOnlyDecoding, early == nil, !context.budget.tryReserve(bytes) {
            // There is no room for keeping it.
            isOnlyDecoding = false
            decodesSingly = true
            batch = try container.read(block: header.index, rows: rows, projection: .positions)
            bytes = batch.approximateByteCount
        }
        if !isOnlyDecoding { try context.budget.reserve(bytes) }
        if early == nil { reservedBytes += bytes }
        let selected = bounds.contains(header) ? Array(0..<batch.count) : bounds.indexes(of: batch.times)
        add(selected, of: batch, unit: 0, rowNumbers: rows, into: &collector, &context)
        if isOnlyDecoding, !collector.isTruncated {
            decoded = (batch, rows)
        } else {
            context.budget.release(bytes)
            reservedBytes -= bytes
        }
    }

    private func collect(_ chunk: BuilderChunk, _ unit: Int, into collector: inout EntryCollector, _ context: inout ScanContext) {
        let selected = ScanSource.rows(of: chunk, &context)
        if !selected.isEmpty { add(selected, of: chunk.batch, unit: unit, rowNumbers: nil, into: &collector, &context) }
    }

    /// The rows of a chunk that a scan selects, ascending.
    static func rows(of chunk: BuilderChunk, _ context: inout ScanContext) -> [Int] {
        let batch = chunk.batch
        guard batch.count > 0, chunk.minimumTime < context.bounds.upperBound, chunk.maximumTime >= context.bounds.lowerBound else { return [] }
        var rows: [Int]?
        if !context.filter.isTrivial {
            let streams = batch.streamIndexes
            rows = (0..<batch.count).filter { context.filter.allows(streams[$0]) }
        }
        if context.traceIDs != nil, case .traceIDs(let ids) = batch[.traceID] {
            let wanted = context.traceIDSet
            rows = (rows ?? Array(0..<batch.count)).filter { wanted.contains(ids[$0]) }
        }
        if let rows, rows.isEmpty { return [] }
        let timesFit = context.bounds.contains(chunk.minimumTime) && context.bounds.contains(chunk.maximumTime)
        return context.select(rows, of: batch, timesFit: timesFit, in: context.bounds, context.deletions.touch(chunk))
    }

    private func add(
        _ selected: [Int], of batch: ColumnBatch, unit: Int, rowNumbers: [Int]?, into collector: inout EntryCollector, _ context: inout ScanContext
    ) {
        let times = batch.times
        let streams = batch.streamIndexes
        let ords = batch.ords
        let hasOrds = !ords.isEmpty
        let order = context.order
        var reference: StreamReference?
        var stream = StreamID.minimum
        for row in selected {
            if streams[row] != reference {
                reference = streams[row]
                stream = context.filter.id(of: streams[row])
            }
            let key = RowKey(time: times[row], stream: stream, ord: hasOrds ? ords[row] : 0, order: order)
            collector.add(key, unit: unit, row: rowNumbers.map { $0[row] } ?? row)
        }
    }

    private var isGivenUp: Bool { damageCount >= ScanSource.damageLimit }

    /// The batch in which some rows of a block are found, and the rows of it that the batch holds (`nil` for all); `nil` when they are damaged.
    ///
    /// - Parameter needed: Rows of this source's present entries, ascending.
    func decode(_ needed: [Int], _ context: ScanContext) throws(StoreError) -> (batch: ColumnBatch, rows: [Int]?)? {
        if isGivenUp { return nil }
        do throws(StoreError) {
            return try decodeWhole(needed, context)
        } catch  where error.isDamage {
            // Other rows of the block, on other pages, may be whole.
            if !decodesSingly {
                decodesSingly = true
                return try decode(needed, context)
            }
            damageCount += 1
            return nil
        }
    }

    private func decodeWhole(_ needed: [Int], _ context: ScanContext) throws(StoreError) -> (batch: ColumnBatch, rows: [Int]?) {
        if let decoded { return decoded }
        guard case .block(let container, let header, _) = rows else { return (ColumnBatch(signal: context.signal), []) }
        // All entries at once, so that a page is not decoded again for each batch; where memory does not allow it, just what is needed.
        if context.readsWhole, !decodesSingly, needed.count < entries.count {
            let all = entries.map { Int($0.row) }.sorted()
            let batch = try container.read(block: header.index, rows: all.count == header.rowCount ? nil : all, projection: context.deliveryProjection)
            let bytes = batch.approximateByteCount
            let result = (batch, all.count == header.rowCount ? nil : Optional(all))
            if context.budget.tryReserve(bytes) {
                reservedBytes += bytes
                decoded = result
            } else {
                decodesSingly = true
            }
            return result
        }
        return (try container.read(block: header.index, rows: needed, projection: context.deliveryProjection), needed)
    }

    /// Gives back the memory of a source that was used up.
    func release(_ budget: QueryBudget) {
        entries = []
        next = 0
        ahead = nil
        if let readAhead { budget.release(readAhead.byteCount) }
        readAhead = nil
        releaseDecoded(budget)
    }

    private func releaseDecoded(_ budget: QueryBudget) {
        decoded = nil
        budget.release(reservedBytes)
        reservedBytes = 0
    }
}
