import OrielStore
import OrielTelemetry
import Synchronization

/// The maintenance thread: seals full builders, flushes, merges, moves floors and unlinks dead files, one after the other. Each step ends in a transaction of the commit thread
/// and a new published record; a step that fails leaves rows where they are and is tried again later.
///
/// Used by its own thread only, except ``requests``.
final class Maintainer {
    let core: StoreCore
    let requests: MaintenanceRequests
    /// Live files by id, as the published record has them.
    var live: [UInt64: SegmentFiles.Opened]
    /// Files that are dead in the manifest and may still be read by a snapshot.
    var dead: [DeadFile] = []
    /// Live files that could not be opened: nothing is merged across them.
    let quarantined: [SegmentDescription]
    private var lastFlush = Timestamp.now
    private var lastFloor = Timestamp(nanoseconds: .min)
    /// After a failure nothing is tried until then.
    private var pausedUntil = Timestamp(nanoseconds: .min)
    /// After a merge that failed, merges wait until then, each time longer; seals and flushes go on.
    private var mergesPausedUntil = Timestamp(nanoseconds: .min)
    private var mergePause: Int64 = Maintainer.shortestMergePause
    /// Whether a merge comes before the next seal or flush.
    private var isMergeDue = false

    private static let shortestMergePause: Int64 = 1_000_000_000
    private static let longestMergePause: Int64 = 64_000_000_000
    /// Files of level 0 of one signal from which on each flush is followed by a merge, however much there is to seal and to flush.
    private static let freshFileLimit = 16

    /// A file that is unlinked when nobody reads it any more.
    struct DeadFile {
        var id: UInt64
        var path: String
        weak let container: (any BlockContainer)?
    }

    /// Whether rows come from the redo of a rebuilt store: the next flush says of each signal exactly which commits it holds.
    var isRebuilt: Bool

    init(
        _ core: StoreCore, requests: MaintenanceRequests, live: [SegmentFiles.Opened], quarantined: [SegmentDescription], isRebuilt: Bool
    ) {
        self.core = core
        self.requests = requests
        self.live = Dictionary(uniqueKeysWithValues: live.map { ($0.description.fileID, $0) })
        self.quarantined = quarantined
        self.isRebuilt = isRebuilt
    }

    /// Works until it is told to stop.
    func run() {
        while true {
            let ticket = core.maintenanceSignal.ticket
            let orders = requests.take()
            for order in orders.floors {
                order.finish(Result { try raiseFloor(order.signal, to: order.floor) })
            }
            if !orders.flushes.isEmpty {
                let result = flushAll()
                for finish in orders.flushes {
                    finish(result)
                }
            }
            if orders.isStopping {
                return
            }
            if !orders.flushes.isEmpty {
                continue
            }
            var isBusy = false
            if core.options.maintainsItself, Timestamp.now >= pausedUntil {
                core.counters.update { $0.isWorking = true }
                switch Result(catching: { try step() }) {
                case .success(let didWork): isBusy = didWork
                case .failure(let error):
                    core.counters.noteMaintenanceFailure(error)
                    pausedUntil = Timestamp(nanoseconds: Timestamp.now.nanoseconds + 1_000_000_000)
                }
            }
            if !isBusy {
                core.counters.update { $0.isWorking = false }
                core.maintenanceSignal.wait(after: ticket, timeout: .seconds(1))
            }
        }
    }

    /// Does the most urgent thing that is due.
    ///
    /// - Returns: Whether there was one.
    private func step() throws -> Bool {
        if isMergeDue {
            isMergeDue = false
            if mergeIfDue() { return true }
        }
        for signal in Signal.allCases where try sealFull(signal) {
            return true
        }
        let now = Timestamp.now
        let unflushed = core.counters.current.unflushedRedoBytes
        if unflushed >= core.options.flushBytes || (unflushed > 0 && now.nanoseconds - lastFlush.nanoseconds >= core.options.flushInterval) {
            try flush()
            lastFlush = now
            isMergeDue = Signal.allCases.contains { freshFileCount($0) >= Maintainer.freshFileLimit }
            return true
        }
        if now.nanoseconds.subtractingSaturating(lastFloor.nanoseconds) > 60_000_000_000 {
            lastFloor = now
            try applyRetention(now)
        }
        if mergeIfDue() {
            return true
        }
        return try unlinkDead()
    }

    /// Merges once, unless merges wait. A merge that fails changes nothing, so nothing else waits for it.
    ///
    /// - Returns: Whether a merge was done.
    private func mergeIfDue() -> Bool {
        guard Timestamp.now >= mergesPausedUntil else { return false }
        do {
            guard try mergeOnce() else { return false }
            mergePause = Maintainer.shortestMergePause
            return true
        } catch {
            core.counters.noteMaintenanceFailure(error)
            mergesPausedUntil = Timestamp(nanoseconds: Timestamp.now.nanoseconds + mergePause)
            mergePause = min(mergePause * 2, Maintainer.longestMergePause)
            return false
        }
    }

    /// Everything into files, merges until there is none, dead files gone.
    private func flushAll() -> Result<Void, any Error> {
        core.counters.update { $0.isWorking = true }
        defer { core.counters.update { $0.isWorking = false } }
        return Result {
            try flush()
            lastFlush = Timestamp.now
            while try mergeOnce() {}
            while try unlinkDead() {}
        }
    }

    // MARK: Sealing

    private func sealFull(_ signal: Signal) throws -> Bool {
        guard core.counters.current.unsealed[signal]?.isFull(core.options) ?? false else { return false }
        let chunks = core.state[signal].chunks
        guard !chunks.isEmpty else { return false }
        try seal(chunks, signal)
        return true
    }

    /// Turns the oldest chunks of a signal into a sealed run.
    func seal(_ chunks: [BuilderChunk], _ signal: Signal) throws {
        guard !chunks.isEmpty else { return }
        let run = try SealedRun.seal(chunks, signal: signal, registry: core.registry)
        let (count, bytes) = (chunks.count, run?.byteCount ?? 0)
        try core.perform { committer in
            committer.replaceChunks(signal, count: count, by: run, byteCount: bytes)
        }
    }

    // MARK: Floors

    private func applyRetention(_ now: Timestamp) throws {
        guard core.options.appliesRetention else { return }
        for (signal, length) in core.options.retention {
            let (floor, overflow) = now.nanoseconds.subtractingReportingOverflow(length)
            if !overflow {
                try raiseFloor(signal, to: Timestamp(nanoseconds: floor))
            }
        }
    }

    /// Moves a floor up and drops the files that lie wholly below it.
    func raiseFloor(_ signal: Signal, to floor: Timestamp) throws {
        guard floor > core.state[signal].floor else { return }
        let unit = signal.nanosecondsPerTimeUnit
        let expired = live.values.filter { file in
            guard file.description.signal == signal else { return false }
            // A file without rows keeps its piece as long as its day may have others.
            guard file.description.rowCount > 0 else { return false }
            let (end, overflow) = file.description.maximumTime.multipliedReportingOverflow(by: unit)
            return !overflow && end < floor.nanoseconds
        }
        try AppDatabase.saveFloor(signal, floor, core: core)
        let gone = expired.map { (id: $0.description.fileID, container: $0.container) }
        try core.perform { committer in
            try committer.raiseFloor(signal, to: floor, expired: gone)
        }
        retire(expired.map(\.description.fileID))
    }

    // MARK: Dead files

    /// Moves live files to the dead ones.
    func retire(_ ids: [UInt64]) {
        for id in ids {
            if let file = live.removeValue(forKey: id) {
                dead.append(DeadFile(id: id, path: core.folder + "/" + file.description.path, container: file.container))
            }
        }
    }

    /// Unlinks the dead files that no snapshot reads, and then takes their rows out of the manifest.
    ///
    /// - Returns: Whether there was one.
    func unlinkDead() throws -> Bool {
        let ready = dead.filter { $0.container == nil }
        guard !ready.isEmpty else { return false }
        try DeadFiles.unlink(ready.map(\.path), core: core)
        let ids = ready.map(\.id)
        try core.perform { committer in
            try committer.removeRows(ids)
        }
        dead.removeAll { file in ids.contains(file.id) }
        return true
    }
}

/// Unlinking of files that the manifest calls dead.
enum DeadFiles {
    /// Unlinks what is there of `paths` and makes that last.
    static func unlink(_ paths: [String], core: StoreCore) throws(FileError) {
        var folders: Set<String> = []
        for path in paths {
            do throws(FileError) {
                try core.files.unlink(path)
            } catch {
                guard error.isMissing else { throw error }
            }
            if try core.files.exists(path.parentDirectory) {
                folders.insert(path.parentDirectory)
            }
        }
        for folder in folders.sorted() {
            try core.files.synchronizeDirectory(folder)
        }
        for path in paths { core.damage.forget(path: path) }
        core.crashPoints.reach(.deadUnlinked)
    }
}
