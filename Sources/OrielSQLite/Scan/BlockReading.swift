import OrielStore
import OrielTelemetry

/// The reading of a block's rows for a scan without a predicate: a piece of work for any thread.
struct BlockReading: Sendable {
    /// What was read, its memory being reserved.
    struct Outcome: Sendable {
        /// The rows of the batch, ascending; `nil` for all of the block.
        var rows: [Int]?
        var batch: ColumnBatch
        var byteCount: Int
    }

    let container: any BlockContainer
    let header: BlockHeader
    let candidates: BlockCandidates
    /// Rows outside need not be read.
    let bounds: Range<Int64>
    let projection: Projection

    /// - Returns: `nil` when half of the budget is in use: the rest is for what the scan cannot do without.
    func outcome(_ budget: QueryBudget) throws(StoreError) -> Outcome? {
        try budget.check()
        let rows = try candidates.resolve(container, header, in: bounds)
        if let rows, rows.isEmpty { return Outcome(rows: [], batch: ColumnBatch(signal: container.signal), byteCount: 0) }
        let batch = try container.read(block: header.index, rows: rows, projection: projection)
        let byteCount = batch.approximateByteCount
        guard budget.tryReserve(byteCount) else { return nil }
        guard budget.canReadAhead else {
            budget.release(byteCount)
            return nil
        }
        return Outcome(rows: rows, batch: batch, byteCount: byteCount)
    }
}

extension ScanSource {
    /// What reads this source, if it is a block that was not opened yet and of which all wanted rows are delivered.
    func pendingReading(_ context: ScanContext) -> BlockReading? {
        guard context.readsWhole, !context.selectsRows, isUntouched, readAhead == nil, case .block(let container, let header, let candidates) = rows,
            context.deletions.touch(header, of: container) == nil
        else { return nil }
        return BlockReading(
            container: container, header: header, candidates: candidates, bounds: bounds, projection: context.deliveryProjection)
    }

    /// Reads some blocks on all threads that are free. One that cannot be read now is left to its turn.
    static func readAhead(_ sources: [ScanSource], _ context: ScanContext, _ workers: ScanWorkers) {
        let budget = context.budget
        let pending = sources.filter { $0.pendingReading(context) != nil }
        guard pending.count > 1 else { return }
        let outcomes = workers.all(pending.compactMap { $0.pendingReading(context) }) { reading -> BlockReading.Outcome? in
            do {
                return try reading.outcome(budget)
            } catch {
                // Its turn meets the same error and knows what to do about it.
                return nil
            }
        }
        for (source, outcome) in zip(pending, outcomes) { source.readAhead = outcome }
    }
}
