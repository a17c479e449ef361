import OrielStore
import OrielTelemetry
import Synchronization
import Testing

@testable import OrielSQLite

/// Cuts the power under a store after every operation and at every named point, and looks at what the next start finds.
struct StorePowerCutTests {
    /// What a run did: the operations, and after how many of them each request was acknowledged.
    private struct Run: Sendable {
        var operations: [FileOperation]
        /// By request, how many operations there were when it was begun and when it was acknowledged.
        var requests: [(begun: Int, acknowledged: Int)]
    }

    private func options() -> StoreOptions {
        var options = StoreRows.options
        options.checkpointBytes = 60_000
        return options
    }

    /// Appends, flushes, merges and forgets streams a little, over two starts.
    private func run(_ root: String) async throws -> Run {
        let layer = RecordingFileLayer(root: root)
        var requests: [(begun: Int, acknowledged: Int)] = []
        var number = 0
        for _ in 0..<2 {
            let store = try await SQLiteStore.open(folder: root, options: options(), files: layer)
            for round in 0..<3 {
                for _ in 0..<2 {
                    let begun = layer.operations.count
                    _ = try await store.append(StoreRows.request(number, day: 20_000 + Int64(number % 2)))
                    requests.append((begun, layer.operations.count))
                    number += 1
                }
                if round < 2 || number == 6 {
                    try await store.flush()
                }
                if round != 1 { _ = await store.forgetStreams(.everything) }
            }
            try await store.stop(flushing: false)
        }
        return Run(operations: layer.operations, requests: requests)
    }

    /// What is wrong with the rows of a store in which `acknowledged` requests must be and `begun` may be.
    private func fault(_ path: String, acknowledged: Int, begun: Int) async -> String? {
        do {
            let store = try await SQLiteStore.open(folder: path, options: options())
            let found = try await StoreRows.contents(of: store)
            try await store.stop(flushing: false)
            for count in acknowledged...begun {
                let rows = (0..<count).flatMap { StoreRows.expected($0) }
                if found.logs == rows, found.samples == rows {
                    return nil
                }
            }
            return "\(acknowledged) to \(begun) requests expected, found logs \(found.logs) and samples \(found.samples)"
        } catch {
            return "\(error)"
        }
    }

    /// What is wrong after every `stride`-th prefix of the operations, of which those that `isKept` refuses never happened.
    private func faults(
        _ run: Run, _ folder: TemporaryFolder, stride step: Int, isKept: (FileOperation) -> Bool = { _ in true }
    ) async throws -> [String] {
        var faults: [String] = []
        for count in stride(from: 0, through: run.operations.count, by: step) {
            let seed = UInt64(count)
            let image = try folder.folder("image")
            let operations = run.operations.prefix(count).filter(isKept)
            try PowerCut.image(of: operations, after: operations.count, seed: seed, into: image)
            let acknowledged = run.requests.count { $0.acknowledged <= count }
            let begun = run.requests.count { $0.begun <= count }
            if let fault = await fault(image, acknowledged: acknowledged, begun: begun) {
                faults.append("after \(count) of \(run.operations.count) operations, seed \(seed): \(fault)")
            }
        }
        return faults
    }

    @Test func nothingAcknowledgedIsLostAfterAnyOperation() async throws {
        let folder = try TemporaryFolder()
        let run = try await run(folder.folder("live"))
        let faults = try await faults(run, folder, stride: powerCutStep(7))
        #expect(faults.isEmpty, "\(faults.count): \(faults.prefix(4).joined(separator: "\n"))")
    }

    @Test func missingSynchronisationIsFoundOut() async throws {
        let folder = try TemporaryFolder()
        let run = try await run(folder.folder("live"))
        let bytes = try await faults(run, folder, stride: 41) { operation in
            if case .synchronize = operation { false } else { true }
        }
        #expect(!bytes.isEmpty)
        let names = try await faults(run, folder, stride: 41) { operation in
            if case .synchronizeDirectory = operation { false } else { true }
        }
        #expect(!names.isEmpty)
    }

    /// What happens to hot.db besides the crash.
    enum Mishap: CaseIterable, Sendable {
        case none
        /// The pair is gone.
        case deleted
        /// An older copy of the pair is in its place.
        case replaced
    }

    /// Backups, pins and salvages have tests of their own.
    private static let points = CrashPoint.allCases.filter {
        ![.backupCopied, .backupComplete, .pinRenamed, .pinCommitted, .salvageKept, .salvageRenamed, .salvageCommitted].contains($0)
    }

    @Test(arguments: points, Mishap.allCases)
    func everyCrashPointLeavesEachRowOnce(_ point: CrashPoint, _ mishap: Mishap) async throws {
        // Only a rebuild comes by these points again.
        try await crash(at: point, rebuilding: point == .hotCreated || point == .hotCompleted, mishap)
    }

    @Test(arguments: points, Mishap.allCases)
    func everyCrashPointOfARebuiltStoreLeavesEachRowOnce(_ point: CrashPoint, _ mishap: Mishap) async throws {
        try await crash(at: point, rebuilding: true, mishap)
    }

    /// Fills a store, starts it once more, with its hot.db lost if it is to be rebuilt, and cuts the power when that start comes by the point.
    private func crash(at point: CrashPoint, rebuilding: Bool, _ mishap: Mishap) async throws {
        let folder = try TemporaryFolder()
        let root = try folder.folder("live")
        let base = POSIXFileLayer()
        let layer = RecordingFileLayer(root: root)
        let isArmed = Atomic(false)
        let points = CrashPoints { reached in
            if reached == point, isArmed.load(ordering: .relaxed) {
                layer.cutPower()
            }
        }
        var acknowledged: [Int] = []
        var flushed: [Int] = []
        var isDeleted = false
        func append(_ store: SQLiteStore, _ number: Int) async throws {
            _ = try await store.append(StoreRows.request(number, day: 20_000 + Int64(number % 2)))
            acknowledged.append(number)
        }

        var store = try await SQLiteStore.open(folder: root, options: options(), files: layer, crashPoints: points)
        for number in 0..<5 {
            try await append(store, number)
            if number % 2 == 1 {
                try await store.flush()
                flushed = acknowledged
            }
            if number == 2 { _ = await store.forgetStreams(.everything) }
        }
        try await store.stop(flushing: false)
        let older = try folder.folder("older")
        for name in try base.list(root) where name.hasPrefix("hot-") {
            try base.copy(root + "/" + name, to: older + "/" + name)
        }
        if rebuilding {
            for name in try base.list(root) where name.hasPrefix("hot-") {
                try layer.unlink(root + "/" + name)
                try layer.synchronizeDirectory(root)
            }
            acknowledged = flushed
        }

        // The second start goes until the point is reached.
        isArmed.store(true, ordering: .relaxed)
        do {
            store = try await SQLiteStore.open(folder: root, options: options(), files: layer, crashPoints: points)
            for number in 5..<11 {
                try await append(store, number)
                if number % 2 == 0 {
                    try await store.flush()
                    flushed = acknowledged
                }
                if number % 3 == 0 { _ = await store.forgetStreams(.everything) }
            }
            _ = try await store.delete(StorePowerCutTests.deletion)
            isDeleted = true
            // Enough files for a merge, and dead ones to be unlinked.
            try await store.flush()
            try await store.flush()
            flushed = acknowledged
        } catch {
            #expect(layer.isCut, "\(error)")
        }
        #expect(layer.isCut, "the point is never reached")
        do {
            try await store.stop(flushing: false)
        } catch {
            // The layer is dead; the threads are gone all the same.
        }

        for seed in 0..<2 as Range<UInt64> {
            let image = try folder.folder("image")
            try PowerCut.image(of: layer.operations, after: layer.operations.count, seed: seed, into: image)
            if mishap != .none {
                for name in try base.list(image) where name.hasPrefix("hot-") {
                    try base.unlink(image + "/" + name)
                }
            }
            if mishap == .replaced {
                for name in try base.list(older) {
                    try base.copy(older + "/" + name, to: image + "/" + name)
                }
            }
            try await check(image, sure: mishap == .none ? acknowledged : flushed, isDeleted: isDeleted, "seed \(seed)")
        }
    }

    /// The log records of request 1, whose samples stay.
    private static let deletion = Deletion(
        signals: [.logs], range: TimeRange(start: Timestamp(nanoseconds: 20_001 * 86_400_000_000_000), end: Timestamp(nanoseconds: .max)),
        predicate: .isOneOf(.attribute("id"), StoreRows.expected(1).map { .int(Int64($0)) }, missing: .unknown))

    @Test func deletedRowsStayDeletedAfterAnyOperation() async throws {
        let folder = try TemporaryFolder()
        let root = try folder.folder("live")
        let layer = RecordingFileLayer(root: root)
        var store = try await SQLiteStore.open(folder: root, options: options(), files: layer)
        for number in 0..<4 {
            _ = try await store.append(StoreRows.request(number, day: 20_000 + Int64(number % 2)))
            if number % 2 == 1 { try await store.flush() }
        }
        let begun = layer.operations.count
        _ = try await store.delete(StorePowerCutTests.deletion)
        let acknowledged = layer.operations.count
        _ = try await store.append(StoreRows.request(4))
        for _ in 0..<3 { try await store.flush() }
        try await store.stop(flushing: false)
        store = try await SQLiteStore.open(folder: root, options: options(), files: layer)
        for _ in 0..<2 { try await store.flush() }
        try await store.stop(flushing: false)

        let operations = layer.operations
        let (rows, deleted) = (Set((0..<4).flatMap { StoreRows.expected($0) }), Set(StoreRows.expected(1)))
        for count in stride(from: begun, through: operations.count, by: powerCutStep(5)) {
            let image = try folder.folder("image")
            try PowerCut.image(of: Array(operations.prefix(count)), after: count, seed: UInt64(count), into: image)
            let found = try await StoreRows.contents(of: SQLiteStore.open(folder: image, options: options()))
            let logs = Set(found.logs).intersection(rows)
            #expect(found.logs.count == Set(found.logs).count && rows.isSubset(of: found.samples), "after \(count) of \(operations.count) operations")
            let isFine = logs == rows.subtracting(deleted) || (count < acknowledged && logs == rows)
            #expect(isFine, "after \(count) of \(operations.count) operations, the deletion acknowledged after \(acknowledged): \(logs.sorted())")
        }
    }

    /// Checks over two starts, with a flush between, that each row answers once, the sure requests do, and what was deleted does not.
    private func check(_ path: String, sure: [Int], isDeleted: Bool, _ note: String) async throws {
        for attempt in ["first", "second"] {
            let store = try await SQLiteStore.open(folder: path, options: options())
            let found = try await StoreRows.contents(of: store)
            #expect(found.logs == Set(found.logs).sorted(), "\(note): a row answers twice at the \(attempt) start")
            let deleted = Set(StoreRows.expected(1))
            let lost = sure.flatMap { StoreRows.expected($0) }.filter {
                (!found.logs.contains($0) && !deleted.contains($0)) || !found.samples.contains($0)
            }
            #expect(lost.isEmpty, "\(note): rows are lost at the \(attempt) start")
            #expect(!isDeleted || deleted.isDisjoint(with: found.logs), "\(note): deleted rows are back at the \(attempt) start")
            if attempt == "first" {
                try await store.flush()
                let after = try await StoreRows.contents(of: store)
                #expect(after == found, "\(note): a flush changes the rows")
            }
            try await store.stop(flushing: false)
        }
    }
}
