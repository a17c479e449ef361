@testable import OrielSQLite
import OrielStore
import OrielTelemetry
import OrielThreads
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

    private func maintainer(_ store: SQLiteStore, _ clock: Clock) throws -> Maintainer {
        let wakes = ThreadSignal()
        return Maintainer(
            store.core, requests: MaintenanceRequests(wakes), live: [], quarantined: [], isRebuilt: false,
            flushThread: try JobThread(name: "test-flush", wakes: wakes), mergeThread: try JobThread(name: "test-merge", wakes: wakes),
            clock: { clock.now })
    }

    /// Does what is due until nothing is, and nothing is being written.
    private func settle(_ maintainer: Maintainer) async throws {
        while true {
            if try maintainer.step(true) { continue }
            guard maintainer.runningFlush != nil || maintainer.runningMerge != nil else { return }
            try await Task.sleep(for: .milliseconds(1))
        }
    }

    @Test("a merge that fails is tried again after 1, 2, 4 … 64 seconds, and flushes go on meanwhile")
    func backOff() async throws {
        let folder = try SQLiteFolder()
        let layer = RecordingFileLayer(root: folder.path)
        let store = try await SQLiteStore.open(folder: folder.path, options: MaintenanceTests.options, files: layer)
        let clock = Clock()
        let maintainer = try maintainer(store, clock)
        var number = 0
        func add(_ count: Int) async throws {
            for _ in 0..<count {
                _ = try await store.append(SpanFiles.spans(0..<1, rows: 20, from: number * 20))
                number += 1
                try await settle(maintainer)
            }
            #expect(store.statistics.flushes == number)
        }
        // The day's folder takes no file, that of level 0 does.
        let days = folder.path + "/data/spans/20200913"
        layer.refuseFiles(below: days)
        try await add(4)
        try await settle(maintainer)
        var failures = 1
        #expect(store.statistics.maintenanceFailures == failures)
        for seconds in [1, 2, 4, 8, 16, 32, 64, 64] as [Int64] {
            clock.advance(milliseconds: seconds * 1000 - 1)
            try await add(1)
            try await settle(maintainer)
            #expect(store.statistics.maintenanceFailures == failures, "before \(seconds) s")
            clock.advance(milliseconds: 1)
            try await settle(maintainer)
            failures += 1
            #expect(store.statistics.maintenanceFailures == failures, "after \(seconds) s")
        }
        #expect(store.statistics.merges == 0)
        #expect(store.statistics.lastMaintenanceFailure != nil)
        layer.refuseFiles(below: nil)
        try await settle(maintainer)
        #expect(store.statistics.merges == 0)
        clock.advance(milliseconds: 64_000)
        try await settle(maintainer)
        #expect(store.statistics.merges > 0)

        // A success starts the pauses anew.
        let merges = store.statistics.merges
        layer.refuseFiles(below: days)
        try await add(4)
        try await settle(maintainer)
        #expect(store.statistics.maintenanceFailures == failures + 1)
        clock.advance(milliseconds: 1000)
        try await settle(maintainer)
        #expect(store.statistics.maintenanceFailures == failures + 2)
        #expect(store.statistics.merges == merges)
        #expect(try await SpanFiles.rows(store, ScanPlan(signal: .spans)).count == number * 20)
        try await store.stop(flushing: false)
        maintainer.flushThread.stop()
        maintainer.mergeThread.stop()
    }
}
