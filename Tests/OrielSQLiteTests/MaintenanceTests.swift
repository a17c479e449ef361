@testable import OrielSQLite
import OrielStore
import OrielTelemetry
import Synchronization
import Testing

/// The maintenance thread's decisions, step by step, with a clock that the test sets.
@Suite("Maintenance")
struct MaintenanceTests {
    private final class Clock: Sendable {
        private let time = Mutex(Timestamp.now)

        var now: Timestamp { time.withLock { $0 } }

        func advance(milliseconds: Int64) {
            time.withLock { $0 = Timestamp(nanoseconds: $0.nanoseconds + milliseconds * 1_000_000) }
        }
    }

    private static var options: StoreOptions {
        var options = SpanFiles.options
        // Each request is worth a flush.
        options.flushBytes = 1
        return options
    }

    private func maintainer(_ store: SQLiteStore, _ clock: Clock) -> Maintainer {
        Maintainer(
            store.core, requests: MaintenanceRequests(ThreadSignal()), live: [], quarantined: [], isRebuilt: false, clock: { clock.now })
    }

    @Test("after sixteen files of level 0 a merge comes before the next flush")
    func turn() async throws {
        let folder = try SQLiteFolder()
        let store = try await SQLiteStore.open(folder: folder.path, options: MaintenanceTests.options)
        let maintainer = maintainer(store, Clock())
        for number in 0..<20 {
            _ = try await store.append(SpanFiles.spans(0..<1, rows: 20, from: number * 20))
            if number == 16 {
                // A flush is due, and yet a merge is done.
                #expect(try maintainer.step())
                #expect(store.statistics.merges == 1 && store.statistics.flushes == 16)
                #expect(store.statistics.signals[.spans]?.segments == 1)
            }
            #expect(try maintainer.step())
            #expect(store.statistics.flushes == number + 1)
            #expect(store.statistics.merges == (number < 16 ? 0 : 1))
        }
        #expect(try await SpanFiles.rows(store, ScanPlan(signal: .spans)).count == 400)
        try await store.stop(flushing: false)
    }

    @Test("a merge that fails is tried again after 1, 2, 4 … 64 seconds, and flushes go on meanwhile")
    func backOff() async throws {
        let folder = try SQLiteFolder()
        let layer = RecordingFileLayer(root: folder.path)
        let store = try await SQLiteStore.open(folder: folder.path, options: MaintenanceTests.options, files: layer)
        let clock = Clock()
        let maintainer = maintainer(store, clock)
        var number = 0
        func add(_ count: Int) async throws {
            for _ in 0..<count {
                _ = try await store.append(SpanFiles.spans(0..<1, rows: 20, from: number * 20))
                number += 1
                #expect(try maintainer.step())
            }
            #expect(store.statistics.flushes == number)
        }
        func settle() throws {
            while try maintainer.step() {}
        }
        // The day's folder takes no file, that of level 0 does.
        let days = folder.path + "/data/spans/20200913"
        layer.refuseFiles(below: days)
        try await add(4)
        try settle()
        var failures = 1
        #expect(store.statistics.maintenanceFailures == failures)
        for seconds in [1, 2, 4, 8, 16, 32, 64, 64] as [Int64] {
            clock.advance(milliseconds: seconds * 1000 - 1)
            try await add(1)
            try settle()
            #expect(store.statistics.maintenanceFailures == failures, "before \(seconds) s")
            clock.advance(milliseconds: 1)
            try settle()
            failures += 1
            #expect(store.statistics.maintenanceFailures == failures, "after \(seconds) s")
        }
        #expect(store.statistics.merges == 0)
        #expect(store.statistics.lastMaintenanceFailure != nil)
        layer.refuseFiles(below: nil)
        try settle()
        #expect(store.statistics.merges == 0)
        clock.advance(milliseconds: 64_000)
        try settle()
        #expect(store.statistics.merges > 0)

        // A success starts the pauses anew.
        let merges = store.statistics.merges
        layer.refuseFiles(below: days)
        try await add(4)
        try settle()
        #expect(store.statistics.maintenanceFailures == failures + 1)
        clock.advance(milliseconds: 1000)
        try settle()
        #expect(store.statistics.maintenanceFailures == failures + 2)
        #expect(store.statistics.merges == merges)
        #expect(try await SpanFiles.rows(store, ScanPlan(signal: .spans)).count == number * 20)
        try await store.stop(flushing: false)
    }
}
