import OrielStore
import OrielTelemetry

extension Maintainer {
    /// Commits a deletion and notes its copy in app.db.
    func delete(_ deletion: Deletion) throws -> DeletionStatus {
        let time = Timestamp.now
        let tombstone = try core.perform { committer in try committer.delete(deletion, at: time) }
        core.crashPoints.reach(.deleteCommitted)
        try AppDatabase.save(tombstone, core: core)
        let remaining = DeletionProgress.remaining(tombstone, core, cleared: [])
        return DeletionStatus(
            sequence: tombstone.sequence, deletion: deletion, time: time, remainingFiles: remaining.count, remainingBytes: remaining.byteCount)
    }

    /// Starts to write a file anew without the rows of deletions.
    ///
    /// - Returns: Whether there is one.
    func startRewrite() throws -> Bool {
        for tombstone in core.state.tombstones {
            for signal in tombstone.deletion.signals.sorted() {
                let filter = DeletionFilter([tombstone], signal: signal, registry: core.registry)
                let cleared = clearedFiles[tombstone.sequence] ?? []
                let candidates = live.values.filter { $0.description.signal == signal && !cleared.contains($0.description.fileID) }
                for file in candidates.sorted(by: { $0.description.fileID < $1.description.fileID }) {
                    // What a damaged file still has would be lost by writing it anew.
                    guard let segment = file.container as? Segment, !core.damage.contains(path: segment.path), filter.touches(segment) else { continue }
                    let task = MergePolicy().rewriting(MergeCandidate(segment))
                    guard hasRoom(for: task) else { continue }
                    try startMerge(task, clearing: tombstone)
                    return true
                }
            }
        }
        return false
    }

    /// Forgets the deletions of which no row is left, neither in a file nor in redo.
    ///
    /// - Returns: Whether there was one.
    func completeDeletions() throws -> Bool {
        for tombstone in core.state.tombstones {
            let remaining = DeletionProgress.remaining(tombstone, core, cleared: clearedFiles[tombstone.sequence] ?? [])
            guard remaining.count == 0, !remaining.isInMemory, !dead.contains(where: { tombstone.deletion.signals.contains($0.signal) }) else { continue }
            // A backup copies app.db, with the files of pins, before hot.db.
            guard !mayBePinned(tombstone), !core.backups.isRunning else { continue }
            // Files that cannot be opened may hold some.
            guard !quarantined.contains(where: { tombstone.deletion.signals.contains($0.signal) }) else { continue }
            let oldestRedo = try core.perform { committer in committer.oldestRedo }
            if let oldestRedo, oldestRedo < tombstone.sequence { continue }
            try core.perform { committer in try committer.removeTombstone(tombstone.sequence) }
            try AppDatabase.complete(tombstone.sequence, at: .now, core: core)
            clearedFiles[tombstone.sequence] = nil
            return true
        }
        return false
    }
}

/// How much of a deletion is still to be done.
enum DeletionProgress {
    struct Remaining {
        /// Files.
        var count = 0
        var byteCount = 0
        /// Whether there may be rows that are in no file yet.
        var isInMemory = false
    }

    /// - Parameter cleared: Files in which none of its rows was found.
    static func remaining(_ tombstone: Tombstone, _ core: StoreCore, cleared: Set<UInt64>) -> Remaining {
        var remaining = Remaining()
        let state = core.state
        for signal in tombstone.deletion.signals {
            let filter = DeletionFilter([tombstone], signal: signal, registry: core.registry)
            for case let segment as Segment in state[signal].files where !cleared.contains(segment.description.fileID) && filter.touches(segment) {
                remaining.count += 1
                remaining.byteCount += segment.description.byteCount
            }
            if state[signal].sealed.contains(where: { filter.touches($0) }) || state[signal].chunks.contains(where: { filter.touch($0) != nil }) {
                remaining.isInMemory = true
            }
        }
        return remaining
    }

    /// All that are known, oldest first.
    static func statuses(_ core: StoreCore) throws -> [DeletionStatus] {
        let active = core.state.tombstones
        var statuses = active.map { tombstone in
            let remaining = remaining(tombstone, core, cleared: [])
            return DeletionStatus(
                sequence: tombstone.sequence, deletion: tombstone.deletion, time: tombstone.time, remainingFiles: remaining.count,
                remainingBytes: remaining.byteCount)
        }
        let known = Set(active.map(\.sequence))
        for kept in try AppDatabase.tombstones(core: core) where !known.contains(kept.tombstone.sequence) {
            // Between the two steps of a completion app.db does not know of it yet.
            statuses.append(
                DeletionStatus(
                    sequence: kept.tombstone.sequence, deletion: kept.tombstone.deletion, time: kept.tombstone.time, completed: kept.completed ?? .now))
        }
        return statuses.sorted { $0.sequence < $1.sequence }
    }
}
