import OrielStore
import OrielTelemetry

/// The selection of a block's rows by a predicate: a piece of work for any thread.
struct BlockSelection: Sendable {
    let container: any BlockContainer
    let header: BlockHeader
    let candidates: BlockCandidates
    /// Rows outside need not be looked at.
    let bounds: Range<Int64>

    /// The rows that pass, ascending. Nothing is decoded when bounds and filters rule the block out.
    func rows(_ evaluator: inout PredicateEvaluator, _ registry: StreamRegistry) throws(StoreError) -> [Int] {
        guard try container.canPass(block: header.index, &evaluator, descriptor: { registry.decodedDescriptor(of: $0) }) else { return [] }
        let rows = try candidates.resolve(container, header, in: bounds)
        if let rows, rows.isEmpty { return [] }
        return try container.rows(ofBlock: header.index, rows, passing: &evaluator) { registry.decodedDescriptor(of: $0) }
    }
}

extension ScanSource {
    /// What selects the rows of this source, if it is a block whose rows were not selected yet.
    func pendingSelection(_ context: ScanContext) -> BlockSelection? {
        guard ahead == nil, isUntouched, case .block(let container, let header, let candidates) = rows else { return nil }
        return BlockSelection(container: container, header: header, candidates: candidates, bounds: bounds)
    }

    /// Selects the rows of some blocks on all threads that are free.
    static func selectAhead(_ sources: [ScanSource], _ context: ScanContext, _ workers: ScanWorkers) {
        let (evaluator, registry, budget) = (context.evaluator, context.registry, context.budget)
        let pending = sources.filter { $0.pendingSelection(context) != nil }
        let selections = pending.compactMap { $0.pendingSelection(context) }
        let results = workers.all(selections) { selection in
            Result { () throws(StoreError) -> [Int] in
                try budget.check()
                var evaluator = evaluator
                return try selection.rows(&evaluator, registry)
            }
        }
        for (source, result) in zip(pending, results) { source.ahead = result }
    }
}
