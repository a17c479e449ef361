import OrielStore
import OrielTelemetry
import Testing

@testable import OrielSQLite

/// Rotten bits in hot.db and its log: nothing is lost silently, and what is whole comes back.
struct HotDamageTests {
    /// A store with six requests in the log, stopped as by kill -9; returns the log's path.
    private func makeStore(_ path: String, flushing: Bool = false) async throws -> String {
        let store = try await SQLiteStore.open(folder: path, options: StoreRows.options)
        for number in 0..<6 {
            _ = try await store.append(StoreRows.request(number, count: 20))
            if flushing, number == 2 {
                try await store.flush()
            }
        }
        // A copy of the files as they are keeps the log, which an orderly stop would cut.
        let base = POSIXFileLayer()
        try base.createDirectory(path + "-copy")
        for name in try base.list(path) where !(try base.status(path + "/" + name)?.isDirectory ?? false) {
            try base.copy(path + "/" + name, to: path + "-copy/" + name)
        }
        try await store.stop(flushing: false)
        for name in try base.list(path) where name.hasPrefix("hot-") {
            try base.unlink(path + "/" + name)
        }
        for name in try base.list(path + "-copy") where name.hasPrefix("hot-") {
            try base.rename(path + "-copy/" + name, to: path + "/" + name)
        }
        return path + "/hot-1.db-wal"
    }

    private func flip(_ path: String, at offset: Int64) throws {
        let layer = POSIXFileLayer()
        let file = try layer.open(path, .readWrite)
        var bytes: [UInt8] = [0]
        var span = bytes.mutableSpan
        _ = try layer.read(file, at: offset, into: &span)
        bytes[0] ^= 0x10
        try layer.write(file, at: offset, bytes)
        try layer.close(file)
    }

    private func numbers(_ path: String) async throws -> Set<Int> {
        let store = try await SQLiteStore.open(folder: path, options: StoreRows.options)
        let found = try await StoreRows.contents(of: store)
        #expect(found.logs == found.samples)
        #expect(found.logs.count == Set(found.logs).count)
        let unknown = store.statistics.unknownFiles
        // Once more: the repair itself must hold.
        try await store.stop(flushing: false)
        let again = try await SQLiteStore.open(folder: path, options: StoreRows.options)
        let second = try await StoreRows.contents(of: again)
        #expect(second == found)
        #expect(again.statistics.unknownFiles == unknown)
        try await again.stop(flushing: false)
        return Set(found.logs.map { $0 / 1000 })
    }

    @Test func aWholeLogIsNotDamaged() async throws {
        let folder = try TemporaryFolder()
        let log = try await makeStore(folder.path + "/s")
        let read = try #require(try WriteAheadLog(log, files: POSIXFileLayer()))
        #expect(!read.isDamaged && read.readableCount == read.frames.count && read.frames.count > 10)
        let found = try await numbers(folder.path + "/s")
        #expect(found == Set(0..<6))
    }

    @Test func aTornTailIsNotDamage() async throws {
        let folder = try TemporaryFolder()
        let log = try await makeStore(folder.path + "/s")
        let layer = POSIXFileLayer()
        let size = try #require(try layer.status(log)?.size)
        let file = try layer.open(log, .readWrite)
        try layer.truncate(file, to: size - 5000)
        try layer.close(file)
        #expect(try WriteAheadLog(log, files: layer)?.isDamaged == false)
        let found = try await numbers(folder.path + "/s")
        // A small commit is one page, so the cut may take two.
        #expect(found.isSuperset(of: 0..<4))
    }

    /// Each frame in turn: of the requests at most the one or two whose pages are hit may be missing, and the damaged pair is kept.
    @Test func aBitInTheLogCostsAtMostWhatItHits() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/s"
        let log = try await makeStore(path)
        let base = POSIXFileLayer()
        let read = try #require(try WriteAheadLog(log, files: base))
        let frameSize = Int64(read.pageSize + 24)
        for index in stride(from: read.frames.count / 3, to: read.frames.count - 8, by: 5) {
            let copy = folder.path + "/c\(index)"
            try base.createDirectory(copy)
            for name in try base.list(path) where !(try base.status(path + "/" + name)?.isDirectory ?? false) {
                try base.copy(path + "/" + name, to: copy + "/" + name)
            }
            let hit = copy + "/hot-1.db-wal"
            try flip(hit, at: 32 + Int64(index) * frameSize + 24 + 1000)
            #expect(try WriteAheadLog(hit, files: base)?.isDamaged == true, "frame \(index)")
            let found = try await numbers(copy)
            #expect(found.count >= 4, "frame \(index): \(found.sorted())")
            #expect(try base.list(copy + "/data/unknown").count == 2)
        }
    }

    @Test func filesSurviveALostHotDatabase() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/s"
        _ = try await makeStore(path, flushing: true)
        let base = POSIXFileLayer()
        for name in try base.list(path) where name.hasPrefix("hot-") {
            try base.unlink(path + "/" + name)
        }
        let found = try await numbers(path)
        #expect(found == Set(0..<3))
    }

    @Test func aLogWithoutItsDatabaseIsPutAside() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/s"
        _ = try await makeStore(path, flushing: true)
        try POSIXFileLayer().unlink(path + "/hot-1.db")
        let found = try await numbers(path)
        #expect(found == Set(0..<3))
        #expect(try POSIXFileLayer().list(path + "/data/unknown") == ["hot-1.db-wal"])
    }

    @Test func aDatabaseOfGarbageIsReplaced() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/s"
        let log = try await makeStore(path, flushing: true)
        let base = POSIXFileLayer()
        try base.unlink(log)
        let file = try base.open(path + "/hot-1.db", .readWrite)
        try base.write(file, at: 0, [UInt8](repeating: 0x5A, count: 8192))
        try base.close(file)
        let found = try await numbers(path)
        #expect(found == Set(0..<3))
    }

    private func copy(_ source: String, to target: String) throws {
        let base = POSIXFileLayer()
        try base.createDirectory(target)
        for name in try base.list(source) {
            let (from, to) = (source + "/" + name, target + "/" + name)
            if try base.status(from)?.isDirectory == true { try copy(from, to: to) } else { try base.copy(from, to: to) }
        }
    }

    /// Whatever page of the database is hit: everything is there, or what is not is reported; nothing comes twice or wrong, and the repair holds.
    @Test func aBitInAnyPageIsFoundOut() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/s"
        let store = try await SQLiteStore.open(folder: path, options: StoreRows.options)
        for number in 0..<8 {
            _ = try await store.append(StoreRows.request(number, count: 20, noise: 200, key: RequestKey(high: 1, low: UInt64(number))))
            if number == 2 || number == 4 { try await store.flush() }
        }
        // Small enough that a flipped bit of it could hide everything.
        try await store.retain(.logs, from: Timestamp(nanoseconds: 1))
        try await store.stop(flushing: false)
        let base = POSIXFileLayer()
        let size = try #require(try base.status(path + "/hot-1.db")?.size)
        let rows = (0..<8).flatMap { StoreRows.expected($0, count: 20) }
        var (rebuilt, short) = (0, 0)
        for page in 0..<(size / 4096) {
            // Every page has a head; what follows is anywhere.
            for offset in [page * 31 % 100, page * 2_654_435 % 4096, 2048 + page * 40_503 % 2048] {
                let hit = folder.path + "/hit"
                try copy(path, to: hit)
                try flip(hit + "/hot-1.db", at: page * 4096 + offset)
                var found: [(logs: [Int], samples: [Int])] = []
                for attempt in 1...2 {
                    let store = try await SQLiteStore.open(folder: hit, options: StoreRows.options)
                    let contents = try await StoreRows.contents(of: store)
                    found.append(contents)
                    let report = store.statistics.recovery
                    for part in [contents.logs, contents.samples] {
                        #expect(part == Set(part).sorted() && Set(part).isSubset(of: rows), "page \(page), offset \(offset): rows come twice")
                        if attempt == 1, part != rows {
                            short += 1
                            #expect(part.count >= rows.count - 20, "page \(page), offset \(offset): more is lost than one commit: \(report)")
                            #expect(!report.losses.isEmpty, "page \(page), offset \(offset): \(rows.count - part.count) rows are missing in silence")
                        }
                    }
                    if attempt == 1, report.isRebuilt { rebuilt += 1 }
                    try await store.stop(flushing: false)
                }
                #expect(found[0] == found[1], "page \(page), offset \(offset): the second start differs")
                // Rows in files are not lost with hot.db.
                #expect(Set(found[0].logs).isSuperset(of: (0..<5).flatMap { StoreRows.expected($0, count: 20) }), "page \(page), offset \(offset)")
                TemporaryFolder.remove(hit)
            }
        }
        #expect(rebuilt > 0 && short > 0, "\(rebuilt) rebuilt, \(short) short, of \(size / 4096) pages")
    }

    @Test func strangersInTheDataFolderArePutAside() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/s"
        _ = try await makeStore(path, flushing: true)
        let other = folder.path + "/t"
        _ = try await makeStore(other, flushing: true)
        let base = POSIXFileLayer()
        let foreign = try #require(try base.list(other + "/data/logs/new").first)
        try base.copy(other + "/data/logs/new/" + foreign, to: path + "/data/logs/new/77.seg")
        let file = try base.open(path + "/data/logs/new/78.seg", .createNew)
        try base.write(file, at: 0, [1, 2, 3])
        try base.close(file)
        let found = try await numbers(path)
        #expect(found == Set(0..<6))
        #expect(try base.list(path + "/data/unknown") == ["77.seg", "78.seg"])
    }

    /// A blob of hot.db whose bytes changed without SQLite noticing.
    @Test(arguments: ["redo", "streams", "seen"])
    func aRottenBlobIsKeptAndTheRestAnswers(_ table: String) async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/s"
        let store = try await SQLiteStore.open(folder: path, options: StoreRows.options)
        for number in 0..<4 {
            _ = try await store.append(StoreRows.request(number, key: RequestKey(high: 1, low: UInt64(number))))
        }
        try await store.stop(flushing: false)
        let connection = try Connection(path + "/hot-1.db", .readWrite, fileSystem: SQLiteFileSystem(POSIXFileLayer()))
        try connection.pragma("locking_mode", "EXCLUSIVE")
        try connection.execute("UPDATE \(table) SET data = substr(data, 1, length(data) - 1) || x'00' WHERE seq = (SELECT max(seq) FROM \(table))")
        try connection.close()
        let again = try await SQLiteStore.open(folder: path, options: StoreRows.options)
        let found = try await StoreRows.contents(of: again)
        #expect(found.logs.count >= 6 || table == "streams" && found.logs.count >= 4)
        #expect(found.logs == found.samples)
        #expect(again.statistics.unknownFiles >= 1)
        try await again.close()
    }

    @Test func floorsSurviveALostHotDatabase() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/s"
        let store = try await SQLiteStore.open(folder: path, options: StoreRows.options)
        _ = try await store.append(StoreRows.request(1))
        try await store.flush()
        let floor = Timestamp(nanoseconds: 20_000 * 86_400_000_000_000 + 1001)
        try await store.retain(.logs, from: floor)
        try await store.stop(flushing: false)
        let base = POSIXFileLayer()
        for name in try base.list(path) where name.hasPrefix("hot-") {
            try base.unlink(path + "/" + name)
        }
        let again = try await SQLiteStore.open(folder: path, options: StoreRows.options)
        let found = try await StoreRows.contents(of: again)
        #expect(found.logs == [1001] && found.samples == [1000, 1001])
        #expect(again.statistics.signals[.logs]?.floor == floor)
        try await again.close()
    }

    @Test func filesAloneMakeAStore() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/s"
        _ = try await makeStore(path, flushing: true)
        let base = POSIXFileLayer()
        for name in try base.list(path) where name.hasPrefix("hot-") || name == "LOCK" {
            try base.unlink(path + "/" + name)
        }
        let found = try await numbers(path)
        #expect(found == Set(0..<3))
    }

    private func count(_ snapshot: (any StoreSnapshot)?) async throws -> Int {
        let cursor = try snapshot?.scan(ScanPlan(signal: .logs))
        var count = 0
        while let batch = try await cursor?.next() {
            count += batch.count
        }
        return count
    }

    @Test func filesBelowTheFloorAreUnlinked() async throws {
        let folder = try TemporaryFolder()
        let store = try await SQLiteStore.open(folder: folder.path, options: StoreRows.options)
        _ = try await store.append(StoreRows.request(1))
        try await store.flush()
        _ = try await store.append(StoreRows.request(2, day: 20_010))
        try await store.flush()
        let base = POSIXFileLayer()
        #expect(try base.list(folder.path + "/data/logs/new").count == 2)
        var held: (any StoreSnapshot)? = try store.snapshot()
        try await store.retain(.logs, from: Timestamp(nanoseconds: 20_005 * 86_400_000_000_000))
        let found = try await StoreRows.contents(of: store)
        #expect(found.logs == [2000, 2001])
        try await store.flush()
        // The snapshot from before still reads the file.
        #expect(try base.list(folder.path + "/data/logs/new").count == 2)
        #expect(try await count(held) == 4)
        held = nil
        _ = try await store.append(StoreRows.request(3, day: 20_010))
        try await store.flush()
        #expect(try base.list(folder.path + "/data/logs/new").count == 2)
        try await store.close()
    }

    /// Every file of a folder, by path.
    private func files(_ path: String) throws -> [String: [UInt8]] {
        let base = POSIXFileLayer()
        var found: [String: [UInt8]] = [:]
        for name in try base.list(path) {
            if try base.status(path + "/" + name)?.isDirectory == true {
                for (below, bytes) in try files(path + "/" + name) { found[name + "/" + below] = bytes }
            } else {
                found[name] = try base.contents(path + "/" + name, limit: 1 << 24)
            }
        }
        return found
    }

    /// One part that a newer version wrote ends the opening before any file is changed.
    @Test(arguments: ["LOCK", "hot.db", "app.db", "segment"])
    func newerPartsAreLeftUntouched(_ part: String) async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/s"
        let store = try await SQLiteStore.open(folder: path, options: StoreRows.options)
        _ = try await store.append(StoreRows.request(0))
        try await store.retain(.logs, from: Timestamp(nanoseconds: 1))
        try await store.close()
        let base = POSIXFileLayer()
        let fileSystem = SQLiteFileSystem(base)
        switch part {
        case "LOCK":
            var text = String(decoding: try base.contents(path + "/LOCK", limit: 512), as: UTF8.self)
            text.replace("format 1", with: "format 9")
            try base.replace(path + "/LOCK", with: Array(text.utf8))
        case "hot.db":
            let hot = try HotDatabase(path, number: 1, creating: false, fileSystem: fileSystem)
            try hot.setMeta(.format, 9)
            try hot.checkpoint()
            try hot.close()
        case "app.db":
            let connection = try AppDatabase.open(path, fileSystem: fileSystem)
            try connection.pragma("user_version", "99")
            try connection.close()
        default:
            let name = try #require(try base.list(path + "/data/logs/new").first)
            let connection = try Connection(path + "/data/logs/new/" + name, .readWrite, fileSystem: fileSystem)
            // The version is the first byte of the header's blob.
            try connection.execute("UPDATE head SET v = x'09' || substr(v, 2) WHERE k = 0")
            try connection.close()
        }
        let before = try files(path)
        do {
            try await SQLiteStore.open(folder: path, options: StoreRows.options).close()
            Issue.record("it opens")
        } catch {
            if case .newerFormat = error {} else { Issue.record("\(error)") }
        }
        #expect(try files(path) == before)
    }

    @Test func aFolderOfANewerFormatIsLeftUntouched() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/s"
        try await SQLiteStore.open(folder: path, options: StoreRows.options).close()
        let base = POSIXFileLayer()
        var text = String(decoding: try base.contents(path + "/LOCK", limit: 512), as: UTF8.self)
        text.replace("format 1", with: "format 9")
        try base.replace(path + "/LOCK", with: Array(text.utf8))
        let error = await #expect(throws: StoreError.self) { try await SQLiteStore.open(folder: path, options: StoreRows.options) }
        #expect(error == .newerFormat(path: path, found: 9, supported: 1))
    }

    /// A copy that was not finished is begun again when it is needed; it must not take its place for ever.
    @Test func unfinishedCopiesAreUnlinkedAtTheStart() async throws {
        let folder = try TemporaryFolder()
        let path = try folder.folder("store")
        let layer = POSIXFileLayer()
        var store = try await SQLiteStore.open(folder: path, options: StoreRows.options)
        _ = try await store.append(StoreRows.request(0))
        try await store.stop(flushing: false)
        try layer.ensureDirectory(path + "/data")
        try layer.ensureDirectory(path + "/data/unknown")
        let others = ["1.seg", "2.seg.2", "a.seg.tmp", "+1.seg.tmp", "007.seg.tmp", "notes.tmp", "3.seg.tmp.2", "seg.tmp"]
        try layer.createDirectory(path + "/data/unknown/9.seg.tmp")
        for name in others + ["1.seg.tmp", "12.seg.3.tmp"] { try layer.replace(path + "/data/unknown/" + name, with: [1]) }
        store = try await SQLiteStore.open(folder: path, options: StoreRows.options)
        #expect(try layer.list(path + "/data/unknown") == (others + ["9.seg.tmp"]).sorted())
        try await store.close()
    }
}
