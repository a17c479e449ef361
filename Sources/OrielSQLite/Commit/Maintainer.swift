import OrielStore
import OrielTelemetry
import OrielThreads
import Synchronization

/// The maintenance thread: seals full builders, moves floors and unlinks dead files itself, and has the flush and the merge thread write files. Each step ends in a transaction
/// of the commit thread and a new published record; a step that fails leaves rows where they are and is tried again later.
///
/// Sealing goes on while files are written, so that rows never pile up behind a long merge.
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
    var quarantined: [SegmentDescription]
    let flushThread: JobThread<FlushJob.Outcome>
    let mergeThread: JobThread<MergeThreadOutput>
    /// What the two threads are writing.
    var runningFlush: FlushJob?
    var runningMerge: MergeJob?
    /// Files in which no row of a deletion was found, by deletion.
    var clearedFiles: [CommitSequence: Set<UInt64>] = [:]
    /// Outcomes whose transaction found no space; it is tried again.
    var unfinishedFlush: FlushJob.Outcome?
    var unfinishedMerge: MergeJob.Outcome?
    /// Entered files that could not be written and are still to be given up.
    var abandoned: [SegmentDescription] = []
    var disk: DiskWatch
    var pins: PinKeeping
    var salvages = SalvageKeeping()
    var forgetting = StreamForgetting()
    /// The time of day; tests set it.
    private let clock: @Sendable () -> Timestamp
    private(set) var lastFlush: Timestamp
    /// The last deletion before that.
    private var flushedDeletion = CommitSequence.zero
    private var lastFloor = Timestamp(nanoseconds: .min)
    private var clockWatch = ClockWatch()
    /// After a failure nothing is tried until then.
    private var pausedUntil = Timestamp(nanoseconds: .min)
    /// After a merge that failed, merges wait until then, each time longer; seals and flushes go on.
    private var mergesPausedUntil = Timestamp(nanoseconds: .min)
    private var mergePause: Int64 = Maintainer.shortestMergePause
    /// While there is something to seal, merges are looked for from then on.
    private var nextMergeLook = Timestamp(nanoseconds: .min)
    /// Who asked for a flush, by how far it has come: not begun, in the flush that is running, waiting for merges.
    private var wantedFlushes: [MaintenanceRequests.Finish] = []
    private var begunFlushes: [MaintenanceRequests.Finish] = []
    private var writtenFlushes: [MaintenanceRequests.Finish] = []

    static let shortestMergePause: Int64 = 1_000_000_000
    static let longestMergePause: Int64 = 64_000_000_000
    private static let mergeLookInterval: Int64 = 100_000_000

    /// A file that is unlinked when nobody reads it any more.
    struct DeadFile {
        var id: UInt64
        var signal: Signal
        var path: String
        /// Gone when nobody reads the file any more.
        weak let lifetime: (any AnyObject & Sendable)?
    }

    /// Whether rows come from the redo of a rebuilt store: the next flush says of each signal exactly which commits it holds.
    var isRebuilt: Bool

    init(
        _ core: StoreCore, requests: MaintenanceRequests, live: [SegmentFiles.Opened], quarantined: [SegmentDescription], isRebuilt: Bool,
        quarantinedPins: [SegmentDescription] = [],
        flushThread: JobThread<FlushJob.Outcome>, mergeThread: JobThread<MergeThreadOutput>,
        clock: @escaping @Sendable () -> Timestamp = { .now }
    ) {
        self.core = core
        self.clock = clock
        lastFlush = clock()
        disk = DiskWatch(clock())
        pins = PinKeeping(quarantined: quarantinedPins)
        self.requests = requests
        self.live = Dictionary(uniqueKeysWithValues: live.map { ($0.description.fileID, $0) })
        self.quarantined = quarantined
        self.isRebuilt = isRebuilt
        self.flushThread = flushThread
        self.mergeThread = mergeThread
    }

    /// Works until it is told to stop.
    func run() {
        while true {
            let ticket = core.maintenanceSignal.ticket
            let orders = requests.take()
            for order in orders.floors {
                order.finish(Result { try raiseFloor(order.signal, to: order.floor) })
            }
            for order in orders.deletions {
                order.finish(Result { try delete(order.deletion) })
            }
            wantedFlushes += orders.flushes
            pins.orders += orders.pins
            salvages.orders += orders.salvages
            forgetting.orders += orders.forgettings
            if orders.isStopping {
                stop(orders.finalFlush)
                return
            }
            noteClock(clock())
            let maintainsItself = core.options.maintainsItself && clock() >= pausedUntil
            var isBusy = false
            do {
                isBusy = try step(maintainsItself)
            } catch {
                core.counters.noteMaintenanceFailure(error)
                pausedUntil = Timestamp(nanoseconds: clock().nanoseconds + 1_000_000_000)
                finish(&wantedFlushes, .failure(error))
                finish(&writtenFlushes, .failure(error))
                forgetting.refuseOrders()
            }
            let isWriting = runningFlush != nil || isMergeThreadBusy || pins.running != nil
            let isWorking = isBusy || isWriting || salvages.isBusy || !wantedFlushes.isEmpty || !writtenFlushes.isEmpty
            core.counters.update { $0.isWorking = isWorking }
            if !isBusy {
                core.maintenanceSignal.wait(after: ticket, timeout: .seconds(1))
            }
        }
    }

    /// Does the most urgent thing that is due.
    ///
    /// - Parameter maintainsItself: Whether to do more than what was asked for.
    /// - Returns: Whether there was one.
    func step(_ maintainsItself: Bool) throws -> Bool {
        if maintainsItself { try checkDiskIfDue(clock()) }
        if let outcome = unfinishedFlush ?? flushThread.take() {
            try endFlush(outcome)
            return true
        }
        if let outcome = unfinishedMerge {
            endMerge(outcome)
            return true
        }
        if let output = mergeThread.take() {
            end(output)
            return true
        }
        if try stepPins() { return true }
        if stepSalvage() { return true }
        let now = clock()
        noteClock(now)
        if try stepForgetting(now, maintainsItself) { return true }
        // Before flushes begin: an entry of rows whose redo is gone would look like a lost file.
        if !abandoned.isEmpty { try giveUpAbandoned() }
        if runningFlush == nil, !wantedFlushes.isEmpty || (maintainsItself && (forgetting.wantsFlush || isFlushDue(now))) {
            lastFlush = now
            forgetting.wantsFlush = false
            flushedDeletion = core.state.tombstones.last?.sequence ?? flushedDeletion
            begunFlushes = wantedFlushes
            wantedFlushes = []
            do {
                try startFlush()
            } catch {
                finish(&begunFlushes, .failure(error))
                throw error
            }
            // With nothing to write the flush is over.
            if runningFlush == nil { waitForMerges() }
            return true
        }
        // Flushes and merges have threads of their own. Under full load there is always something to seal, so what starts them comes first.
        if maintainsItself, !isMergeThreadBusy, now >= nextMergeLook {
            nextMergeLook = Timestamp(nanoseconds: now.nanoseconds.addingSaturating(Maintainer.mergeLookInterval))
            if startMergeIfDue(now, maintainsItself) { return true }
        }
        if maintainsItself {
            for signal in Signal.allCases where try sealFull(signal) {
                return true
            }
        }
        if maintainsItself, now.nanoseconds.subtractingSaturating(lastFloor.nanoseconds) > 60_000_000_000 {
            lastFloor = now
            try applyRetention(now)
        }
        if !isMergeThreadBusy {
            if startMergeIfDue(now, maintainsItself) { return true }
            if maintainsItself || !writtenFlushes.isEmpty {
                if try unlinkDead() || unlinkDeadPins() { return true }
                if try completeDeletions() { return true }
            }
            if pins.running == nil { finish(&writtenFlushes, .success(())) }
        }
        return false
    }

    /// Measures by the clock how long things wait, which must go on when the clock is set back; and remembers leaps, which must not cost rows.
    private func noteClock(_ now: Timestamp) {
        let leap = clockWatch.note(now)
        if leap < 0 {
            lastFlush = min(lastFlush, now)
            lastFloor = min(lastFloor, now)
            nextMergeLook = min(nextMergeLook, now)
            pausedUntil = min(pausedUntil, now.advanced(by: Maintainer.shortestMergePause))
            mergesPausedUntil = min(mergesPausedUntil, now.advanced(by: Maintainer.longestMergePause))
            forgetting.noteClockSetBack(to: now)
            pins.pausedUntil = min(pins.pausedUntil, now.advanced(by: Maintainer.longestMergePause))
            disk.ballastPausedUntil = min(disk.ballastPausedUntil, now.advanced(by: DiskWatch.ballastPause))
        }
        if leap > ClockWatch.largestLeap {
            core.counters.noteMaintenanceFailure(
                StoreError.unusable(path: "the clock", reason: "it leapt ahead by \(leap / 1_000_000_000) s; nothing expires for an hour unless it is set back")
            )
        }
    }

    private func isFlushDue(_ now: Timestamp) -> Bool {
        let counted = core.counters.current
        let unflushed = counted.unflushedRedoBytes
        // Appends wait, and sealing would make no room: rows of very many streams take more memory than redo.
        if unflushed > 0, counted.memoryBytes > core.options.memoryBytes, !counted.isSealDue(core.options) { return true }
        // What was deleted is not physically gone as long as redo has it.
        let isAwaited = core.state.tombstones.last.map { $0.sequence > flushedDeletion } ?? false
        let interval = isAwaited ? min(Maintainer.deletionFlushInterval, core.options.flushInterval) : core.options.flushInterval
        return unflushed >= core.options.flushBytes
            || (unflushed > 0 && now.nanoseconds.subtractingSaturating(lastFlush.nanoseconds) >= interval)
    }

    /// Nanoseconds between flushes for the sake of deletions, so that many in a row do not make many small files.
    private static let deletionFlushInterval: Int64 = 2_000_000_000

    private func endFlush(_ outcome: FlushJob.Outcome) throws {
        do {
            try finishFlush(outcome)
        } catch {
            finish(&begunFlushes, .failure(error))
            throw error
        }
        waitForMerges()
    }

    private func waitForMerges() {
        writtenFlushes += begunFlushes
        begunFlushes = []
    }

    /// Starts the merge that is most worth it, unless merges wait. A merge that fails changes nothing, so nothing else waits for it.
    ///
    /// - Returns: Whether one was started.
    private func startMergeIfDue(_ now: Timestamp, _ maintainsItself: Bool) -> Bool {
        let isWanted = !writtenFlushes.isEmpty && runningFlush == nil
        guard isWanted || (maintainsItself && now >= mergesPausedUntil) else { return false }
        do {
            return try startMerge() || startRewrite() || startClearingPin()
        } catch {
            noteMergeFailure(error)
            return false
        }
    }

    private func end(_ output: MergeThreadOutput) {
        switch output {
        case .merge(let outcome): endMerge(outcome)
        case .salvage(let outcome): endSalvage(outcome)
        }
    }

    private func endMerge(_ outcome: MergeJob.Outcome) {
        do {
            try finishMerge(outcome)
            mergePause = Maintainer.shortestMergePause
        } catch {
            noteMergeFailure(error)
        }
    }

    private func noteMergeFailure(_ error: any Error) {
        core.counters.noteMaintenanceFailure(error)
        mergesPausedUntil = Timestamp(nanoseconds: clock().nanoseconds + mergePause)
        mergePause = min(mergePause * 2, Maintainer.longestMergePause)
        finish(&writtenFlushes, .failure(error))
    }

    private func finish(_ orders: inout [MaintenanceRequests.Finish], _ result: Result<Void, any Error>) {
        let waiting = orders
        orders = []
        for finish in waiting { finish(result) }
    }

    /// Brings what is being written to an end; a merge is given up, since it is only work that can be done again.
    ///
    /// - Parameter finalFlush: Wants everything in files first.
    private func stop(_ finalFlush: MaintenanceRequests.Finish?) {
        runningMerge?.cancel()
        salvages.job?.cancel()
        stopPins()
        forgetting.refuseOrders()
        var result: Result<Void, any Error> = .success(())
        do {
            if let outcome = unfinishedFlush ?? flushThread.wait() { try endFlush(outcome) }
            if !abandoned.isEmpty { try giveUpAbandoned() }
            if finalFlush != nil {
                try startFlush()
                if let outcome = flushThread.wait() { try finishFlush(outcome) }
            }
        } catch {
            core.counters.noteMaintenanceFailure(error)
            result = .failure(error)
        }
        if let outcome = unfinishedMerge {
            endMerge(outcome)
        } else if let output = mergeThread.wait() {
            end(output)
        }
        stopSalvages()
        if finalFlush != nil {
            do {
                while try unlinkDead() || unlinkDeadPins() {}
            } catch {
                core.counters.noteMaintenanceFailure(error)
            }
        }
        flushThread.stop()
        mergeThread.stop()
        // Files are as they were to be; only merges, which nobody can wait for any more, are missing.
        finish(&writtenFlushes, result)
        finish(&begunFlushes, .failure(StoreError.closed))
        finish(&wantedFlushes, finalFlush == nil ? .failure(StoreError.closed) : result)
        finalFlush?(result)
    }

    // MARK: Sealing

    private func sealFull(_ signal: Signal) throws -> Bool {
        guard core.counters.current.unsealed[signal]?.isFull(signal, core.options) ?? false else { return false }
        let chunks = core.state[signal].chunks
        guard !chunks.isEmpty else { return false }
        // After a stall there may be much; sealing it in parts bounds the memory that sorting takes.
        var count = 0
        var byteCount = 0
        let end = deletionBoundary(chunks)
        while count < end, byteCount < 2 * core.options.sealBytes {
            byteCount += chunks[count].byteCount
            count += 1
        }
        try seal(Array(chunks.prefix(count)), signal)
        return true
    }

    /// How many chunks from the first on have no deletion between them: a block's rows are all before a deletion or all behind it.
    private func deletionBoundary(_ chunks: some RandomAccessCollection<BuilderChunk>) -> Int {
        guard let first = chunks.first, let next = core.state.tombstones.first(where: { $0.sequence > first.sequence }) else { return chunks.count }
        return chunks.prefix { $0.sequence <= next.sequence }.count
    }

    /// Turns all chunks of a signal up to a commit into sealed runs.
    func sealAll(_ signal: Signal, through high: CommitSequence) throws {
        while true {
            let chunks = core.state[signal].chunks.prefix { $0.sequence <= high }
            guard !chunks.isEmpty else { return }
            try seal(Array(chunks.prefix(deletionBoundary(chunks))), signal)
        }
    }

    /// Turns the oldest chunks of a signal into a sealed run.
    func seal(_ chunks: [BuilderChunk], _ signal: Signal) throws {
        guard !chunks.isEmpty else { return }
        let run = try SealedRun.seal(chunks, signal: signal, registry: core.registry)
        let (count, bytes) = (chunks.count, run?.byteCount ?? 0)
        try core.perform { committer in
            committer.replaceChunks(signal, count: count, by: run, byteCount: bytes)
        }
        core.counters.noteConflicts(signal, run?.conflictCount ?? 0)
        core.gate.changed()
    }

    // MARK: Floors

    private func applyRetention(_ now: Timestamp) throws {
        guard core.options.appliesRetention, !clockWatch.isDoubtful else { return }
        for (signal, length) in core.options.retention {
            let (floor, overflow) = now.nanoseconds.subtractingReportingOverflow(length)
            if !overflow {
                try raiseFloor(signal, to: Timestamp(nanoseconds: floor))
            }
        }
    }

    // MARK: Dead files

    /// Moves live files to the dead ones.
    func retire(_ ids: [UInt64]) {
        for id in ids {
            if let file = live.removeValue(forKey: id) {
                dead.append(
                    DeadFile(id: id, signal: file.description.signal, path: core.folder + "/" + file.description.path, lifetime: file.container.lifetime))
            }
        }
    }

    /// Unlinks the dead files that no snapshot reads, and then takes their rows out of the manifest.
    ///
    /// - Returns: Whether there was one.
    func unlinkDead() throws -> Bool {
        let ready = dead.filter { $0.lifetime == nil }
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
