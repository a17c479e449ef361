import OrielStore
import OrielTelemetry

extension EngineSnapshot {
    func streams(
        _ signal: Signal, matching matchers: [StreamMatcher], in range: TimeRange, limit: Int
    ) async throws(StoreError) -> [StreamInformation] {
        let found = try await find(signal, matchers, range) { (finder, _) in
            let sorted = finder.references.map { (registry.id(of: $0), $0) }.sorted { $0.0 < $1.0 }.prefix(max(0, limit))
            return sorted.compactMap { id, reference in
                registry.decodedDescriptor(of: reference).map { StreamInformation(id: id, descriptor: $0) }
            }
        }
        return found
    }

    func labelNames(_ signal: Signal, matching matchers: [StreamMatcher], in range: TimeRange) async throws(StoreError) -> [String] {
        try await find(signal, matchers, range) { (finder, budget) in
            var names: Set<String> = []
            for reference in finder.references { names.formUnion(registry.decodedDescriptor(of: reference)?.names ?? []) }
            return names.sortedByBytes
        }
    }

    func labelValues(
        _ name: String, _ signal: Signal, matching matchers: [StreamMatcher], in range: TimeRange
    ) async throws(StoreError) -> [String] {
        try await find(signal, matchers, range) { (finder, budget) in
            var values: Set<String> = []
            for reference in finder.references {
                if let value = registry.decodedDescriptor(of: reference)?.text(of: name), !value.isEmpty { values.insert(value) }
            }
            return values.sortedByBytes
        }
    }

    private func find<Value: Sendable>(
        _ signal: Signal, _ matchers: [StreamMatcher], _ range: TimeRange, _ answer: @escaping @Sendable (StreamFinder, QueryBudget) -> Value
    ) async throws(StoreError) -> Value {
        let budget = budget(deadline: nil)
        return try await workers.run(budget) { () throws(StoreError) -> Value in
            let plan = ScanPlan(signal: signal, range: range, streamMatchers: matchers, projection: .positions)
            var finder = StreamFinder(plan: plan, state: state, registry: registry, budget: budget)
            try finder.search(state[signal])
            return answer(finder, budget)
        }
    }
}

extension Set<String> {
    fileprivate var sortedByBytes: [String] { sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) } }
}

/// Finds the streams that have rows in a time range. Blocks that lie wholly in the range answer from their stream runs; times are decoded of the others only.
private struct StreamFinder {
    private(set) var references: Set<StreamReference> = []
    private var context: ScanContext

    init(plan: ScanPlan, state: PublishedState, registry: StreamRegistry, budget: QueryBudget) {
        context = ScanContext(plan: plan, floor: state[plan.signal].floor, tombstones: state.tombstones, budget: budget, registry: registry)
    }

    mutating func search(_ state: PublishedState.SignalState) throws(StoreError) {
        guard !context.bounds.isEmpty else { return }
        for container in state.segments + state.sealed {
            do throws(StoreError) {
                try search(container)
            } catch  where error.isDamage {
                // Noted by the container, whose tables cannot be read; the others answer.
            }
        }
        for chunk in state.chunks { search(chunk) }
    }

    private mutating func search(_ container: any BlockContainer) throws(StoreError) {
        let bounds = context.bounds
        let headers = container.blocks.filter { $0.rowCount > 0 && $0.minimumTime < bounds.upperBound && $0.maximumTime >= bounds.lowerBound }
        guard !headers.isEmpty else { return }
        let known = try container.streamReferences()
        for header in headers {
            try context.budget.check()
            do throws(StoreError) {
                try search(header, of: container, known)
            } catch  where error.isDamage {
                // Noted by the container; the other blocks answer.
            }
        }
    }

    private mutating func search(_ header: BlockHeader, of container: any BlockContainer, _ known: [StreamReference]) throws(StoreError) {
        let bounds = context.bounds
        let touch = context.deletions.touch(header, of: container)
        let isInside = touch == nil && bounds.contains(header.minimumTime) && bounds.contains(header.maximumTime)
        // Rows of streams that are not found yet, for a block of which not all rows count.
        var candidates: [Int] = []
        var start = 0
        for run in try container.streamRuns(ofBlock: header.index) {
            let reference = known[Int(run.ordinal)]
            if !references.contains(reference), context.filter.allows(reference) {
                if isInside { insert(reference) } else { candidates.append(contentsOf: start..<(start + run.rowCount)) }
            }
            start += run.rowCount
        }
        guard !candidates.isEmpty else { return }
        let batch = try container.read(block: header.index, rows: candidates, projection: touch?.projection ?? .positions)
        var rows = Array(0..<batch.count)
        if let touch { rows = context.deletions.remaining(rows, of: batch, touch) }
        for row in rows where bounds.contains(batch.times[row]) { insert(batch.streamIndexes[row]) }
    }

    private mutating func search(_ chunk: BuilderChunk) {
        let bounds = context.bounds
        let batch = chunk.batch
        guard batch.count > 0, chunk.minimumTime < bounds.upperBound, chunk.maximumTime >= bounds.lowerBound else { return }
        var rows = Array(0..<batch.count)
        if let touch = context.deletions.touch(chunk) { rows = context.deletions.remaining(rows, of: batch, touch) }
        for row in rows where bounds.contains(batch.times[row]) {
            let reference = batch.streamIndexes[row]
            if !references.contains(reference), context.filter.allows(reference) { insert(reference) }
        }
    }

    private mutating func insert(_ reference: StreamReference) { references.insert(reference) }
}
