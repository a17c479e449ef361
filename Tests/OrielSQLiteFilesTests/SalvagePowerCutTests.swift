import OrielStore
import OrielTelemetry
import Synchronization
import Testing

@testable import OrielSQLite

/// Cuts the power while damaged files are written anew: each row answers as before, once, and nothing of a damaged file is ever gone.
struct SalvagePowerCutTests {
    private let options = StoreRows.options

    /// What is damaged of the file of log records.
    enum Damage: CaseIterable, Sendable {
        /// A table that the rows make anew.
        case table
        /// A block: its rows are lost before and after.
        case block
        /// The header, so that the file cannot be opened.
        case header
    }

    /// A store of which two requests lie in one file per signal and day and that of the log records is damaged; the store is closed.
    ///
    /// - Returns: the damaged file's bytes.
    private func prepare(_ root: String, _ layer: RecordingFileLayer, _ damage: Damage) async throws -> [UInt8] {
        let store = try await SQLiteStore.open(folder: root, options: options, files: layer)
        _ = try await store.append(StoreRows.request(0))
        // Another day, so another block.
        _ = try await store.append(StoreRows.request(1, day: 20_001))
        try await store.flush()
        _ = try await store.append(StoreRows.request(2))
        try await store.flush()
        try await store.close()
        let path = root + "/" + (try #require(try FolderScan(root, files: layer).segments.keys.filter { $0.hasPrefix("data/logs/") }.sorted().first))
        let segment = try Segment.open(
            path, fileSystem: SQLiteFileSystem(POSIXFileLayer()), registry: StreamRegistry(secret: StreamSecret(high: 1, low: 2)))
        #expect(segment.blocks.count == 2)
        var blob: [UInt8] = []
        switch damage {
        case .table: try segment.readBlob(.head(.traceBlocks, 0), into: &blob)
        case .block: try segment.readBlob(.directory(1), into: &blob)
        case .header: try segment.readBlob(.head(.header, 0), into: &blob)
        }
        segment.file.closeConnections()
        let contents = try layer.contents(path, limit: 1 << 30)
        let place = try #require((0...(contents.count - blob.count)).first { contents[$0..<($0 + blob.count)].elementsEqual(blob) })
        let file = try layer.open(path, .readWrite)
        try layer.write(file, at: Int64(place + blob.count - 2), [contents[place + blob.count - 2] ^ 4].span)
        try layer.synchronize(file, all: true)
        try layer.close(file)
        return try layer.contents(path, limit: 1 << 30)
    }

    /// The log records that answer before and after a salvage.
    private func logs(_ damage: Damage) -> (before: [Int], after: [Int]) {
        let (first, second, third) = (StoreRows.expected(0), StoreRows.expected(1), StoreRows.expected(2))
        return switch damage {
        case .table: (first + second + third, first + second + third)
        case .block: (first + third, first + third)
        case .header: (third, first + second + third)
        }
    }

    /// The files in the folder's `data` that have some bytes.
    private func copies(of bytes: [UInt8], _ folder: String) throws -> [String] {
        let files = POSIXFileLayer()
        var found: [String] = []
        var folders = [folder + "/data"]
        while let next = folders.popLast() {
            for name in try files.list(next) {
                let path = next + "/" + name
                // The store may unlink what was listed a moment ago.
                guard let status = try files.status(path) else { continue }
                if status.isDirectory {
                    folders.append(path)
                    continue
                }
                do {
                    if try files.contents(path, limit: 1 << 30) == bytes { found.append(path) }
                } catch {
                    if try files.status(path) != nil { throw error }
                }
            }
        }
        return found
    }

    /// What happens to hot.db besides the crash.
    enum Mishap: CaseIterable, Sendable {
        case none, deleted, replaced
    }

    /// Looks over two starts at what an image has, and salvages it once more.
    private func check(_ image: String, _ damage: Damage, _ bytes: [UInt8], isReplaced: Bool?, isRebuilt: Bool = false, _ note: String) async throws {
        let (before, after) = logs(damage)
        for attempt in 1...2 {
            let store = try await SQLiteStore.open(folder: image, options: options)
            let found = try await StoreRows.contents(of: store)
            #expect(found.logs == before || found.logs == after, "\(note), start \(attempt): \(found.logs)")
            if isReplaced == true { #expect(found.logs == after, "\(note), start \(attempt): \(found.logs)") }
            #expect(found.samples == (0..<3).flatMap { StoreRows.expected($0) }, "\(note), start \(attempt): \(found.samples)")
            #expect(try !copies(of: bytes, image).isEmpty, "\(note), start \(attempt): the damaged file is gone")
            try await store.stop(flushing: false)
        }
        let store = try await SQLiteStore.open(folder: image, options: options)
        let report = try await store.salvage()
        #expect(report.failures.isEmpty, "\(note): \(report.failures)")
        #expect(store.statistics.quarantinedFiles == 0, "\(note)")
        try await settle(store, bytes, image)
        // A rebuild without the manifest puts aside what does not say what it is.
        if isReplaced != nil || damage != .header {
            #expect(try await StoreRows.contents(of: store).logs == after, "\(note): a salvage more")
        }
        let kept = try copies(of: bytes, image)
        #expect(!kept.isEmpty && kept.allSatisfy { $0.hasPrefix(image + "/data/unknown/") }, "\(note): \(kept)")
        // A rebuild puts a file without a readable header aside once more.
        if !isRebuilt || damage != .header { #expect(kept.count == 1, "\(note): \(kept)") }
        try await store.close()
    }

    /// Waits until a damaged file is nowhere but in `data/unknown`: the thread that wrote its successor may hold it a moment longer, and it is unlinked when nobody does.
    private func settle(_ store: SQLiteStore, _ bytes: [UInt8], _ folder: String) async throws {
        try await store.flush()
        let deadline = ContinuousClock.now + .seconds(20)
        while try !copies(of: bytes, folder).allSatisfy({ $0.hasPrefix(folder + "/data/unknown/") }), ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(5))
            try await store.flush()
        }
    }

    @Test(arguments: Damage.allCases)
    func rowsAnswerAfterAnyOperation(_ damage: Damage) async throws {
        let folder = try TemporaryFolder()
        let root = try folder.folder("live")
        let layer = RecordingFileLayer(root: root)
        let bytes = try await prepare(root, layer, damage)
        let store = try await SQLiteStore.open(folder: root, options: options, files: layer)
        let begun = layer.operations.count
        let receipts = try await store.salvage().receipts
        let acknowledged = layer.operations.count
        #expect(receipts.count == 1 && receipts[0].lostRows == (damage == .block ? 2 : 0), "\(receipts)")
        try await settle(store, bytes, root)
        try await store.stop(flushing: false)
        let operations = layer.operations
        for count in stride(from: begun, through: operations.count, by: powerCutStep(3)) {
            let image = try folder.folder("image")
            try PowerCut.image(of: Array(operations.prefix(count)), after: count, seed: UInt64(count), into: image)
            try await check(image, damage, bytes, isReplaced: count >= acknowledged, "\(damage), after \(count) of \(begun)...\(operations.count)")
        }
    }

    @Test(arguments: [CrashPoint.segmentWriting, .salvageKept, .salvageRenamed, .salvageCommitted, .deadUnlinked], Mishap.allCases)
    func crashPoints(_ point: CrashPoint, _ mishap: Mishap) async throws {
        for damage in Damage.allCases {
            let folder = try TemporaryFolder()
            let root = try folder.folder("live")
            let base = POSIXFileLayer()
            let layer = RecordingFileLayer(root: root)
            let bytes = try await prepare(root, layer, damage)
            let older = try folder.folder("older")
            for name in try base.list(root) where name.hasPrefix("hot-") { try base.copy(root + "/" + name, to: older + "/" + name) }
            let isArmed = Atomic(false)
            let points = CrashPoints { reached in
                if reached == point, isArmed.load(ordering: .relaxed) { layer.cutPower() }
            }
            let store = try await SQLiteStore.open(folder: root, options: options, files: layer, crashPoints: points)
            isArmed.store(true, ordering: .relaxed)
            do {
                let report = try await store.salvage()
                if report.failures.isEmpty { try await store.flush() }
                // The thread that wrote the new file may hold the old one a moment longer, which is unlinked when nobody does.
                let deadline = ContinuousClock.now + .seconds(20)
                while report.failures.isEmpty, !layer.isCut, ContinuousClock.now < deadline {
                    try await Task.sleep(for: .milliseconds(5))
                    try await store.flush()
                }
            } catch {
                #expect(layer.isCut, "\(error)")
            }
            #expect(layer.isCut, "the point is never reached")
            do {
                try await store.stop(flushing: false)
            } catch {
                // The layer is dead; the threads are gone all the same.
            }
            for seed in 0..<2 as Range<UInt64> {
                let image = try folder.folder("image")
                try PowerCut.image(of: layer.operations, after: layer.operations.count, seed: seed, into: image)
                if mishap != .none {
                    for name in try base.list(image) where name.hasPrefix("hot-") { try base.unlink(image + "/" + name) }
                }
                if mishap == .replaced {
                    for name in try base.list(older) { try base.copy(older + "/" + name, to: image + "/" + name) }
                }
                let isReplaced = point == .salvageCommitted || point == .deadUnlinked
                let note = "\(damage), \(point), \(mishap), seed \(seed)"
                try await check(image, damage, bytes, isReplaced: mishap == .none || isReplaced ? isReplaced : nil, isRebuilt: mishap != .none, note)
            }
        }
    }

    @Test func aFileThatCannotBeWrittenLeavesAllAsItWas() async throws {
        let folder = try TemporaryFolder()
        let root = try folder.folder("live")
        let layer = RecordingFileLayer(root: root)
        let bytes = try await prepare(root, layer, .block)
        let store = try await SQLiteStore.open(folder: root, options: options, files: layer)
        layer.refuseFiles(below: root + "/data/logs/new")
        var report = try await store.salvage()
        #expect(report.receipts.isEmpty && report.failures.count == 1, "\(report)")
        #expect(try await StoreRows.contents(of: store).logs == logs(.block).before)
        layer.refuseFiles(below: nil)
        report = try await store.salvage()
        #expect(report.receipts.count == 1 && report.failures.isEmpty, "\(report)")
        try await settle(store, bytes, root)
        #expect(try copies(of: bytes, root) == [root + "/" + report.receipts[0].kept], "the copy of the first attempt serves again")
        #expect(try await StoreRows.contents(of: store).logs == logs(.block).after)
        try await store.close()
    }
}
