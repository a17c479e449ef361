import OrielStore
import OrielTelemetry
import Testing

@testable import OrielSQLite

/// A store on a file system that is really full: it refuses, heals by itself, and loses nothing that it acknowledged.
struct FullDiskTests {
    private var options: StoreOptions {
        var options = StoreRows.options
        options.maintainsItself = true
        options.diskCheckInterval = 20_000_000
        options.freeSpaceFloor = 2 << 20
        options.ballastBytes = 1 << 20
        options.flushBytes = 2 << 20
        options.sealBytes = 1 << 20
        options.checkpointBytes = 1 << 20
        options.dropsOldestWhenFull = false
        return options
    }

    /// Waits until `condition` holds.
    private func wait(_ what: String, _ condition: () async throws -> Bool) async throws {
        let deadline = Timestamp(nanoseconds: Timestamp.now.nanoseconds + 30_000_000_000)
        while try await !condition() {
            guard Timestamp.now < deadline else {
                Issue.record("never: \(what)")
                return
            }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// Appends until the store says that the disk is full.
    private func fill(_ store: SQLiteStore, _ acknowledged: inout [Int], days: Int64 = 1) async throws {
        while true {
            let number = acknowledged.count
            do {
                _ = try await store.append(request(number, day: 20_000 + Int64(number) / 50 % days))
                acknowledged.append(number)
            } catch {
                switch error {
                case .diskFull: return
                // It is behind; that is another matter.
                case .overloaded: continue
                default: throw error
                }
            }
            try #require(number < 2000, "the disk is never full")
        }
    }

    private func request(_ number: Int, day: Int64 = 20_000) -> WriteSet {
        StoreRows.request(number, count: 2, day: day, noise: 20_000)
    }

    private func expect(_ store: SQLiteStore, holds acknowledged: [Int], _ place: SourceLocation = #_sourceLocation) async throws {
        let found = try await StoreRows.contents(of: store)
        let expected = acknowledged.flatMap { StoreRows.expected($0) }
        #expect(found.logs == expected, sourceLocation: place)
        #expect(found.samples == expected, sourceLocation: place)
    }

    /// Whether an append is taken.
    private func takes(_ store: SQLiteStore, _ acknowledged: inout [Int], day: Int64 = 20_000) async throws -> Bool {
        let number = acknowledged.count
        do {
            _ = try await store.append(request(number, day: day))
        } catch {
            guard case .diskFull = error else { throw error }
            return false
        }
        acknowledged.append(number)
        return true
    }

    @Test func refusesAndHealsWhenThereIsSpaceAgain() async throws {
        guard let disk = try SmallFileSystem(megabytes: 32) else { return }
        try disk.fill(sparing: 8 << 20)
        let folder = disk.path + "/store"
        let store = try await SQLiteStore.open(folder: folder, options: options)
        try await wait("a ballast") { store.statistics.disk?.ballast ?? 0 > 0 }
        var acknowledged: [Int] = []
        try await fill(store, &acknowledged)
        #expect(acknowledged.count > 10)
        try await expect(store, holds: acknowledged)

        // No free block, twice: the second time also without the ballast.
        try disk.fill()
        try await wait("the ballast goes") { store.statistics.disk?.ballast == 0 }
        #expect(try await !takes(store, &acknowledged))
        try disk.fill()
        #expect(try await !takes(store, &acknowledged))
        #expect(store.statistics.disk?.isFull == true)
        #expect(!store.statistics.isReadOnly)
        try await expect(store, holds: acknowledged)

        try disk.empty()
        try await wait("appends are taken") { try await takes(store, &acknowledged) }
        try await wait("the ballast is back") { store.statistics.disk?.ballast ?? 0 > 0 }
        try await expect(store, holds: acknowledged)
        try await store.close()
        let reopened = try await SQLiteStore.open(folder: folder, options: options)
        try await expect(reopened, holds: acknowledged)
        try await reopened.close()
    }

    @Test func opensWithoutAFreeBlock() async throws {
        guard let disk = try SmallFileSystem(megabytes: 32) else { return }
        try disk.fill(sparing: 8 << 20)
        let folder = disk.path + "/store"
        var store = try await SQLiteStore.open(folder: folder, options: options)
        try await wait("a ballast") { store.statistics.disk?.ballast ?? 0 > 0 }
        var acknowledged: [Int] = []
        try await fill(store, &acknowledged)
        try await store.stop(flushing: false)

        // The ballast makes room for the opening.
        try disk.fill()
        #expect(try disk.freeBytes == 0)
        store = try await SQLiteStore.open(folder: folder, options: options)
        try await expect(store, holds: acknowledged)
        #expect(!store.statistics.isReadOnly)
        #expect(try await !takes(store, &acknowledged))
        try disk.empty()
        try await wait("appends are taken") { try await takes(store, &acknowledged) }
        try disk.fill(sparing: 1 << 20)
        try await store.stop(flushing: false)

        // Without one the store is there for queries.
        if try POSIXFileLayer().exists(folder + "/ballast") { try POSIXFileLayer().unlink(folder + "/ballast") }
        try disk.fill()
        store = try await SQLiteStore.open(folder: folder, options: options)
        try await expect(store, holds: acknowledged)
        try await store.stop(flushing: false)

        try disk.empty()
        store = try await SQLiteStore.open(folder: folder, options: options)
        try await wait("appends are taken") { try await takes(store, &acknowledged) }
        try await expect(store, holds: acknowledged)
        try await store.close()
    }

    @Test func givesUpTheOldestRowsWithoutAFreeBlock() async throws {
        guard let disk = try SmallFileSystem(megabytes: 48) else { return }
        var options = options
        options.dropsOldestWhenFull = true
        let store = try await SQLiteStore.open(folder: disk.path + "/store", options: options)
        try await wait("a ballast") { store.statistics.disk?.ballast ?? 0 > 0 }
        var acknowledged: [Int] = []
        // Six days, each of 2 MB.
        for day in 0..<6 as Range<Int64> {
            for _ in 0..<50 {
                let number = acknowledged.count
                _ = try await store.append(request(number, day: 20_000 + day))
                acknowledged.append(number)
            }
            try await store.flush()
        }
        try await wait("merges are done") { !store.statistics.hasPendingWork }
        try disk.fill()
        try await wait("the oldest rows go") { store.statistics.disk?.dropped.isEmpty == false }
        try await wait("appends are taken") { try await takes(store, &acknowledged, day: 20_005) }
        #expect(!store.statistics.isReadOnly)
        let logs = try await StoreRows.contents(of: store).logs
        // Whole days went, the oldest first, and not more than was needed.
        let all = acknowledged.flatMap { StoreRows.expected($0) }
        #expect(logs == Array(all.suffix(logs.count)))
        #expect((all.count - logs.count) % 100 == 0)
        #expect(logs.count >= 302)
        try await store.close()
    }
}
