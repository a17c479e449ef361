import OrielStore
import OrielStoreConformance
import OrielTelemetry
import Testing

@testable import OrielSQLite

@Suite("The memory of queries")
struct QueryMemoryTests {
    private static let rowCount = 8_000

    /// A store of a few files, so that scans hold several blocks at once.
    private func filled(_ folder: SQLiteFolder) async throws -> any TelemetryStore {
        let store = try await folder.open()
        var generator = TelemetryGenerator(seed: 4)
        for _ in 0..<4 {
            _ = try await store.append(WriteSet(batches: [generator.batch(.logs, rows: QueryMemoryTests.rowCount / 4)]))
            try await store.flush()
        }
        return store
    }

    private func count(_ store: any TelemetryStore) async throws(StoreError) -> Int {
        let cursor = try store.snapshot().scan(ScanPlan(signal: .logs, range: .all))
        var count = 0
        while let batch = try await cursor.next() { count += batch.count }
        return count
    }

    @Test("is bounded for all together: each is answered or told to come back, and nothing stays taken")
    func bounded() async throws {
        var options = StoreOptions()
        options.maintainsItself = false
        options.queriesMemoryBytes = 3 << 20
        let folder = try SQLiteFolder(options)
        let store = try await filled(folder)
        let results = await withTaskGroup(of: Result<Int, StoreError>.self) { group in
            for _ in 0..<24 {
                group.addTask {
                    do throws(StoreError) { return .success(try await count(store)) } catch { return .failure(error) }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        for case .success(let count) in results { #expect(count == QueryMemoryTests.rowCount) }
        for case .failure(let error) in results { #expect(error == .overloaded(retryAfterSeconds: 1)) }
        #expect(results.contains { if case .success = $0 { true } else { false } })
        // One that is alone may have it all.
        #expect(try await count(store) == QueryMemoryTests.rowCount)
        try await store.close()
    }

    @Test("lets a query wait until another one ends")
    func waits() async throws {
        let memory = QueryMemory(limit: 160)
        let queries = (0..<16).map { _ in QueryBudget(memoryLimit: 160, deadline: nil, shared: memory) }
        for query in queries { try await query.admit() }
        #expect(memory.usedBytes == 160)
        let late = Task {
            let query = QueryBudget(memoryLimit: 160, deadline: nil, shared: memory)
            try await query.admit()
            // Its allowance is its own.
            try query.reserve(10)
            #expect(throws: StoreError.overloaded(retryAfterSeconds: 1)) { try query.reserve(11) }
            query.release(10)
        }
        while memory.waitingCount == 0 { await Task.yield() }
        #expect(throws: StoreError.overloaded(retryAfterSeconds: 1)) { try queries[0].reserve(11) }
        // As if one of them ended.
        memory.give(10)
        try await late.value
        #expect(memory.take(10, holding: 0))
        #expect(memory.usedBytes == 160)
        withExtendedLifetime(queries) {}
    }

    @Test("is given back however a query ends")
    func givenBack() async throws {
        let memory = QueryMemory(limit: 1000)
        do {
            let query = QueryBudget(memoryLimit: 500, deadline: nil, shared: memory)
            try await query.admit()
            try query.reserve(400)
            #expect(throws: StoreError.memoryBudgetExceeded(limitBytes: 500)) { try query.reserve(101) }
            query.release(390)
            #expect(memory.usedBytes == memory.allowance)
            try query.reserve(300)
        }
        #expect(memory.usedBytes == 0)
        let expired = QueryBudget(memoryLimit: 500, deadline: Timestamp(nanoseconds: 0), shared: memory)
        #expect(memory.take(1000, holding: 0))
        await #expect(throws: StoreError.overloaded(retryAfterSeconds: 1)) { try await expired.admit() }
    }
}
