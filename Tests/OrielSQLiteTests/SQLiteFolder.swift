@testable import OrielSQLite
import OrielStore
import OrielStoreConformance

/// A folder of its own for a store, removed when the test is over.
final class SQLiteFolder: StoreFactory {
    let path: String
    private let options: StoreOptions
    private let isForgetful: Bool

    /// Options under which seals, flushes and merges happen all the time.
    static var busy: StoreOptions {
        var options = StoreOptions()
        options.sealRows = 50
        options.sealBytes = 20_000
        options.flushBytes = 4_000
        options.checkpointBytes = 200_000
        return options
    }

    /// - Parameter isForgetful: Whether the store forgets its streams again and again.
    init(_ options: StoreOptions = StoreOptions(), isForgetful: Bool = false) throws {
        self.options = options
        self.isForgetful = isForgetful
        path = "/tmp/oriel-store-\(UInt64.random(in: 0...UInt64.max))"
        try POSIXFileLayer().createDirectory(path)
    }

    deinit {
        do {
            try SQLiteFolder.remove(path)
        } catch {
            print("left behind: \(path): \(error)")
        }
    }

    private static func remove(_ path: String) throws {
        let layer = POSIXFileLayer()
        guard let status = try layer.status(path) else { return }
        guard status.isDirectory else { return try layer.unlink(path) }
        for name in try layer.list(path) { try remove(path + "/" + name) }
        try layer.removeDirectory(path)
    }

    func open() async throws -> any TelemetryStore {
        let store = try await SQLiteStore.open(folder: path, options: options)
        if isForgetful {
            Task { [weak store] in
                while await store?.forgetStreams(.everything) ?? false { await Task.yield() }
            }
        }
        return store
    }

    func abandon(_ store: any TelemetryStore) async throws {
        guard let store = store as? SQLiteStore else { return }
        try await store.stop(flushing: false)
    }
}
