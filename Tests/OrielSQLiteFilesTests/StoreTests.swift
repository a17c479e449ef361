import OrielStore
import OrielTelemetry
import Testing

@testable import OrielSQLite

struct StoreTests {
    private func expect(_ store: SQLiteStore, _ numbers: some Sequence<Int>, _ note: Comment? = nil) async throws {
        let rows = numbers.flatMap { StoreRows.expected($0) }.sorted()
        let found = try await StoreRows.contents(of: store)
        #expect(found.logs == rows, note)
        #expect(found.samples == rows, note)
    }

    @Test func rowsAreThereAtOnceAndAfterEveryKindOfRestart() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/deep/er"
        var store = try await SQLiteStore.open(folder: path, options: StoreRows.options)
        var last = CommitSequence.zero
        for number in 0..<5 {
            let receipt = try await store.append(StoreRows.request(number))
            #expect(receipt.sequence > last && receipt.rejected.isEmpty)
            last = receipt.sequence
        }
        try await expect(store, 0..<5, "in memory")

        try await store.stop(flushing: false)
        store = try await SQLiteStore.open(folder: path, options: StoreRows.options)
        try await expect(store, 0..<5, "replayed")
        #expect(try await store.append(StoreRows.request(5)).sequence > last)
        try await store.flush()
        try await expect(store, 0..<6, "flushed")
        _ = try await store.append(StoreRows.request(6))
        try await expect(store, 0..<7, "file and memory")

        try await store.stop(flushing: false)
        store = try await SQLiteStore.open(folder: path, options: StoreRows.options)
        try await expect(store, 0..<7, "file and redo")
        try await store.close()
        #expect(throws: StoreError.closed) { try store.snapshot() }
        await #expect(throws: StoreError.closed) { try await store.append(StoreRows.request(7)) }

        store = try await SQLiteStore.open(folder: path, options: StoreRows.options)
        try await expect(store, 0..<7, "files")
        #expect(store.statistics.signals[.logs]?.unflushedRows == 0)
        try await store.close()
    }

    @Test func aFolderHasOneOwner() async throws {
        let folder = try TemporaryFolder()
        let store = try await SQLiteStore.open(folder: folder.path, options: StoreRows.options)
        let error = await #expect(throws: StoreError.self) { try await SQLiteStore.open(folder: folder.path, options: StoreRows.options) }
        guard case .locked = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        try await store.close()
        try await SQLiteStore.open(folder: folder.path, options: StoreRows.options).close()
    }

    @Test func manyRequestsShareCommits() async throws {
        let folder = try TemporaryFolder()
        let store = try await SQLiteStore.open(folder: folder.path, options: StoreRows.options)
        try await withThrowingTaskGroup { group in
            for number in 0..<60 {
                group.addTask { _ = try await store.append(StoreRows.request(number)) }
            }
            try await group.waitForAll()
        }
        try await expect(store, 0..<60)
        #expect(store.statistics.commits < 60)
        try await store.stop(flushing: false)
        let again = try await SQLiteStore.open(folder: folder.path, options: StoreRows.options)
        try await expect(again, 0..<60)
        try await again.close()
    }

    @Test func aRetriedRequestIsStoredOnce() async throws {
        let folder = try TemporaryFolder()
        var store = try await SQLiteStore.open(folder: folder.path, options: StoreRows.options)
        let key = RequestKey(high: 1, low: 2)
        let first = try await store.append(StoreRows.request(1, key: key))
        let second = try await store.append(StoreRows.request(1, key: key))
        #expect(!first.isDuplicate && second.isDuplicate && first.sequence == second.sequence)
        try await withThrowingTaskGroup { group in
            for _ in 0..<10 {
                group.addTask { [store] in _ = try await store.append(StoreRows.request(2, key: RequestKey(high: 3, low: 4))) }
            }
            try await group.waitForAll()
        }
        try await expect(store, [1, 2])
        try await store.stop(flushing: false)
        store = try await SQLiteStore.open(folder: folder.path, options: StoreRows.options)
        let third = try await store.append(StoreRows.request(1, key: key))
        #expect(third.isDuplicate && third.sequence == first.sequence)
        try await expect(store, [1, 2])
        #expect(store.statistics.duplicateRequests == 1)
        try await store.close()
    }

    @Test func rowsOutsideTheLimitsAreRefusedAndCounted() async throws {
        let folder = try TemporaryFolder()
        var options = StoreRows.options
        options.futureBound = 1_000_000_000
        let store = try await SQLiteStore.open(folder: folder.path, options: options)
        try await store.retain(.logs, from: Timestamp(nanoseconds: 20_000 * 86_400_000_000_000 + 1001))
        let early = try await store.append(StoreRows.request(1))
        #expect(early.rejected == [.init(signal: .logs, reason: .beforeRetention, count: 1)])
        let late = try await store.append(StoreRows.request(2, day: 40_000))
        #expect(late.rejected.map(\.reason) == [.tooFarInFuture, .tooFarInFuture])
        #expect(try await StoreRows.contents(of: store).logs == [1001])
        #expect(store.statistics.signals[.logs]?.rejectedRows == 3)
        try await store.close()
    }

    @Test func changesFollowCommits() async throws {
        let folder = try TemporaryFolder()
        let store = try await SQLiteStore.open(folder: folder.path, options: StoreRows.options)
        let start = try await store.changes(after: nil, signal: .logs, deadline: .now)
        async let awaited = store.changes(after: start.position, signal: .logs, deadline: Timestamp(nanoseconds: Timestamp.now.nanoseconds + 20_000_000_000))
        _ = try await store.append(StoreRows.request(1))
        let changes = try await awaited
        #expect(changes.batches.map(\.count) == [2] && !changes.hasGap)
        try await store.flush()
        _ = try await store.append(StoreRows.request(2))
        let more = try await store.changes(after: changes.position, signal: .logs, deadline: .now)
        #expect(more.batches.map { $0.identifiers } == [[2000, 2001]])
        let none = try await store.changes(after: more.position, signal: .logs, deadline: .now)
        #expect(none.batches.isEmpty && none.position == more.position)
        try await store.close()
        await #expect(throws: StoreError.closed) {
            try await store.changes(after: more.position, signal: .logs, deadline: Timestamp(nanoseconds: .max))
        }
    }

    @Test func aFailedCommitMakesTheStoreReadOnly() async throws {
        let folder = try TemporaryFolder()
        let layer = RecordingFileLayer(root: folder.path)
        let store = try await SQLiteStore.open(folder: folder.path, options: StoreRows.options, files: layer)
        _ = try await store.append(StoreRows.request(1))
        layer.inject(.failure(5), at: layer.attemptCount)
        let error = await #expect(throws: StoreError.self) { try await store.append(StoreRows.request(2)) }
        guard case .readOnly = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        await #expect(throws: StoreError.self) { try await store.append(StoreRows.request(3)) }
        #expect(store.statistics.isReadOnly)
        try await expect(store, [1], "queries go on")
        try await store.stop(flushing: false)
        let again = try await SQLiteStore.open(folder: folder.path, options: StoreRows.options)
        let rows = try await StoreRows.contents(of: again).logs
        #expect(rows == StoreRows.expected(1) || rows == StoreRows.expected(1) + StoreRows.expected(2))
        try await again.close()
    }
}

extension ColumnBatch {
    fileprivate var identifiers: [UInt64] {
        if case .identifiers(let values) = self[.spanID] { values } else { [] }
    }
}
