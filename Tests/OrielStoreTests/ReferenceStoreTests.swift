import OrielStore
import OrielStoreConformance
import OrielTelemetry
import Testing

@Suite("The reference store")
struct ReferenceStoreTests {
    @Test("passes what every engine must pass", arguments: StoreConformance.checks)
    func conformance(check: StoreConformance.Check) async throws {
        try await check.run(ReferenceStore.Place())
    }

    @Test("agrees with itself in the model test", arguments: [1, 2] as [UInt64])
    func model(seed: UInt64) async throws {
        var test = try await StoreModelTest(seed: seed, factory: ReferenceStore.Place())
        try await test.run(steps: 12)
    }
}
