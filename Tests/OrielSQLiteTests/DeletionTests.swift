@testable import OrielSQLite
import OrielStore
import OrielStoreConformance
import OrielTelemetry
import Testing

@Suite("Deletions")
struct DeletionTests {
    private static var options: StoreOptions {
        var options = StoreOptions()
        options.appliesRetention = false
        return options
    }

    private static let shop = StreamMatcher("service.name", .equal, "shop")

    /// Log records of two services; the bodies of one hold a word that is found in any file that has a row of it.
    private func rows(_ number: Int) -> WriteSet {
        var batch = LogBatch()
        for (service, word) in [("shop", "SECRET"), ("cart", "public")] {
            let stream = batch.streams.intern(.scope(Resource(attributes: [Attribute("service.name", .string(service))]), InstrumentationScope()))
            for row in 0..<50 {
                batch.streamIndexes.append(UInt32(stream))
                batch.times.append(1_700_000_000_000_000_000 + Int64(number * 100 + row))
                batch.traceIDs.append(.zero)
                batch.spanIDs.append(0)
                batch.severityNumbers.append(9)
                batch.severityTexts.append("INFO")
                batch.appendBody(.string("\(word) \(number) \(row)"))
                batch.observedTimes.append(0)
                batch.timeOrigins.append(0)
                batch.flags.append(0)
                batch.droppedAttributesCounts.append(0)
                batch.eventNames.append("")
                batch.attributes.appendRow([])
            }
        }
        return WriteSet(batches: [batch.columnBatch])
    }

    private func open(_ folder: SQLiteFolder) async throws -> SQLiteStore {
        try #require(try await folder.open() as? SQLiteStore)
    }

    private func count(_ store: any TelemetryStore, _ service: String) async throws -> Int {
        let cursor = try store.snapshot().scan(ScanPlan(signal: .logs, streamMatchers: [StreamMatcher("service.name", .equal, service)]))
        var count = 0
        while let batch = try await cursor.next() { count += batch.count }
        return count
    }

    /// Rows that the files of log records hold, read without the store.
    private func filedRows(_ folder: SQLiteFolder) throws -> Int {
        let files = POSIXFileLayer()
        return try FolderScan(folder.path, files: files).segments.keys.filter { $0.hasPrefix("data/logs/") }.reduce(0) { sum, path in
            sum + (try Segment.readHeader(path: folder.path + "/" + path, fileSystem: SQLiteFileSystem(files)).description.rowCount)
        }
    }

    private func waitForCompletion(_ store: SQLiteStore) async throws -> [DeletionStatus] {
        let deadline = Timestamp.now.advanced(by: 60_000_000_000)
        while true {
            let statuses = try await store.deletions()
            if statuses.allSatisfy({ $0.completed != nil }) || Timestamp.now > deadline { return statuses }
            try await store.flush()
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    @Test("are physical once files were written anew and redo is gone, and say so")
    func completion() async throws {
        let folder = try SQLiteFolder(DeletionTests.options)
        let store = try await open(folder)
        for number in 0..<3 {
            _ = try await store.append(rows(number))
            try await store.flush()
        }
        _ = try await store.append(rows(3))
        let asked = try await store.delete(Deletion(signals: [.logs], streamMatchers: [DeletionTests.shop]))
        #expect(asked.completed == nil)
        #expect(asked.remainingFiles > 0 && asked.remainingBytes > 0)
        _ = try await store.append(rows(4))

        let done = try await waitForCompletion(store)
        #expect(done.map(\.sequence) == [asked.sequence])
        #expect(done.first?.completed != nil, "\(done)")
        #expect(try await count(store, "shop") == 50)
        #expect(try await count(store, "cart") == 250)
        // 50 rows came after the deletion.
        #expect(try filedRows(folder) == 300)
        try await store.close()

        let again = try await open(folder)
        #expect(try await count(again, "shop") == 50)
        #expect(try await again.deletions().map(\.completed) == done.map(\.completed))
        try await again.close()
    }

    @Test("become physical by themselves, also those of rows that are in memory, or in files that an opening found", arguments: [false, true])
    func unasked(isReopened: Bool) async throws {
        let folder = try SQLiteFolder(DeletionTests.options)
        var store = try await open(folder)
        _ = try await store.append(rows(0))
        if isReopened {
            try await store.close()
            store = try await open(folder)
        }
        _ = try await store.delete(Deletion(signals: [.logs], streamMatchers: [DeletionTests.shop]))
        let deadline = Timestamp.now.advanced(by: 60_000_000_000)
        var statuses = try await store.deletions()
        while statuses.contains(where: { $0.completed == nil }), Timestamp.now < deadline {
            try await Task.sleep(for: .milliseconds(20))
            statuses = try await store.deletions()
        }
        #expect(statuses.count == 1 && statuses.allSatisfy { $0.completed != nil }, "\(statuses)")
        #expect(try await count(store, "cart") == 50)
        #expect(try filedRows(folder) == 50)
        try await store.close()
    }

    @Test("leave files alone that hold none of their rows")
    func untouchedFiles() async throws {
        let folder = try SQLiteFolder(DeletionTests.options)
        let store = try await open(folder)
        _ = try await store.append(rows(0))
        try await store.flush()
        let before = try FolderScan(folder.path, files: POSIXFileLayer()).segments.keys.sorted()
        _ = try await store.delete(Deletion(signals: [.logs], streamMatchers: [StreamMatcher("service.name", .equal, "nobody")]))
        let done = try await waitForCompletion(store)
        #expect(done.first?.completed != nil)
        #expect(try FolderScan(folder.path, files: POSIXFileLayer()).segments.keys.sorted() == before)
        try await store.close()
    }

    @Test("hold when hot.db is lost before they are physical", arguments: [false, true])
    func lostHotDatabase(isFlushed: Bool) async throws {
        var options = DeletionTests.options
        options.maintainsItself = false
        let folder = try SQLiteFolder(options)
        var store = try await open(folder)
        _ = try await store.append(rows(0))
        try await store.flush()
        let asked = try await store.delete(Deletion(signals: [.logs], streamMatchers: [DeletionTests.shop]))
        if isFlushed { try await store.flush() }
        try await folder.abandon(store)
        let files = POSIXFileLayer()
        for name in try files.list(folder.path) where name.hasPrefix("hot-") { try files.unlink(folder.path + "/" + name) }

        store = try await open(folder)
        #expect(try await count(store, "shop") == 0)
        #expect(try await count(store, "cart") == 50)
        #expect(try await store.deletions().map(\.sequence) == [asked.sequence])
        _ = try await store.append(rows(1))
        #expect(try await count(store, "shop") == 50)
        let done = try await waitForCompletion(store)
        #expect(try await count(store, "shop") == 50)
        #expect(done.count == 1 && done.first?.completed != nil, "\(done)")
        try await store.flush()
        #expect(try filedRows(folder) == 150)
        try await store.close()
    }

    @Test("are kept as they were asked for, whatever they say", arguments: 1...20)
    func records(seed: Int) throws {
        var generator = TelemetryGenerator(seed: UInt64(seed))
        for _ in 0..<50 {
            var deletion = generator.deletion()
            deletion.predicate = generator.predicate(.spans)
            if generator.random.oneIn(2) { deletion.traceIDs = Set(generator.traceIDs.prefix(3)) }
            let tombstone = Tombstone(
                sequence: CommitSequence(rawValue: generator.random.next() >> 1), time: Timestamp(nanoseconds: Int64(generator.random.below(1 << 40))),
                deletion: deletion)
            let blob = TombstoneRecord.encode(tombstone)
            // By their bytes, since NaN is unequal to itself.
            #expect(TombstoneRecord.encode(try TombstoneRecord.decode(blob.span, sequence: tombstone.sequence)) == blob)
            // A blob that lost its end or a bit is refused, never taken for another deletion.
            let cut = Array(blob.prefix(generator.random.below(blob.count)))
            #expect(throws: ColumnError.self) { _ = try TombstoneRecord.decode(cut.span, sequence: tombstone.sequence) }
            var flipped = blob
            flipped[generator.random.below(blob.count)] ^= 1 << UInt8(generator.random.below(8))
            #expect(throws: ColumnError.self) { _ = try TombstoneRecord.decode(flipped.span, sequence: tombstone.sequence) }
        }
    }

    @Test("are refused when their predicate is nested too deeply")
    func tooDeep() async throws {
        let store = try await open(try SQLiteFolder(DeletionTests.options))
        var predicate = Predicate.all
        for _ in 0..<100 { predicate = .not(predicate) }
        await #expect(throws: StoreError.self) { _ = try await store.delete(Deletion(signals: [.logs], predicate: predicate)) }
        try await store.close()
    }
}
