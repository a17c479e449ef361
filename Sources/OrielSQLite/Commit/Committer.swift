import OrielCompression
import OrielStore
import OrielTelemetry
import OrielThreads

/// The commit thread's own: hot.db and all that changes with a commit. Never leaves that thread.
///
/// A group of requests is one transaction; when it is on the disk, the rows are published, and then everybody is told. The first commit that fails ends
/// writing until a restart, since nobody can know what the disk holds.
///
/// A full disk is another matter. Whether there is room is asked before anything is done, so that it should not come to more; if others take the space meanwhile and a
/// *write* finds none, the mark that makes the transaction one is not in the log, SQLite has rolled it back, and so does this object what it keeps in memory. The group
/// is refused, and the next one may go well. Only sums of delta points cannot be taken back. A failed synchronisation is never forgiven.
final class Committer {
    let core: StoreCore
    let hot: HotDatabase
    let lock: StoreLock
    /// The start number of the sequences that are given out now.
    private(set) var start: UInt32
    /// The start at which the present registry began; labels in hot.db from there on use its references.
    private var labelsStart: UInt32
    private var nextCommit: UInt32 = 1
    private(set) var nextOrds: [Signal: UInt64]
    var seen: SeenRequests
    var sequencer: DeltaSequencer
    /// Redo in hot.db, oldest first, with the first that is still there at `redoHead`.
    private var redo: [(sequence: CommitSequence, byteCount: Int)]
    private var redoHead = 0
    private var redoByteCount: Int
    /// Bytes of redo above what is flushed.
    private(set) var unflushedRedoBytes: Int
    private(set) var flushedHigh: CommitSequence
    /// The lowest start whose stream labels are still in hot.db.
    private var oldestLabels: UInt32
    /// By reference, whether the stream's labels were written into hot.db since ``labelsStart``; that a file has them does not help redo.
    private var isLabelled: [Bool] = []
    /// When which stream had rows last.
    private(set) var streamUse = StreamUse()
    private var compressor = ZstdCompressor(level: 1)
    private var lastExpiry = Timestamp.now
    private var lastIdle = Timestamp.now
    /// Whether hot.db is being copied: checkpoints, which alone change the file, wait as long as the log allows.
    var holdsCheckpoints = false
    private(set) var checkpointCount = 0
    /// Why nothing is written any more.
    private(set) var failure: String?

    /// What recovery hands over.
    struct Inheritance {
        var hot: HotDatabase
        var lock: StoreLock
        var start: UInt32
        var seen: SeenRequests
        var sequencer: DeltaSequencer
        var redo: [(sequence: CommitSequence, byteCount: Int)]
        var flushedHigh: CommitSequence
        var oldestLabels: UInt32
    }

    init(_ core: StoreCore, _ inheritance: Inheritance) {
        self.core = core
        hot = inheritance.hot
        lock = inheritance.lock
        start = inheritance.start
        labelsStart = inheritance.start
        nextOrds = Committer.firstOrds(inheritance.start)
        seen = inheritance.seen
        sequencer = inheritance.sequencer
        redo = inheritance.redo
        flushedHigh = inheritance.flushedHigh
        oldestLabels = inheritance.oldestLabels
        redoByteCount = 0
        unflushedRedoBytes = 0
        for entry in redo {
            redoByteCount += entry.byteCount
            unflushedRedoBytes += entry.sequence > flushedHigh ? entry.byteCount : 0
        }
        countRedo()
    }

    /// Row numbers of a start begin above those of all earlier ones, so that no file need be asked for its last. A start has room for 10^12 rows of a signal.
    private static func firstOrds(_ start: UInt32) -> [Signal: UInt64] {
        Dictionary(uniqueKeysWithValues: RedoRecord.signalsWithOrds.map { ($0, UInt64(start) << 40) })
    }

    /// Notes that all rows up to `sequence` are in files: their redo may go.
    func setFlushedHigh(_ sequence: CommitSequence) {
        flushedHigh = sequence
        unflushedRedoBytes = redo[redoHead...].reduce(0) { $0 + ($1.sequence > sequence ? $1.byteCount : 0) }
        // The maintenance thread would else take the flush that it just did for due.
        countRedo()
    }

    // MARK: The thread's loop

    /// Works until the queue is closed and empty.
    func run() {
        while true {
            let isIdle = failure == nil && hasDeletableRows
            guard let work = core.commits.take(weight: core.options.groupCommitBytes, timeout: isIdle ? .milliseconds(200) : .seconds(1)) else {
                break
            }
            var group: [PendingAppend] = []
            var hasAppends = false
            for item in work {
                switch item {
                case .append(let append):
                    group.append(append)
                    hasAppends = true
                case .perform(let body):
                    commit(group)
                    group = []
                    body(self)
                }
            }
            commit(group)
            // Orders of the maintenance thread are no reason to keep old redo.
            if work.isEmpty || (!hasAppends && Timestamp.now.nanoseconds.subtractingSaturating(lastIdle.nanoseconds) > 200_000_000) {
                idle()
            }
        }
    }

    private func idle() {
        guard failure == nil else { return }
        lastIdle = .now
        write("idle") {
            try deleteOldRows(atLeast: 4 << 20)
            compactRedo()
            countRedo()
        }
        let now = Timestamp.now
        // The clock may have been set back.
        lastExpiry = min(lastExpiry, now)
        // Markers are taken out of the sums before they are written, so there must be room for them.
        if now.nanoseconds - lastExpiry.nanoseconds > 60_000_000_000, lackOfSpace(for: []) == nil {
            lastExpiry = now
            let markers = sequencer.expire(now: now)
            if !markers.isEmpty {
                commit([], derived: markers)
            }
        }
    }

    /// Brings the log into the database file.
    func checkpoint() throws {
        checkpointCount += 1
        try hot.checkpoint()
    }

    /// Checkpoints and closes hot.db and gives the lock up.
    func close() {
        do {
            if failure == nil {
                try hot.checkpoint()
            }
            try hot.close()
        } catch {
            core.counters.update { $0.readOnlyReason = "closing failed: \(error)" }
        }
        lock.release()
    }

    // MARK: Commit

    private func commit(_ requests: [PendingAppend], derived: [ColumnBatch] = []) {
        let group = requests.compactMap { translated($0) }
        guard !group.isEmpty || !derived.isEmpty else { return }
        if let failure {
            for append in group {
                append.finish(.failure(.readOnly(reason: failure)))
            }
            return
        }
        if !group.isEmpty, let full = lackOfSpace(for: group) {
            for append in group { append.finish(.failure(full)) }
            return
        }
        let now = Timestamp.now
        var contents = CommitContents(sequence: nextSequence)
        for append in group {
            if let key = append.key {
                if let receipt = seen.receipt(key, now: now) {
                    var receipt = receipt
                    receipt.isDuplicate = true
                    core.counters.update { $0.duplicateRequests += 1 }
                    append.finish(.success(receipt))
                    continue
                }
                if contents.join(key, append) {
                    core.counters.update { $0.duplicateRequests += 1 }
                    continue
                }
            }
            contents.add(append, &sequencer, now: now)
        }
        contents.derived += derived
        guard !contents.isEmpty else {
            contents.finish()
            return
        }

        do {
            try contents.encodeDerived(&compressor)
            contents.chunks = contents.number(&nextOrds)
            try storeOrRoll(contents, now: now)
        } catch {
            if contents.derived.isEmpty, isRolledBack(error) {
                // The number is not given out again: a part of the transaction may lie in the log.
                advanceSequence()
                contents.fail(core.diskFull(core.freeSpace.bytes(core, age: 0) ?? 0))
            } else {
                // A compressor out of memory and a failed transaction leave the same doubt: the sums have moved on.
                fail("commit failed: \(error)")
                contents.fail(.readOnly(reason: failure ?? "the commit failed"))
            }
            return
        }
        core.crashPoints.reach(.commitDurable)
        advanceSequence()
        finish(contents, now: now)
        if hot.loggedBytes >= (holdsCheckpoints ? Committer.copyLogBytes : core.options.checkpointBytes) {
            checkpointOrWait()
        }
    }

    /// A request with references of the present registry. One that was made ready before the registry was exchanged is made ready again; if that cannot be done, it is told.
    private func translated(_ append: PendingAppend) -> PendingAppend? {
        let registry = core.registry
        guard append.registry !== registry else { return append }
        do {
            return try append.translated(to: registry, &compressor)
        } catch {
            append.finish(.failure(.overloaded(retryAfterSeconds: 1)))
            return nil
        }
    }

    /// Copies the log into hot.db. Without space for that the log stays, which holds everything, and the next commit tries again.
    private func checkpointOrWait() {
        do {
            try checkpoint()
        } catch {
            if !isRolledBack(error) { fail("checkpoint failed: \(error)") }
            return
        }
        core.crashPoints.reach(.checkpointDone)
    }

    /// Why a group cannot be taken now: the file system must have room for its log and for copying the log into hot.db.
    private func lackOfSpace(for group: [PendingAppend]) -> StoreError? {
        let bytes = group.reduce(0) { $0 + $1.byteCount }
        let needed = Int64(hot.loggedBytes) + 2 * Int64(bytes) + Committer.spareBytes
        // Asked anew for each commit when there is not plenty.
        guard var free = core.freeSpace.bytes(core) else { return nil }
        if free < 64 * needed { free = core.freeSpace.bytes(core, age: 0) ?? .max }
        guard free < needed else { return nil }
        core.maintenanceSignal.notify()
        return .diskFull(freeBytes: Int(free), neededBytes: Int(max(needed, core.freeSpaceNeeded)), retryAfterSeconds: 30)
    }

    /// Bytes for what is not counted in a commit: pages that are changed beside it.
    private static let spareBytes: Int64 = 1 << 20

    /// Whether a transaction failed only because a write found no space, so that it is not on the disk and the next one may go well.
    func isRolledBack(_ error: any Error) -> Bool {
        guard let error = error as? SQLiteError, .full ~= error.code, !hot.isInTransaction else { return false }
        core.counters.update { $0.fullWrites += 1 }
        core.maintenanceSignal.notify()
        return true
    }

    /// The transaction of a commit. When it finds no space, what it changed in memory is put back; with a ballast to give up, it is tried once more.
    private func storeOrRoll(_ contents: CommitContents, now: Timestamp) throws {
        let marks = RedoMarks(head: redoHead, count: redo.count, byteCount: redoByteCount, unflushed: unflushedRedoBytes, oldestLabels: oldestLabels)
        let families = core.families.unknown(contents.families)
        let roll = { [self] in
            redo.removeLast(redo.count - marks.count)
            redoHead = marks.head
            redoByteCount = marks.byteCount
            unflushedRedoBytes = marks.unflushed
            oldestLabels = marks.oldestLabels
        }
        do {
            try store(contents, families, now: now)
        } catch {
            guard isRolledBack(error) else { throw error }
            roll()
            guard try core.ballast.release() else { throw error }
            do {
                try store(contents, families, now: now)
            } catch {
                roll()
                throw error
            }
        }
        core.families.note(families)
        compactRedo()
    }

    /// What a transaction changes in memory before it is on the disk.
    private struct RedoMarks {
        var head: Int
        var count: Int
        var byteCount: Int
        var unflushed: Int
        var oldestLabels: UInt32
    }

    /// The transaction of a commit.
    private func store(_ contents: CommitContents, _ families: [MetricFamily], now: Timestamp) throws {
        let newStreams = contents.references { Int($0) >= isLabelled.count || !isLabelled[Int($0)] }
        try hot.transaction {
            var added = 0
            if contents.hasRows {
                let record = RedoRecord.encode(firstOrds: contents.firstOrds, frames: contents.frames)
                added = record.count
                try hot.append(.redo, contents.sequence, record)
                redo.append((contents.sequence, added))
                redoByteCount += added
                unflushedRedoBytes += added
            }
            if !newStreams.isEmpty {
                let entries = newStreams.map { reference in
                    StreamRecord.Entry(
                        reference: reference, id: core.registry.id(of: reference), descriptor: core.registry.descriptor(of: reference))
                }
                try hot.append(.streams, contents.sequence, StreamRecord.encode(entries, compressor: &compressor))
            }
            let keys = contents.keys
            if !keys.isEmpty, seen.window > 0 {
                try hot.appendSeen(contents.sequence, time: now, SeenRecord.encode(keys))
            }
            for family in families {
                try hot.setFamily(family, contents.sequence)
            }
            if let expired = seen.expire(now: now) {
                try hot.deleteSeen(through: expired)
            }
            try deleteOldRows(atLeast: added == 0 ? 0 : max(1 << 20, 2 * added))
        }
        if let last = newStreams.max() {
            isLabelled.append(contentsOf: repeatElement(false, count: max(0, Int(last) + 1 - isLabelled.count)))
        }
        for reference in newStreams {
            isLabelled[Int(reference)] = true
        }
        streamUse.note(contents, now: now)
    }

    /// Publishes a commit that is on the disk and tells those who wait.
    private func finish(_ contents: CommitContents, now: Timestamp) {
        let chunks = contents.chunks
        core.publish(
            core.state.replacing(sequence: contents.sequence) { signals in
                for chunk in chunks {
                    signals[chunk.batch.signal].chunks.append(chunk)
                }
            })
        core.recent.append(chunks, sequence: contents.sequence)
        core.counters.update { values in
            values.commits += 1
            for chunk in chunks {
                values.appendedRows[chunk.batch.signal, default: 0] += chunk.batch.count
                values.memoryBytes += chunk.byteCount
                values.unsealed[chunk.batch.signal, default: .init()].add(chunk)
            }
        }
        countRedo()
        for (key, receipt) in contents.receipts {
            seen.insert(key, receipt, time: now)
        }
        contents.finish()
        let counted = core.counters.current
        if counted.unflushedRedoBytes >= core.options.flushBytes || counted.memoryBytes > core.options.memoryBytes || counted.isSealDue(core.options) {
            core.maintenanceSignal.notify()
        }
    }

    /// Deletes redo that is flushed, and labels that no redo needs, until `byteCount` bytes of redo are gone.
    private func deleteOldRows(atLeast byteCount: Int) throws {
        var deleted = 0
        var last: CommitSequence?
        var head = redoHead
        while head < redo.count, redo[head].sequence <= flushedHigh, deleted < byteCount {
            deleted += redo[head].byteCount
            last = redo[head].sequence
            head += 1
        }
        if let last {
            try hot.delete(.redo, through: last)
            redoHead = head
            redoByteCount -= deleted
        }
        let needed = oldestNeededLabels
        if needed > oldestLabels {
            let isDone = try hot.deleteFirst(
                .streams, through: CommitSequence(start: needed - 1, commit: .max), byteLimit: Committer.labelBytesPerCommit)
            if isDone { oldestLabels = needed }
        }
    }

    /// Bytes of labels that one commit deletes.
    private static let labelBytesPerCommit = 1 << 20

    /// The lowest start whose labels redo needs: references belong to a registry, so those of earlier ones are needed as long as their redo.
    private var oldestNeededLabels: UInt32 {
        redoHead < redo.count ? min(redo[redoHead].sequence.start, labelsStart) : labelsStart
    }

    /// Lets entries of deleted redo go, once their deletion is on the disk.
    private func compactRedo() {
        if redoHead > 1024, redoHead * 2 > redo.count {
            redo.removeFirst(redoHead)
            redoHead = 0
        }
    }

    private var hasDeletableRows: Bool {
        (redoHead < redo.count && redo[redoHead].sequence <= flushedHigh) || oldestNeededLabels > oldestLabels
    }

    /// Does something to hot.db; a failure other than of a full disk ends writing for good.
    @discardableResult
    func write(_ what: String, _ body: () throws -> Void) -> Bool {
        guard failure == nil else { return false }
        do {
            try body()
            return true
        } catch {
            if !isRolledBack(error) { fail("\(what) failed: \(error)") }
            return false
        }
    }

    func fail(_ reason: String) {
        guard failure == nil else { return }
        failure = reason
        core.counters.update { $0.readOnlyReason = reason }
    }

    /// The number of the next commit.
    var nextSequence: CommitSequence { CommitSequence(start: start, commit: nextCommit) }

    /// The first redo that hot.db still has.
    var oldestRedo: CommitSequence? { redoHead < redo.count ? redo[redoHead].sequence : nil }

    func advanceSequence() {
        guard nextCommit == .max else {
            nextCommit += 1
            return
        }
        // Four thousand million commits of one start.
        write("start number") { try beginStart() }
    }

    /// Goes on with the next start number, which is made known before it is used.
    private func beginStart() throws {
        let next = start + 1
        try lock.write(.init(identity: core.identity, start: next))
        core.crashPoints.reach(.lockWritten)
        try hot.setMeta(.start, Int64(next))
        start = next
        nextCommit = 1
        // Labels belong to a start.
        isLabelled = []
    }

    /// Publishes all rows with references of another registry, to which requests turn from then on. The streams of what is in no file yet are taken over, and those of delta
    /// sums; all others come back when they are met again. Redo refers to the labels of a start, so a new one begins.
    ///
    /// Must not be called while a flush is running, which writes with the references that it began with.
    ///
    /// - Returns: Whether there is a start number for it, and space to write that down.
    /// - Complexity: O(*rows that are not sealed*) + O(*streams taken over*).
    func exchangeRegistry(for registry: StreamRegistry) throws -> Bool {
        // Without redo to come no start number is needed.
        if failure == nil {
            guard start < Committer.lastStartOfRegistry, lackOfSpace(for: []) == nil else { return false }
            try checked("a new start number") { try beginStart() }
        }
        var translation = StreamTranslation(from: core.registry, to: registry)
        labelsStart = start
        // They are kept because they had rows lately.
        streamUse = StreamUse(count: registry.count, now: .now)
        sequencer.translate(&translation)
        let present = core.state
        var signals = Signal.allCases.map { present[$0] }
        for index in signals.indices {
            signals[index].chunks = ChunkList(signals[index].chunks.map { translation.translate($0, isCounted: true) })
            signals[index].sealed = signals[index].sealed.map { $0.bound(to: registry) }
            signals[index].segments = signals[index].segments.map { $0.bound(to: registry) }
            for file in signals[index].pinned.indices {
                signals[index].pinned[file].container = signals[index].pinned[file].container.bound(to: registry)
            }
        }
        core.publish(present.replacing(registry: registry) { $0 = signals })
        core.recent.translate(&translation)
        core.counters.update { $0.registryExchanges += 1 }
        return true
    }

    /// Row numbers leave room for 2^24 starts; half of them are for openings.
    private static let lastStartOfRegistry: UInt32 = 1 << 23

    private func countRedo() {
        let (bytes, unflushed) = (redoByteCount, unflushedRedoBytes)
        core.counters.update { values in
            values.redoBytes = bytes
            values.unflushedRedoBytes = unflushed
        }
    }
}
