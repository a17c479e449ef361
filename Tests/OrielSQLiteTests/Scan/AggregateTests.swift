@testable import OrielSQLite
import OrielStore
import OrielStoreConformance
import OrielTelemetry
import Synchronization
import Testing

@Suite("Aggregation over plain blocks")
struct AggregateTests {
    /// Rows in sealed blocks of 100, 36 seconds apart.
    private func filled(_ signal: Signal, rows: Int = 4_000) async throws -> (store: ArrayStore, container: ArrayContainer) {
        let place = ArrayStore.Place(seed: 1)
        let store = try ArrayStore(place: place)
        var generator = TelemetryGenerator(seed: 3)
        var batch = generator.batch(signal, rows: rows)
        let unit = signal.nanosecondsPerTimeUnit
        batch.times = (0..<rows).map { 1_700_006_400_000_000_000 / unit + Int64($0) * (36_000_000_000 / unit) }
        _ = try await store.append(WriteSet(batches: [batch]))
        let container = place.state.withLock { state in
            let container = ArrayContainer(state[signal].chunks, signal: signal, registry: place.registry, rowsPerBlock: 100)
            state = state.replacing { signals in
                signals[signal].segments = [container]
                signals[signal].chunks = []
            }
            return container
        }
        return (store, container)
    }

    private func decodedRows(_ container: ArrayContainer) -> Int { container.decodedRows.withLock { $0 } }

    @Test("counts by stream decode only the blocks that straddle an end of the range", arguments: [Signal.logs, .samples])
    func countsAreCheap(signal: Signal) async throws {
        let (store, container) = try await filled(signal)
        let snapshot = store.engineSnapshot
        for keys in [[], [.stream], [.field(.resourceAttribute(signal.isMetric ? "job" : "service.name"))]] as [[Aggregation.Key]] {
            let table = try await snapshot.aggregate(ScanPlan(signal: signal), by: Aggregation(keys: keys))
            let counts = (0..<table.count).compactMap { if case .count(let count) = table.measure(0, of: $0) { count } else { nil } }
            #expect(counts.reduce(0, +) == 4_000)
        }
        #expect(decodedRows(container) == 0)
        let start = Timestamp(nanoseconds: 1_700_006_400_000_000_000)
        let range = TimeRange(start: start.advanced(by: 7_000_000_000_000), end: start.advanced(by: 99_000_000_000_000))
        _ = try await snapshot.aggregate(ScanPlan(signal: signal, range: range), by: Aggregation(keys: [.stream]))
        #expect(decodedRows(container) < 1_000)
        try await store.close()
    }

    @Test("groups take memory from the budget")
    func memoryBudget() async throws {
        let (store, _) = try await filled(.logs)
        var options = StoreOptions()
        options.queryMemoryBytes = 200_000
        let snapshot = EngineSnapshot(
            state: store.engineSnapshot.state, registry: store.place.registry, options: options, workers: store.workers, familySource: store)
        await #expect(throws: StoreError.memoryBudgetExceeded(limitBytes: 200_000)) {
            _ = try await snapshot.aggregate(ScanPlan(signal: .logs), by: Aggregation(keys: [.field(.time), .field(.column(.body))]))
        }
        let table = try await snapshot.aggregate(ScanPlan(signal: .logs), by: Aggregation(keys: [.field(.column(.severityNumber))]))
        #expect(table.count == 8)
        try await store.close()
    }

    @Test("a cancelled task ends its aggregation")
    func cancellation() async throws {
        let (store, _) = try await filled(.logs)
        let snapshot = store.engineSnapshot
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            _ = try await snapshot.aggregate(ScanPlan(signal: .logs), by: Aggregation(keys: [.field(.column(.body))]))
        }
        task.cancel()
        await #expect(throws: StoreError.cancelled) { try await task.value }
        try await store.close()
    }

    @Test("blocks of one seal are no rivals, overlapping ones of others are")
    func rivals() async throws {
        let (store, container) = try await filled(.samples)
        let state = store.engineSnapshot.state
        let plan = ScanPlan(signal: .samples)
        func split(_ containers: [ArrayContainer]) throws -> (alone: Int, rivals: Int) {
            var signal = state[.samples]
            signal.segments = containers
            let budget = QueryBudget(memoryLimit: 64 << 20, deadline: nil)
            var context = ScanContext(plan: plan, floor: signal.floor, tombstones: [], budget: budget, registry: store.place.registry)
            let (alone, rivals) = SourceRivals.split(try ScanSource.find(in: signal, behind: nil, &context), plan, context)
            return (alone.count, rivals.count)
        }
        let blocks = container.blocks.count
        #expect(try split([container]) == (blocks, 0))
        let late = ArrayContainer(
            [container.chunk(sequence: CommitSequence(start: 1, commit: 9))], signal: .samples, registry: store.place.registry, rowsPerBlock: 100)
        #expect(try split([container, late]) == (0, 2 * blocks))
        try await store.close()
    }
}
