import OrielStore
import OrielTelemetry
import Testing

@testable import OrielSQLite

/// Stores that older versions have made.
struct UpgradeTests {
    private let options = StoreRows.options
    private let floor = Timestamp(nanoseconds: 20_000 * 86_400_000_000_000 + 1)

    /// A store whose app.db knows floors and nothing else, and whose hot.db has no checksums besides those of its blobs.
    private func makeOlderStore(_ path: String, _ layer: any FileLayer) async throws {
        let store = try await SQLiteStore.open(folder: path, options: options, files: layer)
        _ = try await store.append(StoreRows.request(0))
        try await store.flush()
        _ = try await store.append(StoreRows.request(1))
        try await store.retain(.logs, from: floor)
        try await store.stop(flushing: false)
        let fileSystem = SQLiteFileSystem(layer)
        let app = try AppDatabase.open(path, fileSystem: fileSystem)
        for table in ["token", "tombstone", "pin", "pinfile"] { try app.execute("DROP TABLE \(table)") }
        try app.pragma("user_version", "1")
        try app.close()
        let hot = try Connection(path + "/hot-1.db", .readWrite, fileSystem: fileSystem)
        try hot.pragma("locking_mode", "EXCLUSIVE")
        try hot.execute("DELETE FROM meta WHERE k = 'checksum'")
        for table in ["redo", "streams", "seen", "segment", "tombstone", "state"] {
            try hot.execute("UPDATE \(table) SET data = substr(data, 1, length(data) - 4)")
        }
        try hot.close()
    }

    private func check(_ path: String, _ note: String) async throws {
        for attempt in 1...2 {
            let store = try await SQLiteStore.open(folder: path, options: options)
            let found = try await StoreRows.contents(of: store)
            #expect(found.logs == [1, 1000, 1001] && found.samples == [0, 1, 1000, 1001], "\(note), start \(attempt): \(found)")
            #expect(store.statistics.recovery.isEmpty, "\(note): \(store.statistics.recovery)")
            #expect(store.statistics.signals[.logs]?.floor == floor)
            if attempt == 1 {
                // All that came with later versions works.
                _ = try await store.pin(PinSelection(signals: [.logs]), note: "")
                #expect(try await store.tokens().isEmpty)
                try await store.flush()
            }
            try await store.stop(flushing: false)
            #expect(try AppDatabase.format(path + "/app.db", files: POSIXFileLayer()) == AppDatabase.format)
        }
    }

    @Test func anOlderStoreIsUpgradedInPlace() async throws {
        let folder = try TemporaryFolder()
        let path = try folder.folder("s")
        try await makeOlderStore(path, POSIXFileLayer())
        try await check(path, "an older store")
    }

    @Test func anUpgradeSurvivesAPowerCutAfterAnyOperation() async throws {
        let folder = try TemporaryFolder()
        let root = try folder.folder("live")
        let layer = RecordingFileLayer(root: root)
        try await makeOlderStore(root, layer)
        let begun = layer.operations.count
        let store = try await SQLiteStore.open(folder: root, options: options, files: layer)
        try await store.stop(flushing: false)
        let operations = layer.operations
        for count in stride(from: begun, through: operations.count, by: 2) {
            let image = try folder.folder("image")
            try PowerCut.image(of: Array(operations.prefix(count)), after: count, seed: UInt64(count), into: image)
            try await check(image, "after \(count - begun) of \(operations.count - begun) operations")
        }
    }
}
