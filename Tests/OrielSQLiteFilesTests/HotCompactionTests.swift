import OrielStore
import OrielTelemetry
import Synchronization
import Testing

@testable import OrielSQLite

/// hot.db is written anew at an opening when most of it is free pages.
struct HotCompactionTests {
    private var options: StoreOptions {
        var options = StoreRows.options
        options.hotCompactionBytes = 256 << 10
        return options
    }

    /// A store with files, redo of its own and a hot.db that is mostly empty.
    private func fill(_ root: String, _ layer: any FileLayer) async throws {
        let store = try await SQLiteStore.open(folder: root, options: StoreRows.options, files: layer)
        for number in 0..<21 { _ = try await store.append(StoreRows.request(number, count: 10, noise: 4000)) }
        try await store.flush()
        let deadline = Timestamp(nanoseconds: Timestamp.now.nanoseconds + 20_000_000_000)
        while store.statistics.redoBytes > 0, Timestamp.now < deadline { try await Task.sleep(for: .milliseconds(20)) }
        try #require(store.statistics.redoBytes == 0)
        _ = try await store.append(StoreRows.request(21, count: 10, key: RequestKey(high: 1, low: 3)))
        try await store.stop(flushing: false)
    }

    private let expected = (0..<22).flatMap { StoreRows.expected($0, count: 10) }

    @Test func keepsEverythingInLess() async throws {
        let folder = try TemporaryFolder()
        let layer = POSIXFileLayer()
        try await fill(folder.path, layer)
        let before = try #require(try layer.status(folder.path + "/hot-1.db")).size
        #expect(before > 256 << 10)
        let store = try await SQLiteStore.open(folder: folder.path, options: options)
        #expect(try !layer.exists(folder.path + "/hot-1.db"))
        #expect(try #require(try layer.status(folder.path + "/hot-2.db")).size < before / 4)
        #expect(store.statistics.recovery == RecoveryReport())
        let found = try await StoreRows.contents(of: store)
        #expect(found.logs == expected)
        #expect(found.samples == expected)
        // Request keys came along.
        #expect(try await store.append(StoreRows.request(21, count: 10, key: RequestKey(high: 1, low: 3))).isDuplicate)
        try await store.close()
        let again = try await SQLiteStore.open(folder: folder.path, options: options)
        #expect(try await StoreRows.contents(of: again).logs == expected)
        try await again.close()
    }

    @Test(arguments: [CrashPoint.hotCreated, .hotCompleted, .lockWritten])
    func survivesAPowerCut(_ point: CrashPoint) async throws {
        let folder = try TemporaryFolder()
        let root = try folder.folder("live")
        let layer = RecordingFileLayer(root: root)
        try await fill(root, layer)
        let points = CrashPoints { if $0 == point { layer.cutPower() } }
        await #expect(throws: StoreError.self) {
            _ = try await SQLiteStore.open(folder: root, options: options, files: layer, crashPoints: points)
        }
        #expect(layer.isCut)
        for seed in 0..<4 as Range<UInt64> {
            let image = try folder.folder("image")
            try PowerCut.image(of: layer.operations, after: layer.operations.count, seed: seed, into: image)
            let store = try await SQLiteStore.open(folder: image, options: options)
            let found = try await StoreRows.contents(of: store)
            #expect(found.logs == expected, "seed \(seed)")
            #expect(found.samples == expected, "seed \(seed)")
            #expect(!store.statistics.recovery.isRebuilt)
            try await store.stop(flushing: false)
        }
    }
}
