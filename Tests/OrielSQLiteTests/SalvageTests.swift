import OrielStore
import OrielStoreConformance
import OrielTelemetry
import Testing

@testable import OrielSQLite

@Suite("Salvage of damaged files")
struct SalvageTests {
    private func open(_ folder: SQLiteFolder) async throws -> SQLiteStore {
        try #require(try await folder.open() as? SQLiteStore)
    }

    /// A store with three days of spans in one file of level 0, a block each, that is closed.
    private func spans() async throws -> SQLiteFolder {
        let folder = try SQLiteFolder(SpanFiles.options)
        let store = try await open(folder)
        _ = try await store.append(SpanFiles.spans(0..<3))
        try await store.close()
        return folder
    }

    private func rows(_ store: SQLiteStore, _ projection: Projection = .everything) async throws -> Int {
        let found = try await SpanFiles.rows(store, ScanPlan(signal: .spans, projection: projection))
        #expect(Set(found).count == found.count, "a row answers twice")
        return found.count
    }

    /// Salvages, and checks that the store is sound then, also after a start, and after one without hot.db.
    ///
    /// - Parameter rows: the spans that answer afterwards.
    private func salvage(_ folder: SQLiteFolder, rows expected: Int, _ note: String) async throws -> SalvageReceipt {
        var store = try await open(folder)
        let report = try await store.salvage()
        #expect(report.failures.isEmpty, "\(note): \(report.failures)")
        #expect(report.receipts.count == 1, "\(note)")
        let receipt = try #require(report.receipts.first)
        #expect(receipt.savedRows == expected, "\(note): \(receipt)")
        #expect(receipt.savedRows + receipt.lostRows == 3 * SpanFiles.rowsPerDay, "\(note): \(receipt)")
        #expect(receipt.losses.filter { $0.column == nil }.reduce(0) { $0 + $1.rows } == receipt.lostRows, "\(note): \(receipt)")
        let files = POSIXFileLayer()
        #expect(try files.exists(folder.path + "/" + receipt.kept) && receipt.kept.hasPrefix("data/unknown/"), "\(note)")
        #expect(try files.exists(folder.path + "/" + receipt.replacement), "\(note)")
        try await check(store, rows: expected, note)
        #expect(try await store.salvage().receipts.isEmpty, "\(note)")
        try await store.flush()
        #expect(try !files.exists(folder.path + "/" + receipt.file), "\(note)")
        try await store.close()

        store = try await open(folder)
        #expect(store.statistics.recovery.isEmpty, "\(note): \(store.statistics.recovery)")
        try await check(store, rows: expected, "\(note), a second start")
        try await store.close()
        for name in try files.list(folder.path) where name.hasPrefix("hot-") { try files.unlink(folder.path + "/" + name) }
        store = try await open(folder)
        try await check(store, rows: expected, "\(note), without hot.db")
        try await store.close()
        return receipt
    }

    private func check(_ store: SQLiteStore, rows expected: Int, _ note: String) async throws {
        for projection in [Projection.everything, .positions] { #expect(try await rows(store, projection) == expected, "\(note)") }
        #expect(store.statistics.quarantinedFiles == 0, "\(note): \(store.statistics.lastDamage ?? "")")
        let places = try await store.examine(readsAll: true).problems.map(\.place)
        #expect(places.allSatisfy { ["data/unknown", "hot.db", "recovery"].contains($0) }, "\(note): \(places)")
    }

    @Test("a sound store stays as it is")
    func sound() async throws {
        let folder = try await spans()
        let store = try await open(folder)
        let files = try FolderScan(folder.path, files: POSIXFileLayer()).segments.keys
        let report = try await store.salvage()
        #expect(report.receipts.isEmpty && report.failures.isEmpty && report.checkedFiles == 1 && report.checkedBytes > 0)
        #expect(try FolderScan(folder.path, files: POSIXFileLayer()).segments.keys == files)
        try await store.close()
        await #expect(throws: StoreError.closed) { try await store.salvage() }
    }

    @Test(
        "of what the rows make anew nothing is lost",
        arguments: [
            SegmentConnection.Blob.head(.header, 0), .head(.blockHeaders, 0), .head(.traceFences, 0), .head(.traceBlocks, 0), .head(.traceTimes, 0),
            .blockTraces(1), .blockStreams(1),
        ])
    func remade(_ blob: SegmentConnection.Blob) async throws {
        let folder = try await spans()
        try SpanFiles.damage(folder) { _ in blob }
        let receipt = try await salvage(folder, rows: 3 * SpanFiles.rowsPerDay, "\(blob)")
        #expect(receipt.incompleteRows == 0 && receipt.losses.isEmpty, "\(receipt)")
        let store = try await open(folder)
        for day in 0..<3 {
            #expect(try await store.snapshot().traces([SpanFiles.traceID(day, 7)], hint: nil).count == 1, "\(blob), day \(day)")
        }
        try await store.close()
    }

    @Test("a damaged filter is made anew")
    func filter() async throws {
        let folder = try await spans()
        var position: Int?
        try SpanFiles.damage(folder) { segment in
            let directory = try segment.block(1).directory
            position = directory.columns.firstIndex { $0.filterByteCount > 0 && $0.inlineFilters == nil }
            return .filters(block: 1, column: try #require(position))
        }
        let receipt = try await salvage(folder, rows: 3 * SpanFiles.rowsPerDay, "filter")
        #expect(receipt.incompleteRows == 0 && receipt.losses.isEmpty && receipt.remade == ["filters of 1 blocks"], "\(receipt)")
    }

    @Test("rows without a damaged text stay, without a damaged number they go")
    func columns() async throws {
        let texts = try await spans()
        try SpanFiles.damage(texts, SpanFiles.column(.name, block: 1))
        var receipt = try await salvage(texts, rows: 3 * SpanFiles.rowsPerDay, "name")
        #expect(receipt.incompleteRows == SpanFiles.rowsPerDay, "\(receipt)")
        let loss = try #require(receipt.losses.first)
        #expect(receipt.losses.count == 1 && loss.column == "name" && loss.rows == SpanFiles.rowsPerDay && loss.reason.contains("CRC32C"), "\(loss)")
        #expect(loss.range.end.nanoseconds - loss.range.start.nanoseconds == Int64(SpanFiles.rowsPerDay), "\(loss)")

        let numbers = try await spans()
        try SpanFiles.damage(numbers, SpanFiles.column(.spanID, block: 1))
        receipt = try await salvage(numbers, rows: 2 * SpanFiles.rowsPerDay, "spanID")
        #expect(receipt.incompleteRows == 0 && receipt.losses.count == 1, "\(receipt)")

        let directories = try await spans()
        try SpanFiles.damage(directories) { _ in .directory(2) }
        receipt = try await salvage(directories, rows: 2 * SpanFiles.rowsPerDay, "directory")
        #expect(receipt.losses.first?.range.start.nanoseconds == 1_600_000_000_000_000_000 / SpanFiles.day * SpanFiles.day + 2 * SpanFiles.day, "\(receipt)")
    }

    @Test("rows whose trace ids are lost belong to no trace")
    func traceIDs() async throws {
        let folder = try await spans()
        try SpanFiles.damage(folder) { _ in .head(.traceIDs, 0) }
        let receipt = try await salvage(folder, rows: 3 * SpanFiles.rowsPerDay, "traceIDs")
        #expect(receipt.incompleteRows == 3 * SpanFiles.rowsPerDay && receipt.losses.allSatisfy { $0.column == "traceID" }, "\(receipt)")
        let store = try await open(folder)
        #expect(try await store.snapshot().summaries(TraceSummaryQuery(range: .all, limit: 10)).isEmpty)
        try await store.close()
    }

    @Test("rows of a stream whose labels are lost are saved when another file has the stream")
    func streams() async throws {
        let lonely = try await spans()
        try SpanFiles.damage(lonely) { _ in .head(.streams, 0) }
        _ = try await salvage(lonely, rows: 0, "a stream in one file")

        let folder = try await spans()
        try SpanFiles.damage(folder) { _ in .head(.streams, 0) }
        let store = try await open(folder)
        _ = try await store.append(SpanFiles.spans(3..<4))
        #expect(try await rows(store) == SpanFiles.rowsPerDay)
        let receipt = try #require(try await store.salvage().receipts.first)
        #expect(receipt.savedRows == 3 * SpanFiles.rowsPerDay && receipt.losses.isEmpty, "\(receipt)")
        #expect(try await rows(store) == 4 * SpanFiles.rowsPerDay)
        try await store.close()
    }

    @Test("a file that SQLite cannot open is salvaged page by page")
    func unopenable() async throws {
        let files = POSIXFileLayer()
        for damage in ["first page", "header", "cut off"] {
            let folder = try await spans()
            let path = folder.path + "/" + (try #require(try FolderScan(folder.path, files: files).segments.keys.first))
            let file = try files.open(path, .readWrite)
            switch damage {
            case "first page": try files.write(file, at: 90, [UInt8](repeating: 0xA5, count: 2000).span)
            case "header": try files.write(file, at: 0, [UInt8](repeating: 0, count: 100).span)
            default: try files.truncate(file, to: try files.size(file) - 16_384)
            }
            try files.close(file)
            var store = try await open(folder)
            #expect(try await rows(store) == 0, "\(damage)")
            try await store.close()
            if damage == "cut off" {
                store = try await open(folder)
                let report = try await store.salvage()
                let receipt = try #require(report.receipts.first, "\(report)")
                #expect(receipt.savedRows + receipt.lostRows == 3 * SpanFiles.rowsPerDay, "\(receipt)")
                try await check(store, rows: receipt.savedRows, damage)
                try await store.close()
            } else {
                let receipt = try await salvage(folder, rows: 3 * SpanFiles.rowsPerDay, damage)
                #expect(receipt.losses.isEmpty, "\(receipt)")
            }
            #expect(try files.list(folder.path + "/data/spans/new").allSatisfy { $0.hasSuffix(".seg") }, "\(damage)")
        }
    }

    @Test("merges go over what was a barrier")
    func barrier() async throws {
        let folder = try SQLiteFolder(SpanFiles.options)
        var store = try await open(folder)
        for number in 0..<5 {
            _ = try await store.append(SpanFiles.spans(0..<1, from: number * SpanFiles.rowsPerDay))
            try await store.flush()
        }
        try await store.close()
        try SpanFiles.damage(folder, below: "data/spans/new/", SpanFiles.column(.name, block: 0))
        store = try await open(folder)
        let damaged = try #require(store.core.state[.spans].segments.compactMap { ($0 as? Segment)?.description }.first { $0.level == 0 })
        let receipt = try #require(try await store.salvage().receipts.first)
        #expect(receipt.savedRows == SpanFiles.rowsPerDay)
        let replacement = try #require(store.core.state[.spans].segments.compactMap { ($0 as? Segment)?.description }.first { $0.inputs == [damaged.fileID] })
        #expect(replacement.pieces == damaged.pieces && replacement.level == damaged.level && replacement.appliedDeletions == damaged.appliedDeletions)
        for number in 5..<25 {
            _ = try await store.append(SpanFiles.spans(0..<1, from: number * SpanFiles.rowsPerDay))
            try await store.flush()
        }
        #expect(!store.core.state[.spans].segments.contains { ($0 as? Segment)?.description.fileID == replacement.fileID })
        #expect(store.statistics.maintenanceFailures == 0)
        #expect(try await rows(store) == 25 * SpanFiles.rowsPerDay)
        try await store.close()
    }

    @Test("a query that reads the damaged file goes on, and the file goes when it has ended")
    func snapshots() async throws {
        let folder = try await spans()
        try SpanFiles.damage(folder, SpanFiles.column(.name, block: 1))
        let store = try await open(folder)
        var snapshot: (any StoreSnapshot)? = try store.snapshot()
        let receipt = try #require(try await store.salvage().receipts.first)
        try await store.flush()
        #expect(try POSIXFileLayer().exists(folder.path + "/" + receipt.file))
        var count = 0
        let cursor = try snapshot?.scan(ScanPlan(signal: .spans, projection: .positions))
        while let batch = try await cursor?.next() { count += batch.count }
        #expect(count == 3 * SpanFiles.rowsPerDay)
        snapshot = nil
        try await store.close()
        let again = try await open(folder)
        #expect(try !POSIXFileLayer().exists(folder.path + "/" + receipt.file))
        try await again.close()
    }

    @Test("rows that a deletion under way names by a damaged text do not come back")
    func deletions() async throws {
        let folder = try await spans()
        try SpanFiles.damage(folder, SpanFiles.column(.name, block: 1))
        let store = try await open(folder)
        _ = try await store.delete(Deletion(signals: [.spans], predicate: .contains(.column(.name), "a", caseSensitive: true, missing: .unknown)))
        let hidden = try await rows(store)
        let receipt = try #require(try await store.salvage().receipts.first)
        #expect(receipt.savedRows == 2 * SpanFiles.rowsPerDay, "\(receipt)")
        #expect(try await rows(store) == hidden)
        try await store.close()
    }

    /// All rows of a signal as texts.
    private func texts(_ store: SQLiteStore, _ signal: Signal) async throws -> [RowText] {
        let cursor = try store.snapshot().scan(ScanPlan(signal: signal))
        var texts: [RowText] = []
        while let batch = try await cursor.next() { texts += batch.rowTexts }
        return texts
    }

    @Test("whatever bytes are damaged, rows are saved as they were or counted as lost", arguments: 0..<40 as Range<UInt64>)
    func anyBytes(_ seed: UInt64) async throws {
        var random = SplitMix64(seed: seed)
        let folder = try SQLiteFolder(SpanFiles.options)
        var store = try await open(folder)
        var generator = TelemetryGenerator(seed: seed)
        for _ in 0..<6 {
            _ = try await store.append(generator.writeSet(rows: 120))
            if random.oneIn(3) { try await store.flush() }
        }
        try await store.flush()
        var before: [Signal: [RowText: Int]] = [:]
        for signal in Signal.allCases {
            for text in try await texts(store, signal) { before[signal, default: [:]][text, default: 0] += 1 }
        }
        try await store.close()
        let files = POSIXFileLayer()
        for path in try FolderScan(folder.path, files: files).segments.keys.sorted() where random.oneIn(2) {
            let file = try files.open(folder.path + "/" + path, .readWrite)
            let size = Int(try files.size(file))
            for _ in 0...random.below(4) {
                let length = random.oneIn(3) ? 4096 : 1
                let place = random.below(size)
                var bytes = [UInt8](repeating: 0, count: min(length, size - place))
                for index in bytes.indices { bytes[index] = UInt8(truncatingIfNeeded: random.next()) }
                try files.write(file, at: Int64(place), bytes.span)
            }
            try files.close(file)
        }
        store = try await open(folder)
        let report = try await store.salvage()
        #expect(report.failures.isEmpty, "seed \(seed): \(report.failures)")
        for receipt in report.receipts {
            let lost = receipt.losses.filter { $0.column == nil && !$0.reason.hasSuffix("of their values") }.reduce(0) { $0 + $1.rows }
            #expect(lost == receipt.lostRows, "seed \(seed): \(receipt)")
        }
        #expect(store.statistics.quarantinedFiles == 0, "seed \(seed): \(store.statistics.lastDamage ?? "")")
        #expect(try await store.salvage().receipts.isEmpty, "seed \(seed)")
        for signal in Signal.allCases {
            let receipts = report.receipts.filter { $0.signal == signal }
            var left = before[signal] ?? [:]
            var (found, changed) = (0, 0)
            for text in try await texts(store, signal) {
                found += 1
                if let count = left[text], count > 0 { left[text] = count - 1 } else { changed += 1 }
            }
            let total = (before[signal] ?? [:]).values.reduce(0, +)
            let lost = receipts.reduce(0) { $0 + $1.lostRows }
            if signal.hasOrds {
                #expect(found == total - lost, "seed \(seed), \(signal)")
                #expect(changed <= receipts.reduce(0) { $0 + $1.incompleteRows }, "seed \(seed), \(signal)")
            } else {
                // Files hold samples that those of later files replace: they answer when these are lost.
                #expect(found >= total - lost && changed <= lost, "seed \(seed), \(signal): \(found) of \(total), \(lost) lost, \(changed) changed")
            }
        }
        try await store.close()
    }
}
