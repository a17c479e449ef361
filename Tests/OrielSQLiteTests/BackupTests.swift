import OrielStore
import OrielStoreConformance
import OrielTelemetry
import Synchronization
import Testing

@testable import OrielSQLite

@Suite("Backup and restore")
struct BackupTests {
    private let files = POSIXFileLayer()

    private func open(_ folder: String, _ options: StoreOptions = SpanFiles.options) async throws -> SQLiteStore {
        try await SQLiteStore.open(folder: folder, options: options)
    }

    /// All rows of all signals, printed.
    private func rows(_ store: any TelemetryStore) async throws -> [Signal: [RowText]] {
        let snapshot = try store.snapshot()
        var found: [Signal: [RowText]] = [:]
        for signal in Signal.allCases {
            let cursor = try snapshot.scan(ScanPlan(signal: signal, order: .streamThenTime))
            var texts: [RowText] = []
            while let batch = try await cursor.next() { texts += batch.rowTexts }
            found[signal] = texts
        }
        return found
    }

    @Test("a restored store equals the source row by row", arguments: [1, 2, 3])
    func allSignals(seed: Int) async throws {
        let (source, place) = (try SQLiteFolder(), try SQLiteFolder())
        let store = try await open(source.path)
        var generator = TelemetryGenerator(seed: UInt64(seed))
        for round in 0..<12 {
            _ = try await store.append(generator.writeSet(rows: 60))
            if round % 4 == 3 { try await store.flush() }
        }
        // Rows that are only in redo.
        _ = try await store.append(generator.writeSet(rows: 60))
        let report = try await store.backup(to: place.path + "/backup")
        let expected = try await rows(store)
        let families = try await store.snapshot().families()
        _ = try await store.append(generator.writeSet(rows: 60))
        try await store.close()

        let restored = try await Restore.run(place.path + "/backup", to: place.path + "/data")
        #expect(restored.files == report.files)
        #expect(restored.bytes == report.bytes)
        let copy = try await open(place.path + "/data")
        #expect(copy.statistics.recovery.isEmpty)
        let found = try await rows(copy)
        for signal in Signal.allCases { #expect(found[signal] == expected[signal], "\(signal), seed \(seed)") }
        #expect(try await copy.snapshot().families() == families)
        // It goes on as a store of its own.
        _ = try await copy.append(generator.writeSet(rows: 60))
        try await copy.close()
        withExtendedLifetime((source, place)) {}
    }

    @Test("under load everything acknowledged before is in it, and no request in part")
    func underLoad() async throws {
        let (source, place) = (try SQLiteFolder(), try SQLiteFolder())
        var options = SQLiteFolder.busy
        options.appliesRetention = false
        let store = try await open(source.path, options)
        let acknowledged = Mutex(0)
        let isDone = Mutex(false)
        let writer = Task {
            var round = 0
            while !isDone.withLock({ $0 }) {
                do throws(StoreError) {
                    _ = try await store.append(SpanFiles.spans(0..<3, rows: 20, from: round * 20))
                } catch {
                    // A store that is behind says so, and its clients send the request again.
                    guard case .overloaded = error else { throw error }
                    continue
                }
                round += 1
                acknowledged.withLock { $0 = round }
            }
        }
        var counts: [(before: Int, rows: Int)] = []
        for number in 0..<4 {
            let wanted = (number + 1) * 25
            while acknowledged.withLock({ $0 }) < wanted { await Task.yield() }
            let before = acknowledged.withLock { $0 }
            _ = try await store.backup(to: place.path + "/backup")
            let folder = place.path + "/data-\(number)"
            _ = try await Restore.run(place.path + "/backup", to: folder)
            let copy = try await open(folder)
            counts.append((before, try await SpanFiles.rows(copy, ScanPlan(signal: .spans)).count))
            try await copy.close()
        }
        isDone.withLock { $0 = true }
        try await writer.value
        for count in counts {
            #expect(count.rows % 60 == 0)
            #expect(count.rows >= count.before * 60)
        }
        try await store.close()
        withExtendedLifetime((source, place)) {}
    }

    @Test("a second backup takes only what is new, and a file that fails its check is taken again")
    func incremental() async throws {
        let (source, place) = (try SQLiteFolder(), try SQLiteFolder())
        let backup = place.path + "/backup"
        let store = try await open(source.path)
        _ = try await store.append(SpanFiles.spans(0..<3))
        try await store.flush()
        let first = try await store.backup(to: backup)
        #expect(first.linkedFiles + first.copiedFiles == first.files)
        let second = try await store.backup(to: backup)
        #expect(second.linkedFiles == 0)
        #expect(second.copiedFiles == 2)
        #expect(second.files == first.files)

        let manifest = try #require(try BackupManifest.read(backup, files: files))
        let path = backup + "/" + (try #require(manifest.files.first { $0.path.hasSuffix(".seg") })).path
        try files.unlink(path)
        try files.replace(path, with: [1, 2, 3])
        let third = try await store.backup(to: backup)
        #expect(third.files == second.files)
        #expect(third.linkedFiles + third.copiedFiles == 3)
        try await store.close()
        _ = try await Restore.run(backup, to: place.path + "/data")
        withExtendedLifetime((source, place)) {}
    }

    @Test("a backup that is cut off leaves the earlier one usable")
    func cutOff() async throws {
        let (source, place) = (try SQLiteFolder(), try SQLiteFolder())
        let backup = place.path + "/backup"
        struct Stop: Error {}
        let store = try await SQLiteStore.open(folder: source.path, options: SpanFiles.options, files: files)
        _ = try await store.append(SpanFiles.spans(0..<2))
        try await store.flush()
        _ = try await store.backup(to: backup)
        let expected = try await rows(store)
        try await store.close()

        // What a backup that never came to its manifest leaves.
        try files.createDirectory(backup + "/state-2")
        try files.replace(backup + "/state-2/hot-1.db", with: [0])
        try files.createDirectory(backup + "/data/logs")
        try files.replace(backup + "/data/logs/77.seg.tmp", with: [0])
        _ = try await Restore.run(backup, to: place.path + "/data")
        let copy = try await open(place.path + "/data")
        #expect(try await rows(copy) == expected)
        // The next one clears it away.
        _ = try await copy.backup(to: backup)
        #expect(try files.list(backup) == ["LOCK", "MANIFEST", "data", "state-3"])
        #expect(try !files.exists(backup + "/data/logs/77.seg.tmp"))
        try await copy.close()
        withExtendedLifetime((source, place)) {}
    }

    @Test("folders that hold something else are refused, and damage of a backup is found")
    func refusals() async throws {
        let (source, place) = (try SQLiteFolder(), try SQLiteFolder())
        let backup = place.path + "/backup"
        let store = try await open(source.path)
        _ = try await store.append(SpanFiles.spans(0..<2))
        try await store.flush()
        try files.replace(place.path + "/letter", with: [1])
        for target in [place.path, source.path, source.path + "/inside", "relative"] {
            await #expect(throws: StoreError.self, "\(target)") { try await store.backup(to: target) }
        }
        _ = try await store.backup(to: backup)
        try await store.close()

        let other = try SQLiteFolder()
        let second = try await open(other.path)
        await #expect(throws: StoreError.self) { try await second.backup(to: backup) }
        try await second.close()
        await #expect(throws: StoreError.self) { try await Restore.run(backup, to: place.path) }
        await #expect(throws: StoreError.self) { try await Restore.run(place.path, to: place.path + "/data") }
        await #expect(throws: StoreError.self) { try await SQLiteStore.open(folder: backup) }

        let manifest = try #require(try BackupManifest.read(backup, files: files))
        let path = backup + "/" + (try #require(manifest.files.last)).path
        var bytes = try files.contents(path, limit: 1 << 30)
        let original = bytes
        bytes[bytes.count / 2] ^= 4
        try files.unlink(path)
        try files.replace(path, with: bytes)
        await #expect(throws: StoreError.self) { try await Restore.run(backup, to: place.path + "/data") }
        // The folder of a restore that failed opens for nobody, and can be restored into again.
        await #expect(throws: StoreError.self) { try await SQLiteStore.open(folder: place.path + "/data") }
        try files.replace(path, with: original)
        _ = try await Restore.run(backup, to: place.path + "/data")
        let copy = try await open(place.path + "/data")
        #expect(try await SpanFiles.rows(copy, ScanPlan(signal: .spans)).count == 2 * SpanFiles.rowsPerDay)
        try await copy.close()
        withExtendedLifetime((source, place, other)) {}
    }

    @Test("bytes that are no manifest are refused")
    func manifests() throws {
        var manifest = BackupManifest(store: "00", generation: 3, taken: Timestamp(nanoseconds: 5), sequence: 7)
        manifest.files = [.init(checksum: 1, byteCount: 2, path: "data/logs/1.seg", restoredPath: "data/logs/1.seg")]
        let bytes = manifest.encoded
        #expect(try BackupManifest(encoded: bytes) == manifest)
        var random = SplitMix64(seed: 11)
        for _ in 0..<500 {
            var changed = bytes
            if random.oneIn(2) {
                changed[random.below(changed.count)] ^= 1 << UInt8(random.below(8))
            } else {
                changed.removeLast(1 + random.below(changed.count))
            }
            #expect(throws: BackupManifest.Malformed.self) { try BackupManifest(encoded: changed) }
        }
        manifest.files[0].restoredPath = "../../etc/passwd"
        #expect(throws: BackupManifest.Malformed.self) { try BackupManifest(encoded: manifest.encoded) }
    }
}
