import OrielStore
import OrielTelemetry

extension EngineSnapshot {
    func traces(_ ids: [TraceID], hint: TimeRange?) async throws(StoreError) -> ColumnBatch {
        let budget = budget(deadline: nil)
        return try await workers.run(budget) { () throws(StoreError) -> ColumnBatch in
            let plan = ScanPlan(signal: .spans, traceIDs: Set(ids))
            var merge = try ScanMerge(plan: plan, state: state, registry: registry, budget: budget)
            var parts: [ColumnBatch] = []
            var picks: [RowGatherer.Pick] = []
            while let batch = try merge.nextBatch() {
                // Held twice for a moment: as parts and as the whole.
                try budget.reserve(2 * batch.approximateByteCount)
                for row in 0..<batch.count { picks.append(RowGatherer.Pick(part: UInt32(parts.count), row: UInt32(row))) }
                parts.append(batch)
            }
            guard !parts.isEmpty else { return ColumnBatch(signal: .spans) }
            return registry.resolve(RowGatherer.gather(picks, of: parts, signal: .spans, projection: .everything))
        }
    }

    func summaries(_ query: TraceSummaryQuery) async throws(StoreError) -> [TraceSummary] {
        guard query.limit > 0 else { return [] }
        let budget = budget(deadline: query.deadline)
        let search = TraceSearch(query, state: state, registry: registry, budget: budget)
        return try await workers.run(budget) { () throws(StoreError) -> [TraceSummary] in try search.result(workers) }
    }
}
