import OrielStore
import OrielTelemetry

extension Maintainer {
    /// Does the merge that is most worth it.
    ///
    /// - Returns: Whether there was one.
    func mergeOnce() throws -> Bool {
        let policy = MergePolicy()
        for signal in Signal.allCases {
            let segments = live.values.compactMap { $0.container as? Segment }.filter { $0.signal == signal && !damaged.contains($0.description.fileID) }
            guard segments.count > 1 else { continue }
            let barriers =
                quarantined.filter { $0.signal == signal }.flatMap(\.pieces)
                + live.values.filter { $0.description.signal == signal && damaged.contains($0.description.fileID) }.flatMap(\.description.pieces)
            guard let task = policy.next(segments.map { MergeCandidate($0) }, barriers: barriers, now: .now) else { continue }
            try merge(task)
            return true
        }
        return false
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
            noteDamage(inputs)
            throw error
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
    private func noteDamage(_ inputs: [Segment]) {
        for input in inputs {
            do {
                try input.verify()
            } catch {
                damaged.insert(input.description.fileID)
                core.counters.update { $0.quarantinedFiles += 1 }
            }
        }
    }
}
