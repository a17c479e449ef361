import OrielStore
import OrielTelemetry

/// A merge that the merge thread does.
struct MergeJob: Sendable {
    /// What came out, and whether a failure comes from a damaged input, which is then in the damage report.
    struct Outcome: Sendable {
        var files: Result<[SegmentFiles.Opened], any Error>
        /// Samples that others of the same stream and time replaced by other values.
        var conflictCount = 0
        /// The outputs as the manifest has entered them.
        var entered: [SegmentDescription] = []
        var isDamaged = false
        /// The one input has no row of the deletion for whose sake it was to be written anew.
        var isCleared = false
    }

    var task: MergeTask
    var inputs: [Segment]
    /// What the references of the inputs are of.
    var registry: StreamRegistry
    var floor: Timestamp
    /// Those whose rows are left out.
    var tombstones: [Tombstone]
    /// The one for whose sake the only input is written anew.
    var clearing: Tombstone?
    var pacer: MergePacer

    func cancel() { pacer.cancel() }

    /// Writes, opens and checks the outputs.
    func run(_ core: StoreCore) -> Outcome {
        var entered: [SegmentDescription] = []
        do {
            if let clearing, try !inputs.contains(where: { try hasRows(of: clearing, $0) }) {
                return Outcome(files: .success([]), isCleared: true)
            }
            let task = task
            let applied = tombstones.last?.sequence ?? inputs.map(\.appliedDeletions).min() ?? .zero
            entered = try core.perform { committer in
                try committer.enterWriting { first in
                    task.descriptions(firstID: first).map { description in
                        var description = description
                        description.appliedDeletions = applied
                        return description
                    }
                }
            }
            core.crashPoints.reach(.segmentWriting)
            let families = task.signal.isMetric ? try core.families.families() : []
            let result = try Merge.run(
                task, entered: entered, inputs: inputs, floor: floor, families: families, store: core.identity, registry: registry,
                fileSystem: core.fileSystem, folder: core.folder, tombstones: tombstones, pacer: pacer)
            let files = try result.descriptions.map { description in
                let segment = try SegmentFiles.open(description, core: core)
                // The inputs go on the strength of this file.
                try segment.verify()
                return SegmentFiles.Opened(description: description, container: segment)
            }
            return Outcome(files: .success(files), conflictCount: result.conflictCount, entered: entered)
        } catch {
            return Outcome(files: .failure(error), entered: entered, isDamaged: pacer.isCancelled ? false : findDamage())
        }
    }

    /// Whether a file has a row of a deletion.
    private func hasRows(of tombstone: Tombstone, _ segment: Segment) throws(StoreError) -> Bool {
        var filter = DeletionFilter([tombstone], signal: segment.signal, registry: registry)
        for header in segment.blocks {
            try pacer.check()
            guard let touch = filter.touch(header, of: segment) else { continue }
            let batch = try segment.read(block: header.index, rows: nil, projection: touch.projection)
            if filter.remaining(nil, of: batch, touch).count < batch.count { return true }
        }
        return false
    }

    /// Finds out which inputs of a failed merge are damaged: they stay, answer with what is whole, and are merged no more.
    ///
    /// - Returns: Whether there is one, which is then in the report.
    private func findDamage() -> Bool {
        var isDamaged = false
        for input in inputs {
            do throws(StoreError) {
                try input.verify()
            } catch {
                // Anything else than damage, such as too little memory, is the failure of the merge itself.
                if error.isDamage { isDamaged = true }
            }
        }
        return isDamaged
    }
}

extension Maintainer {
    /// Merged files span at most one part of so many of a signal's retention.
    private static let filesPerRetention: Int64 = 16

    /// Starts the merge that is most worth it.
    ///
    /// - Returns: Whether there is one.
    func startMerge() throws -> Bool {
        // Where most files wait first: no signal holds up another for long.
        let signals = Signal.allCases.map { (signal: $0, count: freshFileCount($0)) }.sorted { ($1.count, $0.signal) < ($0.count, $1.signal) }
        for (signal, _) in signals {
            var segments: [Segment] = []
            var barriers = quarantined.filter { $0.signal == signal }.flatMap(\.pieces)
            for case let segment as Segment in live.values.map(\.container) where segment.signal == signal {
                // A damaged file stays and answers with what is whole; a merge would lose the rest of it.
                if core.damage.contains(path: segment.path) { barriers += segment.description.pieces } else { segments.append(segment) }
            }
            guard segments.count > 1 else { continue }
            var policy = MergePolicy()
            policy.maximumSpan = core.options.retention[signal].map { $0 / Maintainer.filesPerRetention }
            guard let task = policy.next(segments.map { MergeCandidate($0) }, barriers: barriers, now: .now), hasRoom(for: task) else { continue }
            try startMerge(task)
            return true
        }
        return false
    }

    /// Whether the disk can take the outputs of a merge beside its inputs.
    func hasRoom(for task: MergeTask) -> Bool {
        hasRoom(forBytes: task.inputs.reduce(Int64(0)) { $0 + Int64(live[$1]?.description.byteCount ?? 0) })
    }

    /// Whether the disk can take so many more bytes for a while.
    func hasRoom(forBytes bytes: Int64) -> Bool {
        guard let free = core.freeSpace.bytes(core) else { return true }
        return free - bytes >= core.options.freeSpaceFloor / 2
    }

    /// Files of level 0 of a signal.
    private func freshFileCount(_ signal: Signal) -> Int {
        live.values.count { $0.description.signal == signal && $0.description.level == 0 }
    }

    /// - Parameter clearing: The deletion for whose sake one file is written anew.
    func startMerge(_ task: MergeTask, clearing: Tombstone? = nil) throws {
        let inputs = task.inputs.compactMap { live[$0]?.container as? Segment }
        guard inputs.count == task.inputs.count else {
            throw StoreError.unusable(path: core.folder, reason: "a merge names files that are not live")
        }
        let state = core.state
        let job = MergeJob(
            task: task, inputs: inputs, registry: state.registry, floor: state[task.signal].floor, tombstones: state.tombstones, clearing: clearing,
            pacer: MergePacer(core.commits, files: core.files))
        runningMerge = job
        noteMergeDebt()
        let core = core
        mergeThread.start { .merge(job.run(core)) }
    }

    /// Makes the merged files live and their inputs dead.
    func finishMerge(_ outcome: MergeJob.Outcome) throws {
        guard let job = runningMerge else { return }
        unfinishedMerge = nil
        defer {
            if unfinishedMerge == nil { runningMerge = nil }
            noteMergeDebt()
        }
        let outputs: [SegmentFiles.Opened]
        do {
            outputs = try outcome.files.get()
        } catch {
            try giveUp(outcome.entered)
            if job.pacer.isCancelled { return }
            // Without the damaged inputs another merge may be possible, so it is no reason to wait.
            guard outcome.isDamaged else { throw error }
            core.counters.noteMaintenanceFailure(error)
            return
        }
        if outcome.isCleared {
            if let clearing = job.clearing { clearedFiles[clearing.sequence, default: []].formUnion(job.task.inputs) }
            return
        }
        core.crashPoints.reach(.mergeRenamed)
        let task = job.task
        let inputs = job.inputs
        do {
            try core.perform { committer in
                try committer.replaceFiles(outputs, inputs: task.inputs, containers: inputs, signal: task.signal)
            }
        } catch {
            // The files are whole; their transaction goes well when there is space again.
            if Maintainer.isFull(error) { unfinishedMerge = outcome }
            throw error
        }
        let bytes = outputs.reduce(0) { $0 + $1.description.byteCount }
        core.counters.update { values in
            values.merges += 1
            values.mergedBytes += bytes
        }
        core.counters.noteConflicts(task.signal, outcome.conflictCount)
        core.crashPoints.reach(.mergeCommitted)
        for output in outputs {
            live[output.description.fileID] = output
        }
        takeOverPublishedFiles()
        retire(task.inputs)
        // A floor that moved meanwhile may be above all of it.
        runningMerge = nil
        try raiseFloor(task.signal, to: core.state[task.signal].floor)
    }

    /// Tells appends how many files wait for merges. Files that no merge can take, such as beside a damaged one, are no debt.
    func noteMergeDebt() {
        let count = runningMerge == nil ? 0 : Signal.allCases.map { freshFileCount($0) }.max() ?? 0
        core.counters.update { $0.mergeDebt = count }
        core.gate.changed()
    }
}
