import OrielStore
import OrielTelemetry

extension Maintainer {
    /// Does the merge that is most worth it.
    ///
    /// - Returns: Whether there was one.
    func mergeOnce() throws -> Bool {
        let policy = MergePolicy()
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
            guard let task = policy.next(segments.map { MergeCandidate($0) }, barriers: barriers, now: .now) else { continue }
            try merge(task)
            return true
        }
        return false
    }

    /// Files of level 0 of a signal.
    func freshFileCount(_ signal: Signal) -> Int {
        live.values.count { $0.description.signal == signal && $0.description.level == 0 }
    }

    private func merge(_ task: MergeTask) throws {
        let inputs = task.inputs.compactMap { live[$0]?.container as? Segment }
        guard inputs.count == task.inputs.count else {
            throw StoreError.unusable(path: core.folder, reason: "a merge names files that are not live")
        }
        let entered = try core.perform { committer in
            try committer.enterWriting { first in task.descriptions(firstID: first) }
        }
        core.crashPoints.reach(.segmentWriting)
        var outputs: [SegmentFiles.Opened] = []
        do {
            let families = task.signal.isMetric ? try core.families.families() : []
            let result = try Merge.run(
                task, entered: entered, inputs: inputs, floor: core.state[task.signal].floor, families: families, store: core.identity,
                registry: core.registry, fileSystem: core.fileSystem, folder: core.folder)
            for description in result.descriptions {
                let segment = try SegmentFiles.open(description, core: core)
                // The inputs go on the strength of this file.
                try segment.verify()
                outputs.append(.init(description: description, container: segment))
            }
        } catch {
            try giveUp(entered)
            // Without the damaged inputs another merge may be possible, so it is no reason to wait.
            guard findDamage(inputs) else { throw error }
            core.counters.noteMaintenanceFailure(error)
            return
        }
        core.crashPoints.reach(.mergeRenamed)
        let written = outputs
        try core.perform { committer in
            try committer.finishMerge(written, inputs: task.inputs, containers: inputs, signal: task.signal)
        }
        core.crashPoints.reach(.mergeCommitted)
        for output in outputs {
            live[output.description.fileID] = output
        }
        retire(task.inputs)
    }

    /// Finds out which inputs of a failed merge are damaged: they stay, answer with what is whole, and are merged no more.
    ///
    /// - Returns: Whether there is one, which is then in the report.
    private func findDamage(_ inputs: [Segment]) -> Bool {
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
