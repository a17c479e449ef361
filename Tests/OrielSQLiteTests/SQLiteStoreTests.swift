@testable import OrielSQLite
import OrielStore
import OrielStoreConformance
import OrielTelemetry
import Testing

@Suite("The embedded store")
struct SQLiteStoreTests {
    @Test("passes what every engine must pass", arguments: StoreConformance.checks)
    func conformance(check: StoreConformance.Check) async throws {
        try await check.run(SQLiteFolder())
    }

    @Test("passes what every engine must pass while it seals, flushes and merges all the time", arguments: StoreConformance.checks)
    func busyConformance(check: StoreConformance.Check) async throws {
        try await check.run(SQLiteFolder(SQLiteFolder.busy))
    }

    @Test("agrees with the reference on random histories", arguments: (1...4).map { UInt64($0) + StoreModelTest.firstSeed })
    func model(seed: UInt64) async throws {
        var test = try await StoreModelTest(seed: seed, factory: SQLiteFolder())
        try await test.run(steps: 12 * StoreModelTest.rounds)
    }

    @Test(
        "agrees with the reference while it seals, flushes and merges all the time", arguments: (1...4).map { UInt64($0) + StoreModelTest.firstSeed })
    func busyModel(seed: UInt64) async throws {
        var test = try await StoreModelTest(seed: seed, factory: SQLiteFolder(SQLiteFolder.busy))
        try await test.run(steps: 12 * StoreModelTest.rounds)
    }

    @Test("passes what every engine must pass while it forgets streams again and again", arguments: StoreConformance.checks)
    func forgetfulConformance(check: StoreConformance.Check) async throws {
        try await check.run(SQLiteFolder(SQLiteFolder.busy, isForgetful: true))
    }

    @Test("agrees with the reference while it forgets streams again and again", arguments: (1...4).map { UInt64($0) + StoreModelTest.firstSeed })
    func forgetfulModel(seed: UInt64) async throws {
        var test = try await StoreModelTest(seed: seed, factory: SQLiteFolder(SQLiteFolder.busy, isForgetful: true))
        try await test.run(steps: 12 * StoreModelTest.rounds)
    }

    @Test("is made only where it may be")
    func noStore() async throws {
        let folder = try SQLiteFolder()
        var options = StoreOptions()
        options.createsStore = false
        let files = POSIXFileLayer()
        for path in [folder.path, folder.path + "/missing"] {
            await #expect(throws: StoreError.noStore(path: path)) { try await SQLiteStore.open(folder: path, options: options) }
        }
        // A lock of somebody else's makes no store.
        try files.replace(folder.path + "/LOCK", with: Array("mine".utf8))
        await #expect(throws: StoreError.noStore(path: folder.path)) { try await SQLiteStore.open(folder: folder.path, options: options) }
        #expect(try files.list(folder.path) == ["LOCK"])
        try files.unlink(folder.path + "/LOCK")

        try await SQLiteStore.open(folder: folder.path).close()
        try await SQLiteStore.open(folder: folder.path, options: options).close()
        // Also one that has lost its lock.
        try files.unlink(folder.path + "/LOCK")
        try await SQLiteStore.open(folder: folder.path, options: options).close()
    }

    @Test("seals, flushes and merges by itself under the busy options")
    func busyOptionsAreBusy() async throws {
        let folder = try SQLiteFolder(SQLiteFolder.busy)
        let store = try await folder.open()
        var generator = TelemetryGenerator(seed: 4)
        func wait(_ isDone: (StoreStatistics) -> Bool) async throws -> Bool {
            let deadline = Timestamp.now.advanced(by: 30_000_000_000)
            while !isDone(store.statistics) {
                if Timestamp.now > deadline { return false }
                try await Task.sleep(for: .milliseconds(5))
            }
            return true
        }
        for count in 1...6 {
            _ = try await store.append(WriteSet(batches: Signal.allCases.map { generator.batch($0, rows: 60) }))
            #expect(try await wait { $0.flushes >= count }, "flush \(count)")
        }
        let merged = try await wait { $0.merges > 0 }
        try await store.flush()
        #expect(merged, "no merge: \(store.statistics)")
        try await store.close()
    }
}
