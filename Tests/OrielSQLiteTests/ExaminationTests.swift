import OrielStore
import OrielStoreConformance
import OrielTelemetry
import Testing

@testable import OrielSQLite

@Suite("Examination and scrubbing")
struct ExaminationTests {
    @Test("a sound store is healthy, its sizes and cardinality are told")
    func healthy() async throws {
        let folder = try SQLiteFolder(SpanFiles.options)
        let store = try #require(try await folder.open() as? SQLiteStore)
        var generator = TelemetryGenerator(seed: 5)
        for _ in 0..<5 { _ = try await store.append(generator.writeSet(rows: 80)) }
        _ = try await store.append(SpanFiles.spans(0..<2))
        try await store.flush()
        let found = try await store.examine(readsAll: true)
        #expect(found.isHealthy, "\(found.problems)")
        #expect(found.checkedFiles > 0)
        #expect(found.checkedBytes == found.statistics.signals.values.reduce(0) { $0 + $1.segmentBytes })
        #expect(found.services.contains { $0.signal == .spans && $0.name == "shop" && $0.rows >= 2 * SpanFiles.rowsPerDay && $0.bytes > 0 })
        #expect(found.columns.contains { $0.signal == .spans && $0.name == "name" && $0.bytes > 0 })
        #expect(found.columns.contains { $0.name.hasPrefix("attribute:") })
        #expect(!found.metrics.isEmpty)
        #expect(found.freeBytes != nil)
        #expect(try await store.examine(readsAll: false).checkedFiles == 0)
        try await store.close()
        await #expect(throws: StoreError.closed) { try await store.examine(readsAll: true) }
        withExtendedLifetime(folder) {}
    }

    @Test("each damaged block is told, and what lies among the unknown files")
    func damaged() async throws {
        let folder = try SQLiteFolder(SpanFiles.options)
        var store = try #require(try await folder.open() as? SQLiteStore)
        _ = try await store.append(SpanFiles.spans(0..<3))
        try await store.close()
        for block in [0, 2] { try SpanFiles.damage(folder, SpanFiles.column(.name, block: block)) }
        try POSIXFileLayer().replace(folder.path + "/data/spans/new/notes.txt", with: [1, 2])
        store = try #require(try await folder.open() as? SQLiteStore)
        #expect(store.statistics.damagedBlocks == 0)
        let found = try await store.examine(readsAll: true)
        #expect(!found.isHealthy)
        #expect(found.problems.count { $0.place.hasSuffix("block 0") || $0.place.hasSuffix("block 2") } == 2, "\(found.problems)")
        #expect(found.unknownFiles.map(\.name) == ["notes.txt"])
        #expect(found.statistics.damagedBlocks == 2)
        try await store.close()
        withExtendedLifetime(folder) {}
    }

    @Test("the scrubber finds damage that nobody asks for")
    func scrubbing() async throws {
        let folder = try SQLiteFolder(SpanFiles.options)
        let first = try #require(try await folder.open() as? SQLiteStore)
        _ = try await first.append(SpanFiles.spans(0..<3))
        try await first.close()
        try SpanFiles.damage(folder, SpanFiles.column(.name, block: 1))
        var options = StoreOptions()
        options.appliesRetention = false
        options.scrubPeriod = 1_000_000
        options.scrubBytesPerSecond = 1 << 40
        let store = try await SQLiteStore.open(folder: folder.path, options: options)
        let deadline = ContinuousClock.now.advanced(by: .seconds(30))
        while store.statistics.lastScrub == nil, ContinuousClock.now < deadline { await Task.yield() }
        let statistics = store.statistics
        #expect(statistics.lastScrub != nil)
        #expect(statistics.scrubbedBytes > 0)
        #expect(statistics.damagedBlocks == 1)
        try await store.close()
        withExtendedLifetime(folder) {}
    }
}
