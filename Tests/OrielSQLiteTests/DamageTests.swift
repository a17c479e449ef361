@testable import OrielSQLite
import OrielStore
import OrielStoreConformance
import OrielTelemetry
import Testing

@Suite("Damage in segment files")
struct DamageTests {
    private func open(_ folder: SQLiteFolder) async throws -> SQLiteStore {
        try #require(try await folder.open() as? SQLiteStore)
    }

    /// A store with three days of spans in one file, a block each, and a blob of it damaged.
    private func damagedStore(_ choose: (Segment) throws -> SegmentConnection.Blob) async throws -> (SQLiteFolder, SQLiteStore) {
        let folder = try SQLiteFolder(SpanFiles.options)
        let store = try await open(folder)
        _ = try await store.append(SpanFiles.spans(0..<3))
        try await store.close()
        try SpanFiles.damage(folder, choose)
        return (folder, try await open(folder))
    }

    @Test("rows of a block with a damaged column answer where the column is not asked for, all others always")
    func damagedColumn() async throws {
        let (folder, store) = try await damagedStore(SpanFiles.column(.name, block: 1))
        #expect(store.statistics.quarantinedFiles == 0)
        for order in [ScanOrder.time, .timeDescending, .streamThenTime] {
            for limit in [nil, 1_200] {
                let found = try await SpanFiles.rows(store, ScanPlan(signal: .spans, order: order, limit: limit))
                #expect(found.count == 2 * SpanFiles.rowsPerDay, "\(order), \(String(describing: limit))")
            }
        }
        let positions = try await SpanFiles.rows(store, ScanPlan(signal: .spans, projection: .positions))
        #expect(positions.count == 3 * SpanFiles.rowsPerDay)

        var statistics = store.statistics
        #expect(statistics.quarantinedFiles == 1)
        #expect(statistics.damagedBlocks == 1)
        #expect(statistics.lastDamage?.contains("CRC32C") == true)
        for day in [0, 2] {
            let trace = try await store.snapshot().traces([SpanFiles.traceID(day, 7)], hint: nil)
            #expect(trace.count == 1)
        }
        _ = try await store.append(SpanFiles.spans(3..<4))
        #expect(try await SpanFiles.rows(store, ScanPlan(signal: .spans)).count == 3 * SpanFiles.rowsPerDay)
        statistics = store.statistics
        #expect(statistics.damagedBlocks == 1)
        try await store.close()
        withExtendedLifetime(folder) {}
    }

    @Test("a page of rows reaches over a damaged block")
    func paging() async throws {
        let (folder, store) = try await damagedStore(SpanFiles.column(.name, block: 1))
        var plan = ScanPlan(signal: .spans, limit: 10)
        var times: [Int64] = []
        while true {
            let cursor = try store.snapshot().scan(plan)
            var count = 0
            while let batch = try await cursor.next() {
                times += batch.times
                count += batch.count
            }
            if count == 0 { break }
            plan.position = cursor.position
        }
        #expect(times.count == 2 * SpanFiles.rowsPerDay)
        #expect(Set(times).count == times.count)
        try await store.close()
        withExtendedLifetime(folder) {}
    }

    @Test("a block whose directory or trace column is damaged is left out, the traces of others are found")
    func damagedDirectory() async throws {
        for blob in [SegmentConnection.Blob.directory(1), .blockTraces(1), .blockStreams(1)] {
            let (folder, store) = try await damagedStore { _ in blob }
            #expect(try await SpanFiles.rows(store, ScanPlan(signal: .spans)).count == 2 * SpanFiles.rowsPerDay, "\(blob)")
            let traces = try await store.snapshot().traces([SpanFiles.traceID(0, 7), SpanFiles.traceID(1, 7), SpanFiles.traceID(2, 7)], hint: nil)
            #expect(traces.count == 2, "\(blob)")
            let streams = try await store.snapshot().streams(.spans, matching: [], in: .all, limit: 10)
            #expect(streams.count == 1, "\(blob)")
            #expect(store.statistics.damagedBlocks == 1, "\(blob)")
            try await store.close()
            withExtendedLifetime(folder) {}
        }
    }

    @Test("a file whose stream table is damaged is left out, other files answer")
    func damagedTable() async throws {
        let (folder, store) = try await damagedStore { _ in .head(.streams, 0) }
        _ = try await store.append(SpanFiles.spans(3..<4))
        let all = try await SpanFiles.rows(store, ScanPlan(signal: .spans))
        #expect(all.count == SpanFiles.rowsPerDay)
        let byStream = try await SpanFiles.rows(store, ScanPlan(signal: .spans, order: .streamThenTime))
        #expect(byStream.count == SpanFiles.rowsPerDay)
        #expect(store.statistics.quarantinedFiles == 1)
        #expect(store.statistics.damagedBlocks == 0)
        try await store.close()
        withExtendedLifetime(folder) {}
    }

    /// The live files of spans: their first and last commits by number.
    private func pieces(_ store: SQLiteStore) -> [ClosedRange<UInt64>] {
        store.core.state[.spans].segments.compactMap { ($0 as? Segment)?.description.pieces.first }
            .map { $0.low.rawValue...$0.high.rawValue }.sorted { $0.lowerBound < $1.lowerBound }
    }

    @Test("merges go on at both sides of a damaged file and never over it; it is tried once")
    func barrier() async throws {
        let folder = try SQLiteFolder(SpanFiles.options)
        var store = try await open(folder)
        // Four files of one day become one; the fifth waits, damaged.
        for number in 0..<5 {
            _ = try await store.append(SpanFiles.spans(0..<1, from: number * SpanFiles.rowsPerDay))
            try await store.flush()
        }
        #expect(store.statistics.merges == 1 && pieces(store).count == 2)
        try await store.close()
        try SpanFiles.damage(folder, below: "data/spans/new/", SpanFiles.column(.name, block: 0))
        store = try await open(folder)
        let before = pieces(store)
        let damaged = try #require(before.last)
        for number in 5..<25 {
            _ = try await store.append(SpanFiles.spans(0..<1, from: number * SpanFiles.rowsPerDay))
            try await store.flush()
        }
        let statistics = store.statistics
        #expect(statistics.merges >= 5)
        #expect(statistics.quarantinedFiles == 1)
        #expect(statistics.maintenanceFailures == 1)
        #expect(statistics.lastMaintenanceFailure?.contains("CRC32C") == true)
        let after = pieces(store)
        #expect(after.first == before.first && after.contains(damaged))
        #expect(after.filter { $0.lowerBound <= damaged.upperBound && damaged.lowerBound <= $0.upperBound }.count == 1)
        // What lies behind was merged twice: twenty files, four each, and four of these.
        #expect(after.count <= 4)
        try await store.flush()
        #expect(store.statistics.maintenanceFailures == 1)
        #expect(try await SpanFiles.rows(store, ScanPlan(signal: .spans)).count == 24 * SpanFiles.rowsPerDay)
        #expect(try await SpanFiles.rows(store, ScanPlan(signal: .spans, projection: .positions)).count == 25 * SpanFiles.rowsPerDay)
        try await store.close()

        // Without hot.db the intervals decide which files live: each row is still there once.
        let files = POSIXFileLayer()
        for name in try files.list(folder.path) where name.hasPrefix("hot-") { try files.unlink(folder.path + "/" + name) }
        store = try await open(folder)
        let positions = try await SpanFiles.rows(store, ScanPlan(signal: .spans, projection: .positions))
        #expect(positions.count == 25 * SpanFiles.rowsPerDay && Set(positions).count == positions.count)
        try await store.close()
        withExtendedLifetime(folder) {}
    }
}
