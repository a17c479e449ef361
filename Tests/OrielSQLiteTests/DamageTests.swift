@testable import OrielSQLite
import OrielStore
import OrielStoreConformance
import OrielTelemetry
import Testing

@Suite("Damage in segment files")
struct DamageTests {
    private static let day: Int64 = 86_400_000_000_000
    private static let rowsPerDay = 500

    private static var options: StoreOptions {
        var options = StoreOptions()
        options.appliesRetention = false
        options.maintainsItself = false
        return options
    }

    /// Spans of some days, each its own trace with the number of its row as id; names that no codec makes small.
    private func spans(_ days: Range<Int>, rows: Int = rowsPerDay) -> WriteSet {
        var random = SplitMix64(seed: UInt64(days.lowerBound) + 1)
        var batch = SpanBatch()
        let stream = batch.streams.intern(.scope(Resource(attributes: [Attribute("service.name", .string("shop"))]), InstrumentationScope()))
        for day in days {
            for row in 0..<rows {
                batch.streamIndexes.append(UInt32(stream))
                batch.startTimes.append(1_600_000_000_000_000_000 / DamageTests.day * DamageTests.day + Int64(day) * DamageTests.day + Int64(row))
                batch.traceIDs.append(traceID(day, row))
                batch.spanIDs.append(random.next())
                batch.parentSpanIDs.append(0)
                batch.traceStates.append("")
                batch.names.append((0..<4).map { _ in String(random.next(), radix: 16) }.joined())
                batch.kinds.append(1)
                batch.durations.append(Int64(row))
                batch.statusCodes.append(0)
                batch.statusMessages.append("")
                batch.flags.append(0)
                batch.droppedAttributesCounts.append(0)
                batch.events.append([])
                batch.droppedEventsCounts.append(0)
                batch.links.append([])
                batch.droppedLinksCounts.append(0)
                batch.attributes.appendRow([])
            }
        }
        return WriteSet(batches: [batch.columnBatch])
    }

    private func traceID(_ day: Int, _ row: Int) -> TraceID { TraceID(high: UInt64(day) + 1, low: UInt64(row) + 1) }

    private func open(_ folder: SQLiteFolder) async throws -> SQLiteStore {
        try #require(try await folder.open() as? SQLiteStore)
    }

    /// Flips a bit of a blob of the only file of spans: the blob that `choose` names, in its middle.
    private func damage(_ folder: SQLiteFolder, _ choose: (Segment) throws -> SegmentConnection.Blob) throws {
        let files = POSIXFileLayer()
        let scan = try FolderScan(folder.path, files: files)
        let relative = try #require(scan.segments.keys.first { $0.hasPrefix("data/spans/") })
        #expect(scan.segments.keys.count { $0.hasPrefix("data/spans/") } == 1)
        let path = folder.path + "/" + relative
        let segment = try Segment.open(
            path, fileSystem: SQLiteFileSystem(files), registry: StreamRegistry(secret: StreamSecret(high: 1, low: 2)))
        var blob: [UInt8] = []
        try segment.readBlob(try choose(segment), into: &blob)
        segment.closeConnection()
        // SQLite spreads a long blob over pages, so only a part of it is looked for.
        let part = Array(blob[(blob.count / 2)..<min(blob.count / 2 + 24, blob.count)])
        let contents = try files.contents(path, limit: 1 << 30)
        let places = (0...(contents.count - part.count)).filter { contents[$0] == part[0] && contents[$0..<($0 + part.count)].elementsEqual(part) }
        let place = try #require(places.first)
        let file = try files.open(path, .readWrite)
        try files.write(file, at: Int64(place), [contents[place] ^ 0x10].span)
        try files.close(file)
    }

    private func column(_ id: ColumnID, block: Int) -> (Segment) throws -> SegmentConnection.Blob {
        { segment in
            let position = try #require(try segment.block(block).directory.position(of: .fixed(id)))
            return .column(block: block, column: position)
        }
    }

    private func rows(_ store: SQLiteStore, _ plan: ScanPlan) async throws -> [Int64] {
        let cursor = try store.snapshot().scan(plan)
        var times: [Int64] = []
        while let batch = try await cursor.next() { times += batch.times }
        return times
    }

    /// A store with three days of spans in one file, a block each, and a blob of it damaged.
    private func damagedStore(_ choose: (Segment) throws -> SegmentConnection.Blob) async throws -> (SQLiteFolder, SQLiteStore) {
        let folder = try SQLiteFolder(DamageTests.options)
        let store = try await open(folder)
        _ = try await store.append(spans(0..<3))
        try await store.close()
        try damage(folder, choose)
        return (folder, try await open(folder))
    }

    @Test("rows of a block with a damaged column answer where the column is not asked for, all others always")
    func damagedColumn() async throws {
        let (folder, store) = try await damagedStore(column(.name, block: 1))
        #expect(store.statistics.quarantinedFiles == 0)
        for order in [ScanOrder.time, .timeDescending, .streamThenTime] {
            for limit in [nil, 1_200] {
                let found = try await rows(store, ScanPlan(signal: .spans, order: order, limit: limit))
                #expect(found.count == 2 * DamageTests.rowsPerDay, "\(order), \(String(describing: limit))")
            }
        }
        let positions = try await rows(store, ScanPlan(signal: .spans, projection: .positions))
        #expect(positions.count == 3 * DamageTests.rowsPerDay)

        var statistics = store.statistics
        #expect(statistics.quarantinedFiles == 1)
        #expect(statistics.damagedBlocks == 1)
        #expect(statistics.lastDamage?.contains("CRC32C") == true)
        for day in [0, 2] {
            let trace = try await store.snapshot().traces([traceID(day, 7)], hint: nil)
            #expect(trace.count == 1)
        }
        _ = try await store.append(spans(3..<4))
        #expect(try await rows(store, ScanPlan(signal: .spans)).count == 3 * DamageTests.rowsPerDay)
        statistics = store.statistics
        #expect(statistics.damagedBlocks == 1)
        try await store.close()
        withExtendedLifetime(folder) {}
    }

    @Test("a page of rows reaches over a damaged block")
    func paging() async throws {
        let (folder, store) = try await damagedStore(column(.name, block: 1))
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
        #expect(times.count == 2 * DamageTests.rowsPerDay)
        #expect(Set(times).count == times.count)
        try await store.close()
        withExtendedLifetime(folder) {}
    }

    @Test("a block whose directory or trace column is damaged is left out, the traces of others are found")
    func damagedDirectory() async throws {
        for blob in [SegmentConnection.Blob.directory(1), .blockTraces(1), .blockStreams(1)] {
            let (folder, store) = try await damagedStore { _ in blob }
            #expect(try await rows(store, ScanPlan(signal: .spans)).count == 2 * DamageTests.rowsPerDay, "\(blob)")
            let traces = try await store.snapshot().traces([traceID(0, 7), traceID(1, 7), traceID(2, 7)], hint: nil)
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
        _ = try await store.append(spans(3..<4))
        let all = try await rows(store, ScanPlan(signal: .spans))
        #expect(all.count == DamageTests.rowsPerDay)
        let byStream = try await rows(store, ScanPlan(signal: .spans, order: .streamThenTime))
        #expect(byStream.count == DamageTests.rowsPerDay)
        #expect(store.statistics.quarantinedFiles == 1)
        #expect(store.statistics.damagedBlocks == 0)
        try await store.close()
        withExtendedLifetime(folder) {}
    }
}
