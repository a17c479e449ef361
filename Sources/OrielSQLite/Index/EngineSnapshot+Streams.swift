import OrielStore
import OrielTelemetry

extension EngineSnapshot {
    func streamIDs(
        _ signal: Signal, matching matchers: [StreamMatcher], in range: TimeRange, limit: Int
    ) async throws(StoreError) -> [StreamID] {
        try await find(signal, matchers, range) { found in
            registry.ids(of: registry.sortedByID(found.references).prefix(max(0, limit)))
        }
    }

    func streamList(of ids: [StreamID]) async throws(StoreError) -> StreamList {
        // Copies of what is in memory: no query's turn is waited for.
        registry.list(of: registry.references(of: ids))
    }

    func labelNames(_ signal: Signal, matching matchers: [StreamMatcher], in range: TimeRange) async throws(StoreError) -> [String] {
        try await find(signal, matchers, range) { found in
            if answersFromIndex(found) { return registry.labels.names(of: found, registry) }
            var names: Set<String> = []
            for reference in found.references { names.formUnion(registry.decodedDescriptor(of: reference)?.names ?? []) }
            return names.sortedByBytes
        }
    }

    func labelValues(
        _ name: String, _ signal: Signal, matching matchers: [StreamMatcher], in range: TimeRange
    ) async throws(StoreError) -> [String] {
        try await find(signal, matchers, range) { found in
            if answersFromIndex(found) { return registry.labels.values(of: name, in: found, registry) }
            var values: Set<String> = []
            for reference in found.references {
                if let value = registry.decodedDescriptor(of: reference)?.text(of: name), !value.isEmpty { values.insert(value) }
            }
            return values.sortedByBytes
        }
    }

    /// Whether the lists of all streams are a shorter way to the labels of some than decoding these.
    private func answersFromIndex(_ found: StreamSet) -> Bool { found.count * 16 > registry.count }

    private func find<Value: Sendable>(
        _ signal: Signal, _ matchers: [StreamMatcher], _ range: TimeRange, _ answer: @escaping @Sendable (StreamSet) -> Value
    ) async throws(StoreError) -> Value {
        let budget = budget(deadline: nil)
        return try await workers.run(budget) { () throws(StoreError) -> Value in
            let plan = ScanPlan(signal: signal, range: range, streamMatchers: matchers, projection: .positions)
            var finder = StreamFinder(plan: plan, state: state, registry: registry, budget: budget)
            try finder.search(state[signal])
            return answer(finder.found)
        }
    }
}

extension Set<String> {
    fileprivate var sortedByBytes: [String] { sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) } }
}

/// Finds the streams that have rows in a time range. Containers that lie wholly in the range answer from their stream tables, and of the others the blocks that may have
/// further streams: from their runs if they lie wholly in the range, else by the times of these streams' rows.
private struct StreamFinder {
    private(set) var found = StreamSet()
    private var context: ScanContext
    /// Where rows count that are searched now, in the signal's unit.
    private var bounds = Int64(0)..<0

    init(plan: ScanPlan, state: PublishedState, registry: StreamRegistry, budget: QueryBudget) {
        context = ScanContext(plan: plan, floor: state[plan.signal].floor, tombstones: state.tombstones, budget: budget, registry: registry)
    }

    mutating func search(_ state: PublishedState.SignalState) throws(StoreError) {
        bounds = context.bounds
        try search(state.segments + state.sealed, state.chunks)
        bounds = context.pinnedBounds
        try search(state.pinned.map(\.container), [])
    }

    private mutating func search(_ containers: [any BlockContainer], _ chunks: ChunkList) throws(StoreError) {
        guard !bounds.isEmpty else { return }
        let (inside, others) = headers(of: containers)
        for (container, _) in inside {
            try search(container) { (finder, known) throws(StoreError) in
                for reference in known where finder.context.filter.allows(reference) { finder.found.insert(reference) }
            }
        }
        for chunk in chunks { search(chunk) }
        for (container, headers) in others {
            try search(container) { (finder, known) throws(StoreError) in
                for header in headers { try finder.searchAround(damagedBlock: header, of: container, known) }
            }
        }
    }

    private typealias Headers = [(container: any BlockContainer, headers: [BlockHeader])]

    /// The containers and blocks that may have rows in the range: those of which every row is, and the others.
    private func headers(of containers: [any BlockContainer]) -> (inside: Headers, others: Headers) {
        var inside: Headers = []
        var others: Headers = []
        for container in containers {
            let blocks = container.blocks.filter { $0.rowCount > 0 }
            let headers = blocks.filter { $0.minimumTime < bounds.upperBound && $0.maximumTime >= bounds.lowerBound }
            if headers.isEmpty { continue }
            if headers.count == blocks.count, headers.allSatisfy({ isInside($0, of: container) }) {
                inside.append((container, headers))
            } else {
                others.append((container, headers))
            }
        }
        return (inside, others)
    }

    /// Whether all rows of a block are in the range, and none of them is deleted.
    private func isInside(_ header: BlockHeader, of container: any BlockContainer) -> Bool {
        bounds.contains(header) && context.deletions.touch(header, of: container) == nil
    }

    private mutating func search(
        _ container: any BlockContainer, _ body: (inout StreamFinder, [StreamReference]) throws(StoreError) -> Void
    ) throws(StoreError) {
        try context.budget.check()
        do throws(StoreError) {
            let known = try container.streamReferences()
            try body(&self, known)
        } catch  where error.isDamage {
            // Noted by the container, whose tables cannot be read; the others answer.
        }
    }

    private mutating func searchAround(
        damagedBlock header: BlockHeader, of container: any BlockContainer, _ known: [StreamReference]
    ) throws(StoreError) {
        try context.budget.check()
        let mayHaveMore = (header.firstStream...header.lastStream).contains { ordinal in
            Int(ordinal) < known.count && !found.contains(known[Int(ordinal)]) && context.filter.allows(known[Int(ordinal)])
        }
        guard mayHaveMore else { return }
        do throws(StoreError) {
            try search(header, of: container, known)
        } catch  where error.isDamage {
            // Noted by the container; the other blocks answer.
        }
    }

    private mutating func search(_ header: BlockHeader, of container: any BlockContainer, _ known: [StreamReference]) throws(StoreError) {
        let runs = try container.streamRuns(ofBlock: header.index).filter { run in
            let reference = known[Int(run.ordinal)]
            return !found.contains(reference) && context.filter.allows(reference)
        }
        if isInside(header, of: container) {
            for run in runs { found.insert(known[Int(run.ordinal)]) }
            return
        }
        // Rows of streams that are not found yet, for a block of which not all rows count.
        var ordinals: [UInt32] = []
        for ordinal in runs.map(\.ordinal).sorted() where ordinals.last != ordinal { ordinals.append(ordinal) }
        let candidates = try container.rows(ofBlock: header.index, streams: ordinals, in: bounds)
        guard !candidates.isEmpty else { return }
        let touch = context.deletions.touch(header, of: container)
        let batch = try container.read(block: header.index, rows: candidates, projection: touch?.projection ?? .positions)
        var rows = Array(0..<batch.count)
        if let touch { rows = context.deletions.remaining(rows, of: batch, touch) }
        for row in rows where bounds.contains(batch.times[row]) { found.insert(batch.streamIndexes[row]) }
    }

    private mutating func search(_ chunk: BuilderChunk) {
        let batch = chunk.batch
        guard batch.count > 0, chunk.minimumTime < bounds.upperBound, chunk.maximumTime >= bounds.lowerBound else { return }
        var rows = Array(0..<batch.count)
        if let touch = context.deletions.touch(chunk) { rows = context.deletions.remaining(rows, of: batch, touch) }
        for row in rows where bounds.contains(batch.times[row]) {
            let reference = batch.streamIndexes[row]
            if !found.contains(reference), context.filter.allows(reference) { found.insert(reference) }
        }
    }

}
