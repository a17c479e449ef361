import OrielStore
import OrielTelemetry
import Synchronization
import Testing

@testable import OrielSQLite

/// Cuts the power while a backup replaces an earlier one: the folder restores as one of the two, and the store has lost nothing.
struct BackupPowerCutTests {
    private let options = StoreRows.options

    private func append(_ store: SQLiteStore, _ numbers: Range<Int>) async throws {
        for number in numbers { _ = try await store.append(StoreRows.request(number, day: 20_000 + Int64(number % 2))) }
    }

    /// How many requests a store has, all whole.
    private func requestCount(_ folder: String, of count: Int) async throws -> Int? {
        let store = try await SQLiteStore.open(folder: folder, options: options)
        let found = try await StoreRows.contents(of: store)
        try await store.stop(flushing: false)
        return (0...count).first { count in
            let rows = (0..<count).flatMap { StoreRows.expected($0) }
            return found.logs == rows && found.samples == rows
        }
    }

    /// Looks at what a start, and a restore, find in an image of both folders.
    ///
    /// - Parameter wanted: how many requests the backup may have.
    private func check(_ image: String, _ restored: String, wanted: Set<Int>, all: Int, _ note: String) async throws {
        _ = try await Restore.run(image + "/backup", to: restored + "/data")
        let found = try await requestCount(restored + "/data", of: all)
        #expect(wanted.contains(found ?? -1), "\(note): the backup has \(found.map { "\($0)" } ?? "parts of") requests, \(wanted) are expected")
        #expect(try await requestCount(image + "/store", of: all) == all, "\(note): the store lost rows")
    }

    /// Three requests and a backup of them, then three more.
    private func prepare(_ root: String, _ layer: RecordingFileLayer, _ points: CrashPoints = CrashPoints()) async throws -> SQLiteStore {
        try layer.createDirectory(root + "/store")
        try layer.synchronizeDirectory(root)
        let store = try await SQLiteStore.open(folder: root + "/store", options: options, files: layer, crashPoints: points)
        try await append(store, 0..<2)
        try await store.flush()
        try await append(store, 2..<3)
        _ = try await store.backup(to: root + "/backup")
        try await append(store, 3..<5)
        // The merge leaves files that the earlier backup alone has.
        for _ in 0..<2 { try await store.flush() }
        try await append(store, 5..<6)
        return store
    }

    @Test func oneOfTwoBackupsIsWholeAfterAnyOperation() async throws {
        let folder = try TemporaryFolder()
        let root = try folder.folder("live")
        let layer = RecordingFileLayer(root: root)
        let store = try await prepare(root, layer)
        let begun = layer.operations.count
        _ = try await store.backup(to: root + "/backup")
        let complete = layer.operations.count
        try await store.stop(flushing: false)
        let operations = layer.operations
        for count in begun...complete {
            let image = try folder.folder("image")
            try PowerCut.image(of: Array(operations.prefix(count)), after: count, seed: UInt64(count), into: image)
            try await check(
                image, folder.folder("restored"), wanted: count == begun ? [3] : count == complete ? [6] : [3, 6], all: 6,
                "after \(count - begun) of \(complete - begun) operations")
        }
    }

    @Test(arguments: [CrashPoint.backupCopied, .backupComplete])
    func crashPoints(_ point: CrashPoint) async throws {
        let folder = try TemporaryFolder()
        let root = try folder.folder("live")
        let layer = RecordingFileLayer(root: root)
        let count = Atomic(0)
        let points = CrashPoints { reached in
            // The first backup gets through.
            if reached == point, count.add(1, ordering: .relaxed).newValue == 2 { layer.cutPower() }
        }
        let store = try await prepare(root, layer, points)
        do {
            _ = try await store.backup(to: root + "/backup")
        } catch {
            #expect(layer.isCut, "\(error)")
        }
        #expect(layer.isCut, "the point is never reached")
        do {
            try await store.stop(flushing: false)
        } catch {
            // The layer is dead; the threads are gone all the same.
        }
        for seed in 0..<3 as Range<UInt64> {
            let image = try folder.folder("image")
            try PowerCut.image(of: layer.operations, after: layer.operations.count, seed: seed, into: image)
            try await check(image, folder.folder("restored"), wanted: point == .backupCopied ? [3] : [6], all: 6, "\(point), seed \(seed)")
        }
    }
}
