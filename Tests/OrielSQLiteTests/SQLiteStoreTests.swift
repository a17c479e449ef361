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
}
