import OrielStore
import OrielTelemetry

/// What the maintenance thread knows of pins.
struct PinKeeping {
    /// Live files of pins that could not be opened.
    let quarantined: [SegmentDescription]
    var orders: [MaintenanceRequests.PinOrder] = []
    /// What is being written, and for whom; nobody waits for a file that is written anew.
    var running: (job: PinJob, order: MaintenanceRequests.PinOrder?)?
    /// Made with the first order.
    var thread: JobThread<PinJob.Outcome>?
    /// Files that app.db calls dead and that may still be read by a snapshot.
    var dead: [Maintainer.DeadFile] = []
    /// After a file could not be written anew, no other is begun until then.
    var pausedUntil = Timestamp(nanoseconds: .min)

    init(quarantined: [SegmentDescription] = []) {
        self.quarantined = quarantined
    }
}

extension Maintainer {
    /// Ends what has been written for a pin, and begins what comes next.
    ///
    /// - Returns: Whether there was something to do.
    func stepPins() throws -> Bool {
        if let outcome = pins.thread?.take() {
            finishPin(outcome)
            return true
        }
        guard pins.running == nil, !pins.orders.isEmpty else { return false }
        let order = pins.orders.removeFirst()
        let work: PinJob.Work =
            switch order.change {
            case .make(let selection, let note): .make(selection, note: note)
            case .remove(let id): .remove(id)
            }
        do {
            try startPin(work, order)
        } catch {
            order.finish(.failure(error))
        }
        return true
    }

    private func startPin(_ work: PinJob.Work, _ order: MaintenanceRequests.PinOrder?) throws {
        if pins.thread == nil { pins.thread = try JobThread(name: "oriel-pin", nice: 10, wakes: core.maintenanceSignal) }
        let (state, ends) = try core.perform { committer in (committer.core.state, committer.nextOrds) }
        let job = PinJob(
            work: work, state: state, ends: ends, budget: QueryBudget(memoryLimit: core.options.queryMemoryBytes, deadline: nil))
        pins.running = (job, order)
        let core = core
        pins.thread?.start { job.run(core) }
    }

    /// Makes what was written count.
    func finishPin(_ outcome: PinJob.Outcome) {
        guard let (job, order) = pins.running else { return }
        do {
            let change = try outcome.change.get()
            let pin = try change.map { try commitPin($0, job.state) }
            pins.running = nil
            order?.finish(.success(pin))
        } catch {
            pins.running = nil
            if order == nil { pins.pausedUntil = Timestamp(nanoseconds: Timestamp.now.nanoseconds.addingSaturating(Maintainer.longestMergePause)) }
            if case StoreError.cancelled = error {
                order?.finish(.failure(StoreError.closed))
            } else {
                if order == nil { core.counters.noteMaintenanceFailure(error) }
                order?.finish(.failure(error))
            }
            giveUpPinFiles(outcome.entered)
        }
    }

    /// One transaction of app.db and one new record; a backup copies app.db with the files that it names.
    private func commitPin(_ change: AppDatabase.PinChange, _ state: PublishedState) throws -> Pin {
        let made = try core.withAppDatabase { connection in
            let made = try AppDatabase.apply(change, connection)
            core.crashPoints.reach(.pinCommitted)
            let written = change.written.map { opened in
                var opened = opened
                if opened.pin == 0 { opened.pin = made ?? 0 }
                return opened.published
            }
            let dead = Set(change.dead)
            try core.perform { committer in
                committer.core.publish(
                    committer.core.state.replacing { signals in
                        for signal in Signal.allCases {
                            signals[signal].pinned.removeAll { dead.contains($0.fileID) }
                            signals[signal].pinned += written.filter { $0.container.signal == signal }.map { file in
                                var file = file
                                // The job may have begun with another registry.
                                file.container = file.container.bound(to: committer.core.registry)
                                return file
                            }
                        }
                    })
            }
            return made
        }
        for id in change.dead {
            let file = Signal.allCases.lazy.flatMap { state[$0].pinned }.first { $0.fileID == id }
            pins.dead.append(
                DeadFile(
                    id: id, signal: file?.container.signal ?? .logs, path: core.folder + "/" + PinFiles.path(id), lifetime: file?.container.lifetime))
        }
        let kept = change.made
        return Pin(
            id: made ?? change.removed ?? 0, selection: kept?.selection ?? PinSelection(signals: []), note: kept?.note ?? "", created: kept?.created ?? .now,
            rowCount: change.written.reduce(0) { $0 + $1.file.description.rowCount },
            byteCount: change.written.reduce(0) { $0 + $1.file.description.byteCount })
    }

    /// Lets files go that were entered and do not count.
    private func giveUpPinFiles(_ ids: [UInt64]) {
        guard !ids.isEmpty else { return }
        do {
            try DeadFiles.unlink(ids.map { core.folder + "/" + PinFiles.path($0) }, core: core)
            try core.withAppDatabase { try AppDatabase.removePinFiles(ids, $0) }
        } catch {
            // They stay entered as being written, and the next start unlinks them.
            core.counters.noteMaintenanceFailure(error)
        }
    }

    /// Unlinks dead files of pins that no snapshot reads.
    ///
    /// - Returns: Whether there was one.
    func unlinkDeadPins() throws -> Bool {
        let ready = pins.dead.filter { $0.lifetime == nil }
        guard !ready.isEmpty else { return false }
        try DeadFiles.unlink(ready.map(\.path), core: core)
        let ids = ready.map(\.id)
        try core.withAppDatabase { try AppDatabase.removePinFiles(ids, $0) }
        pins.dead.removeAll { ids.contains($0.id) }
        return true
    }

    /// Starts to write a file of a pin anew without the rows of deletions.
    ///
    /// - Returns: Whether there is one.
    func startClearingPin() throws -> Bool {
        guard pins.running == nil, Timestamp.now >= pins.pausedUntil else { return false }
        let state = core.state
        guard !state.tombstones.isEmpty else { return false }
        for signal in Signal.allCases {
            let filter = DeletionFilter(state.tombstones, signal: signal, registry: core.registry)
            for file in state[signal].pinned {
                // What a damaged file still has would be lost by writing it anew.
                guard let segment = file.container as? Segment, !core.damage.contains(path: segment.path), filter.touches(segment) else { continue }
                try startPin(.clear(file), nil)
                return true
            }
        }
        return false
    }

    /// Whether pins may still hold rows of a deletion, or are about to.
    func mayBePinned(_ tombstone: Tombstone) -> Bool {
        if let running = pins.running, running.job.state.sequence < tombstone.sequence { return true }
        let signals = tombstone.deletion.signals
        if pins.quarantined.contains(where: { signals.contains($0.signal) }) || pins.dead.contains(where: { signals.contains($0.signal) }) { return true }
        let state = core.state
        return signals.contains { signal in
            let filter = DeletionFilter([tombstone], signal: signal, registry: core.registry)
            return state[signal].pinned.contains { filter.touches($0.container) }
        }
    }

    /// Ends what is being written for pins.
    func stopPins() {
        pins.running?.job.budget.cancel()
        if let outcome = pins.thread?.wait() { finishPin(outcome) }
        for order in pins.orders { order.finish(.failure(StoreError.closed)) }
        pins.orders = []
        pins.thread?.stop()
    }
}
