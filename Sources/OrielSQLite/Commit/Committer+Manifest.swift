import OrielStore
import OrielTelemetry

/// What the maintenance thread lets the commit thread do: changes of the manifest, each one transaction and one new published record.
extension Committer {
    /// Puts a sealed run in the place of the first `chunkCount` chunks of a signal.
    func replaceChunks(_ signal: Signal, count chunkCount: Int, by run: (any BlockContainer)?, byteCount: Int) {
        let replaced = core.state[signal].chunks.prefix(chunkCount)
        core.publish(
            core.state.replacing { signals in
                signals[signal].chunks.removeFirst(chunkCount)
                if let run {
                    signals[signal].sealed.append(run)
                }
            })
        core.counters.update { values in
            values.memoryBytes += byteCount
            for chunk in replaced {
                values.memoryBytes -= chunk.byteCount
                values.unsealed[signal, default: .init()].remove(chunk)
            }
        }
    }

    /// Where a flush starts: the last commit, and the sums as of it.
    struct FlushStart: Sendable {
        var high: CommitSequence
        var flushedHigh: CommitSequence
        var sums: DeltaSequencer
    }

    func startFlush() -> FlushStart {
        FlushStart(high: core.state.sequence, flushedHigh: flushedHigh, sums: sequencer)
    }

    /// Gives out `count` file ids, which no crash gives out again.
    func enterWriting(_ descriptions: (UInt64) -> [SegmentDescription]) throws -> [SegmentDescription] {
        try checked("entering files") {
            try hot.transaction {
                let next = UInt64(bitPattern: try hot.meta(.nextFileID) ?? 1)
                let entered = descriptions(next)
                for description in entered {
                    try hot.setSegment(description, .writing)
                }
                let last = entered.map(\.fileID).max() ?? (next - 1)
                try hot.setMeta(.nextFileID, Int64(bitPattern: last + 1))
                return entered
            }
        }
    }

    /// Makes flushed files live and gives their redo up.
    ///
    /// - Parameters:
    ///   - files: What was written, opened, with the manifest's description.
    ///   - sealed: The runs that the files replace, by signal: how many of the oldest.
    func finishFlush(
        _ files: [SegmentFiles.Opened], sealed: [Signal: Int], start: FlushStart,
        memoryBytes: Int
    ) throws {
        let blob = start.sums.sums.isEmpty ? nil : start.sums.encode(core.registry)
        let version = core.state.manifestVersion + 1
        try checked("the flush's transaction") {
            try hot.transaction {
                for file in files {
                    try hot.setSegment(file.description, .live)
                }
                if let blob {
                    try hot.setState("sums", start.high, blob)
                }
                try hot.setMeta(.flushedHigh, Int64(bitPattern: start.high.rawValue))
                try hot.setMeta(.manifestVersion, Int64(bitPattern: version))
            }
        }
        setFlushedHigh(start.high)
        core.publish(
            core.state.replacing(manifestVersion: version) { signals in
                for (signal, count) in sealed {
                    signals[signal].sealed.removeFirst(count)
                }
                for file in files {
                    signals[file.description.signal].segments.append(file.container)
                }
            })
        core.counters.update { values in
            values.flushes += 1
            values.memoryBytes -= memoryBytes
        }
    }

    /// Makes files that were written from others live, and these dead.
    func replaceFiles(
        _ outputs: [SegmentFiles.Opened], inputs: [UInt64], containers: [any BlockContainer], signal: Signal
    ) throws {
        let version = core.state.manifestVersion + 1
        try checked("the exchange of files") {
            try hot.transaction {
                for output in outputs {
                    try hot.setSegment(output.description, .live)
                }
                for input in inputs {
                    try hot.setSegmentState(input, .dead)
                }
                try hot.setMeta(.manifestVersion, Int64(bitPattern: version))
            }
        }
        let gone = Set(containers.map(\.number))
        // The merge may have begun with another registry.
        let bound = outputs.map { $0.container.bound(to: core.registry) }
        core.publish(
            core.state.replacing(manifestVersion: version) { signals in
                signals[signal].segments.removeAll { gone.contains($0.number) }
                signals[signal].segments += bound
            })
    }

    /// Gives up entered files that could not be written: they are unlinked, if they are there, before their rows go.
    func abandonWriting(_ ids: [UInt64]) throws {
        try checked("giving up files") {
            try hot.transaction {
                for id in ids {
                    try hot.setSegmentState(id, .dead)
                }
            }
        }
    }

    /// Takes the rows of unlinked files out of the manifest.
    func removeRows(_ ids: [UInt64]) throws {
        try checked("removing files from the manifest") {
            try hot.transaction {
                for id in ids {
                    try hot.removeSegment(id)
                }
            }
        }
    }

    /// Commits a deletion: it applies to every row that was committed before.
    func delete(_ deletion: Deletion, at time: Timestamp) throws -> Tombstone {
        guard core.state.tombstones.count < Tombstone.limit else {
            throw StoreError.unsupported("more than \(Tombstone.limit) deletions under way; wait until some are complete")
        }
        let tombstone = Tombstone(sequence: nextSequence, time: time, deletion: deletion)
        try checked("the deletion's transaction") {
            try hot.transaction { try hot.setTombstone(tombstone) }
        }
        advanceSequence()
        core.publish(core.state.replacing(sequence: tombstone.sequence, tombstones: core.state.tombstones + [tombstone]))
        core.recent.skip(to: tombstone.sequence)
        return tombstone
    }

    /// Forgets a deletion of which no row is left.
    func removeTombstone(_ sequence: CommitSequence) throws {
        try checked("removing a deletion") {
            try hot.transaction { try hot.removeTombstone(sequence) }
        }
        core.publish(core.state.replacing(tombstones: core.state.tombstones.filter { $0.sequence != sequence }))
    }

    /// Moves a floor up; files wholly below it become dead.
    ///
    /// - Parameter expired: Live files without a row at or above the floor.
    func raiseFloor(_ signal: Signal, to floor: Timestamp, expired: [(id: UInt64, container: any BlockContainer)]) throws {
        guard floor > core.state[signal].floor || !expired.isEmpty else { return }
        let version = core.state.manifestVersion + 1
        try checked("moving a floor") {
            try hot.transaction {
                try hot.setFloor(signal, floor)
                for (id, _) in expired {
                    try hot.setSegmentState(id, .dead)
                }
                try hot.setMeta(.manifestVersion, Int64(bitPattern: version))
            }
        }
        let gone = Set(expired.map(\.container.number))
        core.publish(
            core.state.replacing(manifestVersion: version) { signals in
                signals[signal].floor = max(signals[signal].floor, floor)
                signals[signal].segments.removeAll { gone.contains($0.number) }
            })
    }

    /// Does something to hot.db in one transaction, and changes nothing in memory; a failure is thrown, and any other than of a full disk ends writing for good. With a
    /// ballast to give up, a full disk is tried once more: what heals it comes this way.
    func checked<Value>(_ what: String, _ body: () throws -> Value) throws -> Value {
        if let failure {
            throw StoreError.readOnly(reason: failure)
        }
        do {
            do {
                return try body()
            } catch {
                guard isRolledBack(error), try core.ballast.release() else { throw error }
                return try body()
            }
        } catch {
            if isRolledBack(error) { throw core.diskFull(core.freeSpace.bytes(core, age: 0) ?? 0) }
            fail("\(what) failed: \(error)")
            throw StoreError.readOnly(reason: failure ?? "\(error)")
        }
    }
}
