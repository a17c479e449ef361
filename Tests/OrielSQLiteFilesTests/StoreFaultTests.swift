import Glibc
import OrielStore
import OrielTelemetry
import Testing

@testable import OrielSQLite

/// Lets each kind of file operation fail at some point of a store's life: what was acknowledged stays, and the store keeps working or says that it does not.
struct StoreFaultTests {
    enum Kind: CaseIterable, Sendable {
        case inputOutput
        case full
        case shortWrite

        var fault: FileFault {
            switch self {
            case .inputOutput: .failure(EIO)
            case .full: .failure(ENOSPC)
            case .shortWrite: .shortWrite
            }
        }
    }

    private func life(_ root: String, _ layer: RecordingFileLayer) async -> [Int] {
        var acknowledged: [Int] = []
        do {
            let store = try await SQLiteStore.open(folder: root, options: StoreRows.options, files: layer)
            for number in 0..<12 {
                do {
                    _ = try await store.append(StoreRows.request(number, day: 20_000 + Int64(number % 2)))
                    acknowledged.append(number)
                    if number % 2 == 1 {
                        try await store.flush()
                    }
                    // Whatever failed, what was acknowledged answers.
                    let found = try await StoreRows.contents(of: store).logs
                    let expected = acknowledged.flatMap { StoreRows.expected($0) }
                    #expect(found == expected)
                } catch {
                    continue
                }
            }
            try await store.stop(flushing: false)
        } catch {
            // It did not open: nothing was acknowledged.
        }
        return acknowledged
    }

    @Test(arguments: Kind.allCases)
    func anyOperationMayFail(_ kind: Kind) async throws {
        let folder = try TemporaryFolder()
        let count: Int
        do {
            let root = try folder.folder("whole")
            let layer = RecordingFileLayer(root: root)
            let acknowledged = await life(root, layer)
            #expect(acknowledged == Array(0..<12))
            count = layer.attemptCount
        }
        let step = 13
        for attempt in stride(from: Kind.allCases.firstIndex(of: kind) ?? 0, to: count, by: step) {
            let root = try folder.folder("live")
            let layer = RecordingFileLayer(root: root)
            layer.inject(kind.fault, at: attempt)
            let acknowledged = await life(root, layer)
            let store = try await SQLiteStore.open(folder: root, options: StoreRows.options)
            let found = try await StoreRows.contents(of: store)
            let numbers = Set(found.logs.map { $0 / 1000 })
            #expect(found.logs == numbers.sorted().flatMap { StoreRows.expected($0) }, "operation \(attempt): a request in part or twice")
            #expect(found.samples == found.logs, "operation \(attempt)")
            #expect(numbers.isSuperset(of: acknowledged), "operation \(attempt): \(numbers.sorted()) of \(acknowledged)")
            try await store.stop(flushing: false)
        }
    }

    @Test func aFlushThatFailsIsTriedAgain() async throws {
        let folder = try TemporaryFolder()
        let layer = RecordingFileLayer(root: folder.path)
        let store = try await SQLiteStore.open(folder: folder.path, options: StoreRows.options, files: layer)
        _ = try await store.append(StoreRows.request(1))
        // Past the transaction that enters the files: into the writing of the first one.
        layer.inject(.failure(ENOSPC), at: layer.attemptCount + 12)
        await #expect(throws: StoreError.self) { try await store.flush() }
        #expect(!store.statistics.isReadOnly)
        _ = try await store.append(StoreRows.request(2))
        try await store.flush()
        #expect(store.statistics.signals[.logs]?.unflushedRows == 0)
        let found = try await StoreRows.contents(of: store).logs
        #expect(found == StoreRows.expected(1) + StoreRows.expected(2))
        try await store.close()
    }

    @Test func aCommitWithoutSpaceIsRefusedAndTheNextOneGoesWell() async throws {
        let folder = try TemporaryFolder()
        let layer = RecordingFileLayer(root: folder.path)
        let store = try await SQLiteStore.open(folder: folder.path, options: StoreRows.options, files: layer)
        var acknowledged: [Int] = []
        var refused = 0
        for number in 0..<40 {
            // Each write of a commit in turn, in the log's header, in frames, in the last one.
            layer.inject(number % 2 == 0 ? .failure(ENOSPC) : .shortWrite, at: layer.attemptCount + number / 2 % 10)
            do {
                _ = try await store.append(StoreRows.request(number, key: RequestKey(high: 0, low: UInt64(number))))
                acknowledged.append(number)
            } catch {
                // A fault that met the synchronisation is never forgiven.
                if case .diskFull = error { refused += 1 } else { break }
            }
        }
        let expected = acknowledged.flatMap { StoreRows.expected($0) }
        #expect(try await StoreRows.contents(of: store).logs == expected)
        #expect(refused > 0)
        try await store.stop(flushing: false)
        let reopened = try await SQLiteStore.open(folder: folder.path, options: StoreRows.options)
        let found = try await StoreRows.contents(of: reopened)
        #expect(found.logs == expected)
        #expect(found.samples == expected)
        try await reopened.close()
    }
}
