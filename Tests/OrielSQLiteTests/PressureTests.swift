import OrielSQLite
import OrielStore
import OrielStoreConformance
import OrielTelemetry
import Testing

@Suite("A store that is behind")
struct PressureTests {
    /// One row in memory is already too much, and only ``SQLiteStore/flush()`` makes room.
    private static func options(longestDelay: Int64) -> StoreOptions {
        var options = StoreOptions()
        options.memoryBytes = 1
        options.longestAppendDelay = longestDelay
        options.maintainsItself = false
        return options
    }

    private func rows(_ seed: UInt64) -> WriteSet {
        var generator = TelemetryGenerator(seed: seed)
        return WriteSet(batches: [generator.batch(.logs, rows: 20)])
    }

    @Test("delays an append and then refuses it as overloaded")
    func refuses() async throws {
        let store = try await SQLiteFolder(PressureTests.options(longestDelay: 20_000_000)).open()
        _ = try await store.append(rows(1))
        await #expect(throws: StoreError.overloaded(retryAfterSeconds: 1)) { _ = try await store.append(rows(2)) }
        #expect(store.statistics.delayedAppends == 1)
        #expect(store.statistics.refusedAppends == 1)
        #expect(store.statistics.memoryBytes > 1)

        try await store.flush()
        _ = try await store.append(rows(2))
        #expect(store.statistics.delayedAppends == 1)
        #expect(store.statistics.signals[.logs]?.rows == 40)
        try await store.close()
    }

    @Test("lets waiting appends go on when there is room again")
    func resumes() async throws {
        let store = try await SQLiteFolder(PressureTests.options(longestDelay: 60_000_000_000)).open()
        _ = try await store.append(rows(1))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for seed in 2...4 {
                group.addTask { _ = try await store.append(rows(UInt64(seed))) }
            }
            while store.statistics.delayedAppends < 3 { try await Task.sleep(for: .milliseconds(1)) }
            // Each flush makes room for at least one more.
            while store.statistics.signals[.logs]?.appendedRows ?? 0 < 80 { try await store.flush() }
            try await group.waitForAll()
        }
        #expect(store.statistics.refusedAppends == 0)
        try await store.close()
    }

    /// Whatever redo takes: of very many streams it takes less than their rows in memory.
    @Test("makes room by itself when memory is short")
    func makesRoom() async throws {
        var options = PressureTests.options(longestDelay: 60_000_000_000)
        options.maintainsItself = true
        let store = try await SQLiteFolder(options).open()
        for seed in 1...5 { _ = try await store.append(rows(UInt64(seed))) }
        #expect(store.statistics.refusedAppends == 0 && store.statistics.flushes >= 4)
        #expect(store.statistics.signals[.logs]?.rows == 100)
        try await store.close()
    }

    @Test("lets a cancelled append go")
    func cancels() async throws {
        let store = try await SQLiteFolder(PressureTests.options(longestDelay: 60_000_000_000)).open()
        _ = try await store.append(rows(1))
        let waiting = Task { _ = try await store.append(rows(2)) }
        while store.statistics.delayedAppends == 0 { try await Task.sleep(for: .milliseconds(1)) }
        waiting.cancel()
        await #expect(throws: StoreError.overloaded(retryAfterSeconds: 1)) { try await waiting.value }
        try await store.close()
    }
}
