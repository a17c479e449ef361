import OrielStore
import OrielTelemetry
import Testing

@testable import OrielSQLite

/// What comes back when hot.db is gone, and what the statistics say about the rest.
struct RebuildTests {
    private func removeHot(_ path: String) throws {
        let layer = POSIXFileLayer()
        for name in try layer.list(path) where name.hasPrefix("hot-") { try layer.unlink(path + "/" + name) }
    }

    @Test func familiesComeBackFromSegments() async throws {
        let folder = try TemporaryFolder()
        let old = MetricFamily(name: "requests", kind: .counter, unit: "", help: "Requests.")
        let new = MetricFamily(name: "requests", kind: .counter, unit: "", help: "Requests answered.")
        let other = MetricFamily(name: "load", kind: .gauge, unit: "1", help: "Load.")
        var store = try await SQLiteStore.open(folder: folder.path, options: StoreRows.options)
        #expect(store.statistics.recovery.isEmpty)
        for (number, families) in [[old], [other], [new]].enumerated() {
            var request = StoreRows.request(number)
            request.families = families
            _ = try await store.append(request)
            try await store.flush()
        }
        try await store.stop(flushing: false)
        try removeHot(folder.path)
        store = try await SQLiteStore.open(folder: folder.path, options: StoreRows.options)
        #expect(try await store.snapshot().families() == [other, new])
        let recovery = store.statistics.recovery
        #expect(recovery.isRebuilt && recovery.reason == "hot.db is missing")
        #expect(recovery.losses.contains { $0.contains("request keys") })
        try await store.close()
        // It is told once, and what came back stays.
        store = try await SQLiteStore.open(folder: folder.path, options: StoreRows.options)
        #expect(store.statistics.recovery.isEmpty)
        #expect(try await store.snapshot().families() == [other, new])
        try await store.close()
    }

    @Test func aRottenCommitIsReported() async throws {
        let folder = try TemporaryFolder()
        var store = try await SQLiteStore.open(folder: folder.path, options: StoreRows.options)
        for number in 0..<3 { _ = try await store.append(StoreRows.request(number)) }
        try await store.stop(flushing: false)
        let connection = try Connection(folder.path + "/hot-1.db", .readWrite, fileSystem: SQLiteFileSystem(POSIXFileLayer()))
        try connection.pragma("locking_mode", "EXCLUSIVE")
        try connection.execute("UPDATE redo SET data = substr(data, 1, length(data) - 1) || x'00' WHERE seq = (SELECT max(seq) FROM redo)")
        try connection.close()
        store = try await SQLiteStore.open(folder: folder.path, options: StoreRows.options)
        let recovery = store.statistics.recovery
        #expect(!recovery.isRebuilt)
        #expect(recovery.losses.count == 1 && recovery.losses[0].hasPrefix("rows of commit "))
        #expect(recovery.filesPutAside.count == 1 && recovery.filesPutAside[0].hasPrefix("redo-"))
        try await store.close()
    }

    @Test func aDamagedMemoryOfFloorsIsPutAside() async throws {
        let folder = try TemporaryFolder()
        var store = try await SQLiteStore.open(folder: folder.path, options: StoreRows.options)
        _ = try await store.append(StoreRows.request(1))
        try await store.retain(.logs, from: Timestamp(nanoseconds: 1))
        try await store.close()
        try removeHot(folder.path)
        let layer = POSIXFileLayer()
        let file = try layer.open(folder.path + "/app.db", .readWrite)
        try layer.write(file, at: 0, [UInt8](repeating: 0x5A, count: 4096))
        try layer.close(file)
        store = try await SQLiteStore.open(folder: folder.path, options: StoreRows.options)
        let recovery = store.statistics.recovery
        #expect(recovery.filesPutAside.contains("app.db"))
        #expect(recovery.losses.contains { $0.contains("app.db") })
        #expect(try await StoreRows.contents(of: store).logs == StoreRows.expected(1))
        try await store.retain(.logs, from: Timestamp(nanoseconds: 2))
        try await store.close()
    }

    @Test func conflictingSamplesAreCounted() async throws {
        let folder = try TemporaryFolder()
        let store = try await SQLiteStore.open(folder: folder.path, options: StoreRows.options)
        func add(_ value: Double, at time: Int64) async throws {
            var samples = SampleBatch()
            samples.streamIndexes = [UInt32(samples.streams.intern(.series(unsorted: [Label("__name__", "load")])))]
            samples.times = [20_000 * 86_400_000 + time]
            samples.values = [value]
            _ = try await store.append(WriteSet(batches: [samples.columnBatch]))
        }
        // Within one seal: a repetition is no conflict, another value is.
        try await add(1, at: 0)
        try await add(1, at: 0)
        try await add(2, at: 0)
        try await store.flush()
        #expect(store.statistics.signals[.samples]?.conflictingRows == 1)
        // Across files it is found by the merge.
        try await add(3, at: 0)
        try await store.flush()
        for time in 1..<3 as Range<Int64> {
            try await add(4, at: time)
            try await store.flush()
        }
        #expect(store.statistics.merges == 1)
        #expect(store.statistics.signals[.samples]?.conflictingRows == 2)
        let cursor = try store.snapshot().scan(ScanPlan(signal: .samples))
        #expect(try await cursor.next()?[.value] == .doubles([3, 4, 4]))
        try await store.close()
    }
}
