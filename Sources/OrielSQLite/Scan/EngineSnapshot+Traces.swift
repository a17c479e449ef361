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
        let budget = budget(deadline: query.deadline)
        return try await workers.run(budget) { () throws(StoreError) -> [TraceSummary] in
            try TraceList(query: query, state: state, registry: registry, budget: budget).summaries()
        }
    }
}

/// Builds the list of traces that a query asks for.
///
/// Spans that pass are read newest first. A trace that was not met yet has all its passing spans at or before the time reached, so it began no later: once the list is
/// full of traces that began later, it is final, and older spans are never looked at. The summaries themselves come from all spans of a trace, wherever they lie.
private struct TraceList {
    let query: TraceSummaryQuery
    let state: PublishedState
    let registry: StreamRegistry
    let budget: QueryBudget

    func summaries() throws(StoreError) -> [TraceSummary] {
        guard query.limit > 0 else { return [] }
        let plan = ScanPlan(
            signal: .spans, range: query.range, streamMatchers: query.streamMatchers, predicate: query.predicate,
            projection: Projection(columns: [.traceID], attributes: .none), order: .timeDescending)
        var merge = try ScanMerge(plan: plan, state: state, registry: registry, budget: budget)
        merge.limitBatches(to: min(512, max(64, query.limit)))
        var met: Set<TraceID> = []
        var list: [TraceSummary] = []
        while let batch = try merge.nextBatch() {
            guard case .traceIDs(let ids) = batch[.traceID], let reached = batch.times.last else { break }
            var new: Set<TraceID> = []
            for id in ids where !id.isZero && !met.contains(id) { new.insert(id) }
            if !new.isEmpty {
                try budget.reserve(new.count * 64)
                met.formUnion(new)
                list += try summarize(new).filter(isWanted)
                list.sort { ($0.start, $0.traceID) > ($1.start, $1.traceID) }
                if list.count > query.limit { list.removeLast(list.count - query.limit) }
            }
            if list.count == query.limit, let last = list.last, last.start > reached { break }
        }
        merge.close()
        return list
    }

    private func isWanted(_ summary: TraceSummary) -> Bool {
        if let minimum = query.minimumDuration, summary.duration < minimum { return false }
        if let maximum = query.maximumDuration, summary.duration > maximum { return false }
        guard let after = query.after else { return true }
        return (summary.start, summary.traceID) < (after.start, after.traceID)
    }

    private func summarize(_ ids: Set<TraceID>) throws(StoreError) -> [TraceSummary] {
        let plan = ScanPlan(signal: .spans, traceIDs: ids, projection: TraceSummaryBuilder.projection)
        var merge = try ScanMerge(plan: plan, state: state, registry: registry, budget: budget)
        var builder = TraceSummaryBuilder()
        var services: [StreamReference: String] = [:]
        while let batch = try merge.nextBatch() {
            builder.add(batch) { reference in
                if let service = services[reference] { return service }
                var service = ""
                if case .scope(let resource, _) = registry.decodedDescriptor(of: reference) { service = resource.serviceName }
                services[reference] = service
                return service
            }
        }
        return builder.summaries
    }
}
