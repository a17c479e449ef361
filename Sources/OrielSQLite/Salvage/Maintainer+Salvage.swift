import OrielStore
import OrielTelemetry

/// What the merge thread has done.
enum MergeThreadOutput: Sendable {
    case merge(MergeJob.Outcome)
    case salvage(SalvageJob.Outcome)
}

/// What the maintenance thread knows of salvages.
struct SalvageKeeping {
    /// An order under way.
    struct Run {
        var order: MaintenanceRequests.SalvageOrder
        /// Damaged files that are still to be done.
        var waiting: [SegmentDescription]
        var total: Int
        var report: SalvageReport
    }

    var orders: [MaintenanceRequests.SalvageOrder] = []
    var run: Run?
    /// What the merge thread is writing.
    var job: SalvageJob?

    var isBusy: Bool { run != nil || !orders.isEmpty }
}

extension Maintainer {
    /// Whether the merge thread writes something, or its output waits for a transaction.
    var isMergeThreadBusy: Bool { runningMerge != nil || salvages.job != nil }

    /// Whether a file is being written anew.
    func isInput(_ fileID: UInt64) -> Bool {
        runningMerge?.task.inputs.contains(fileID) ?? false || salvages.job?.description.fileID == fileID
    }

    /// Begins the next salvage as soon as no merge is running, or ends an order.
    ///
    /// - Returns: Whether there was something to do.
    func stepSalvage() -> Bool {
        guard salvages.isBusy, !isMergeThreadBusy else { return false }
        if salvages.run == nil {
            let order = salvages.orders.removeFirst()
            let damaged = live.values.map(\.description).filter { self.core.damage.contains(path: self.core.folder + "/" + $0.path) } + quarantined
            salvages.run = SalvageKeeping.Run(
                order: order, waiting: damaged.sorted { ($0.signal, $0.fileID) < ($1.signal, $1.fileID) }, total: damaged.count, report: order.report)
            reportProgress()
        }
        guard var run = salvages.run else { return false }
        guard !run.waiting.isEmpty else {
            salvages.run = nil
            run.report.failures += pinProblems()
            run.order.finish(.success(run.report))
            return true
        }
        let description = run.waiting.removeFirst()
        salvages.run = run
        let container = live[description.fileID]?.container
        // Retention may have taken it meanwhile.
        guard container != nil || quarantined.contains(description) else { return true }
        guard hasRoom(forBytes: Int64(description.byteCount)) else {
            fail(description, core.diskFull(core.freeSpace.bytes(core) ?? 0))
            return true
        }
        let job = SalvageJob(description: description, container: container, pacer: MergePacer(core.commits, files: core.files))
        salvages.job = job
        let core = core
        mergeThread.start { .salvage(job.run(core)) }
        return true
    }

    /// Puts the new file in the damaged one's place.
    func endSalvage(_ outcome: SalvageJob.Outcome) {
        guard let job = salvages.job else { return }
        salvages.job = nil
        do {
            let opened = try outcome.file.get()
            core.crashPoints.reach(.salvageRenamed)
            let containers = job.container.map { [$0] } ?? []
            let description = job.description
            try core.perform { committer in
                try committer.replaceFiles([opened], inputs: [description.fileID], containers: containers, signal: description.signal)
            }
            core.crashPoints.reach(.salvageCommitted)
            exchange(job.description, opened)
            note(job.description, opened, outcome)
        } catch {
            fail(job.description, error)
            attempt { try giveUp(outcome.entered) }
            reportProgress()
            return
        }
        // A floor that moved meanwhile may be above all of it.
        attempt { try raiseFloor(job.description.signal, to: core.state[job.description.signal].floor) }
        reportProgress()
    }

    private func exchange(_ description: SegmentDescription, _ opened: SegmentFiles.Opened) {
        let path = core.folder + "/" + description.path
        if live[description.fileID] != nil {
            retire([description.fileID])
        } else {
            quarantined.removeAll { $0.fileID == description.fileID }
            dead.append(DeadFile(id: description.fileID, signal: description.signal, path: path, lifetime: nil))
        }
        live[opened.description.fileID] = opened
        core.damage.forget(path: path)
    }

    private func note(_ description: SegmentDescription, _ opened: SegmentFiles.Opened, _ outcome: SalvageJob.Outcome) {
        let saved = opened.description.rowCount
        var receipt = SalvageReceipt(
            signal: description.signal, file: description.path, replacement: opened.description.path,
            kept: String(outcome.kept.dropFirst(core.folder.count + 1)), savedRows: saved, incompleteRows: outcome.losses.incompleteRows,
            lostRows: max(0, description.rowCount - saved))
        receipt.losses = outcome.losses.list
        receipt.remade = outcome.remade
        salvages.run?.report.receipts.append(receipt)
        attempt {
            let count = try UnknownFiles.names(core.folder, files: core.files).count
            core.counters.update { $0.unknownFiles = count }
        }
    }

    private func fail(_ description: SegmentDescription, _ error: any Error) {
        salvages.run?.report.failures.append(.init(place: core.folder + "/" + description.path, reason: "\(error)"))
        core.counters.noteMaintenanceFailure(error)
    }

    /// Does what is done later if it fails now.
    private func attempt(_ body: () throws -> Void) {
        do {
            try body()
        } catch {
            core.counters.noteMaintenanceFailure(error)
        }
    }

    /// Damaged files of pins, whose rows are copies.
    private func pinProblems() -> [StoreExamination.Problem] {
        let open = Signal.allCases.flatMap { core.state[$0].pinned }.compactMap { ($0.container as? Segment)?.path }.filter { core.damage.contains(path: $0) }
        let closed = pins.quarantined.map { core.folder + "/" + $0.path }
        return (open + closed).sorted().map { .init(place: $0, reason: "it is a pin's; give the pin up, and pin anew what is still there") }
    }

    private func reportProgress() {
        guard let run = salvages.run else { return }
        run.order.progress(.init(files: run.total - run.waiting.count, totalFiles: run.total, checkedFiles: run.report.checkedFiles))
    }

    /// Tells all who wait that the store is closing. What is being written has been ended before.
    func stopSalvages() {
        let orders = salvages.orders + (salvages.run.map { [$0.order] } ?? [])
        salvages.orders = []
        salvages.run = nil
        for order in orders { order.finish(.failure(StoreError.closed)) }
    }
}
