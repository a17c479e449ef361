import OrielStore
import OrielTelemetry
import Synchronization

extension EngineSnapshot {
    func aggregate(_ plan: ScanPlan, by aggregation: Aggregation) async throws(StoreError) -> AggregateTable {
        let aggregator = try Aggregator(aggregation, signal: plan.signal)
        let budget = budget(deadline: plan.deadline)
        var plan = plan
        plan.projection = aggregator.requiredProjection
        let tables: [AggregateTable]
        if plan.limit != nil || plan.position != nil {
            // Which rows these are only the scan in its order can tell.
            tables = try await inParallel([plan], budget) { plan throws(StoreError) in try aggregate(aggregator, whole: plan, budget) }
        } else {
            plan.order = .time
            tables = plan.signal.hasOrds ? try await aggregateBlocks(aggregator, plan, budget) : try await aggregateParts(aggregator, plan, budget)
        }
        guard var merged = tables.first else { return AggregateTable(aggregation, signal: plan.signal) }
        if tables.count == 1 { return merged }
        let first = merged
        merged = try await workers.run(budget) { () throws(StoreError) -> AggregateTable in
            var merged = first
            for table in tables.dropFirst() {
                try budget.check()
                try merged.merge(table)
            }
            return merged
        }
        return merged
    }

    private func makeContext(_ plan: ScanPlan, _ budget: QueryBudget) -> ScanContext {
        ScanContext(plan: plan, floor: state[plan.signal].floor, tombstones: state.tombstones, budget: budget, registry: registry)
    }

    private func aggregate(_ aggregator: Aggregator, whole plan: ScanPlan, _ budget: QueryBudget) throws(StoreError) -> AggregateTable {
        var context = makeContext(plan, budget)
        let position = plan.position.map { RowKey($0, order: plan.order) }
        let sources = plan.limit ?? .max > 0 ? try ScanSource.find(in: state[plan.signal], behind: position, &context) : []
        var part = SourceAggregator(aggregator, plan: plan, context: context, share: 1)
        try part.addMerged(sources)
        return try part.table()
    }

    // MARK: Signals whose rows never hide each other

    /// Every thread takes the next block until none is left.
    private func aggregateBlocks(_ aggregator: Aggregator, _ plan: ScanPlan, _ budget: QueryBudget) async throws(StoreError) -> [AggregateTable] {
        let (units, context) = try await workers.run(budget) { () throws(StoreError) -> ([SourceAggregator.Unit], ScanContext) in
            var context = makeContext(plan, budget)
            return (try ScanSource.find(in: state[plan.signal], behind: nil, &context).map { SourceAggregator.Unit($0) }, context)
        }
        let queue = UnitQueue(units)
        let share = max(1, min(workers.count, units.count))
        return try await inParallel(Array(repeating: queue, count: share), budget) { queue throws(StoreError) in
            var part = SourceAggregator(aggregator, plan: plan, context: context, share: share)
            while let unit = queue.next() { try part.addDirect(unit) }
            return try part.table()
        }
    }

    /// Hands out sources, each once.
    private final class UnitQueue: Sendable {
        private let units: [SourceAggregator.Unit]
        private let taken = Atomic<Int>(0)

        init(_ units: [SourceAggregator.Unit]) {
            self.units = units
        }

        func next() -> SourceAggregator.Unit? {
            let index = taken.add(1, ordering: .relaxed).oldValue
            return index < units.count ? units[index] : nil
        }
    }

    // MARK: Signals of which a later row replaces an earlier one

    /// Every thread has the series of a range of ids.
    private func aggregateParts(_ aggregator: Aggregator, _ plan: ScanPlan, _ budget: QueryBudget) async throws(StoreError) -> [AggregateTable] {
        let parts = try await partitions(of: plan, count: workers.count)
        return try await inParallel(parts, budget) { part throws(StoreError) in
            var context = makeContext(part, budget)
            let sources = try ScanSource.find(in: state[part.signal], behind: nil, &context)
            let (alone, rivals) = SourceRivals.split(sources, part, context)
            var aggregated = SourceAggregator(aggregator, plan: part, context: context, share: parts.count)
            for source in alone { try aggregated.addDirect(SourceAggregator.Unit(source)) }
            if !rivals.isEmpty { try aggregated.addMerged(rivals) }
            return try aggregated.table()
        }
    }

    /// Does the same work for several inputs on the pool's threads. The first failure stops the others.
    private func inParallel<Input: Sendable>(
        _ inputs: [Input], _ budget: QueryBudget, _ work: @escaping @Sendable (Input) throws(StoreError) -> AggregateTable
    ) async throws(StoreError) -> [AggregateTable] {
        let results = await withTaskGroup(of: Result<AggregateTable, StoreError>.self) { group in
            for input in inputs {
                group.addTask {
                    do throws(StoreError) {
                        return .success(try await workers.run(budget) { () throws(StoreError) -> AggregateTable in try work(input) })
                    } catch {
                        return .failure(error)
                    }
                }
            }
            var results: [Result<AggregateTable, StoreError>] = []
            for await result in group {
                if case .failure = result { budget.cancel() }
                results.append(result)
            }
            return results
        }
        // The first to end with an error is the one that failed by itself; the others were stopped.
        var tables: [AggregateTable] = []
        for result in results { tables.append(try result.get()) }
        return tables
    }
}
