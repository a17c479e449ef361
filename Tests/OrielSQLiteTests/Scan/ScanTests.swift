@testable import OrielSQLite
import OrielStore
import OrielStoreConformance
import OrielTelemetry
import Synchronization
import Testing

@Suite("The scan over plain blocks")
struct ScanTests {
    /// What does not depend on how a store writes.
    private static let checks = StoreConformance.checks.filter { check in
        !["changes", "reader", "closed", "malformed", "delta", "statistics"].contains { check.name.contains($0) }
    }

    @Test("passes what every engine must pass", arguments: checks)
    func conformance(check: StoreConformance.Check) async throws {
        try await check.run(ArrayStore.Place(seed: 5))
    }

    @Test("agrees with the reference on random rows and plans", arguments: (1...6).map { UInt64($0) + StoreModelTest.firstSeed })
    func model(seed: UInt64) async throws {
        var test = try await StoreModelTest(seed: seed, factory: ArrayStore.Place(seed: seed))
        try await test.run(steps: 15 * StoreModelTest.rounds)
    }

    /// Log records over four days in blocks of 100.
    private func filled(_ rows: Int = 8_000) async throws -> (store: ArrayStore, containers: [ArrayContainer]) {
        let place = ArrayStore.Place(seed: 1)
        let store = try ArrayStore(place: place)
        let start: Int64 = 1_700_006_400_000_000_000
        var generator = TelemetryGenerator(seed: 3)
        var batch = try #require(LogBatch(generator.batch(.logs, rows: rows)))
        batch.times = (0..<rows).map { start + Int64($0) * (4 * 86_400_000_000_000 / Int64(rows)) }
        _ = try await store.append(WriteSet(batches: [batch.columnBatch]))
        place.state.withLock { state in
            state = state.replacing { signals in
                signals[.logs].segments = [
                    ArrayContainer(signals[.logs].chunks, signal: .logs, registry: place.registry, rowsPerBlock: 100)
                ]
                signals[.logs].chunks = []
            }
        }
        let containers = place.state.withLock { $0[.logs].segments.compactMap { $0 as? ArrayContainer } }
        return (store, containers)
    }

    @Test("decodes a small part for the newest hundred rows")
    func newestRowsAreCheap() async throws {
        let (store, containers) = try await filled()
        let cursor = try store.engineSnapshot.scan(ScanPlan(signal: .logs, order: .timeDescending, limit: 100))
        var found = 0
        while let batch = try await cursor.next() { found += batch.count }
        #expect(found == 100)
        let decoded = containers.reduce(0) { $0 + $1.decodedRows.withLock { $0 } }
        #expect(decoded < 1_200, "decoded \(decoded) of 8000 rows")
        try await store.close()
    }

    @Test("gives a clear error when memory does not suffice, and finishes with little")
    func memoryBudget() async throws {
        let (store, _) = try await filled()
        var snapshot = store.engineSnapshot
        func count(_ bytes: Int) async throws -> Int {
            var options = StoreOptions()
            options.queryMemoryBytes = bytes
            snapshot = EngineSnapshot(state: snapshot.state, registry: snapshot.registry, options: options, workers: store.workers, familySource: store)
            let cursor = try snapshot.scan(ScanPlan(signal: .logs))
            var found = 0
            while let batch = try await cursor.next() { found += batch.count }
            return found
        }
        await #expect(throws: StoreError.memoryBudgetExceeded(limitBytes: 1_000)) { _ = try await count(1_000) }
        #expect(try await count(2 << 20) == 8_000)
        try await store.close()
    }

    @Test("ends with an error when its task is cancelled")
    func cancellation() async throws {
        let (store, _) = try await filled()
        let cursor = try store.engineSnapshot.scan(ScanPlan(signal: .logs))
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            _ = try await cursor.next()
        }
        task.cancel()
        await #expect(throws: StoreError.cancelled) { try await task.value }
        try await store.close()
        await #expect(throws: StoreError.closed) {
            _ = try await store.engineSnapshot.scan(ScanPlan(signal: .logs)).next()
        }
    }

    @Test("memory that a scan reserved is given back")
    func memoryIsReleased() async throws {
        let (store, _) = try await filled()
        let state = store.engineSnapshot.state
        for order in [ScanOrder.time, .timeDescending, .streamThenTime] {
            for limit in [nil, 50, 5_000] as [Int?] {
                let budget = QueryBudget(memoryLimit: 64 << 20, deadline: nil)
                let plan = ScanPlan(signal: .logs, predicate: .exists(.attribute("k")), order: order, limit: limit)
                var merge = try ScanMerge(plan: plan, state: state, registry: store.place.registry, budget: budget)
                while try merge.nextBatch() != nil {}
                merge.close()
                #expect(budget.usedBytes == 0, "\(order) \(String(describing: limit))")
            }
        }
        try await store.close()
    }

    @Test("positions read back from their keys", arguments: [ScanOrder.time, .timeDescending, .streamThenTime])
    func keys(order: ScanOrder) {
        var random = SplitMix64(seed: 9)
        var positions: [ScanPosition] = []
        for _ in 0..<300 {
            positions.append(
                ScanPosition(
                    time: random.pick([.min, -1, 0, 1, .max]), stream: StreamID(high: random.pick([0, 1, .max]), low: random.pick([0, .max])),
                    ord: random.pick([0, 1, .max])))
        }
        for left in positions {
            #expect(RowKey(left, order: order).position(order: order) == left)
            for right in positions {
                #expect((RowKey(left, order: order) < RowKey(right, order: order)) == left.precedes(right, in: order))
            }
        }
    }
}
