public import OrielStore
public import OrielTelemetry
import OrielThreads
import Synchronization

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// The embedded store: a folder with one small SQLite database for what just came, and immutable SQLite files of columns for all else.
///
/// One process has a folder open at a time. ``append(_:)`` returns when the rows are on the disk; requests that wait together share one commit.
///
/// - Note: A store that is released without ``close()`` is as after a crash: nothing acknowledged is lost, and the next ``open(folder:options:)`` replays the redo.
public final class SQLiteStore: TelemetryStore {
    let core: StoreCore
    let requests: MaintenanceRequests
    private let workers: ScanWorkers
    private let scrubber: Scrubber
    private let threads: Mutex<Threads>

    private struct Threads {
        var commit: OwnThread?
        var maintenance: OwnThread?
        var scrub: OwnThread?
        var isClosing = false
    }

    /// What the opening thread hands over.
    private struct Opened: Sendable {
        var core: StoreCore
        var live: [SegmentFiles.Opened]
        var quarantined: [SegmentDescription]
        var quarantinedPins: [SegmentDescription]
        var isRebuilt: Bool
    }

    /// Opens the store in `folder`, an absolute path, which is made when missing; repairs what a crash left, and replays the redo.
    ///
    /// - Throws: ``StoreError/locked(path:processID:)``, ``StoreError/newerFormat(path:found:supported:)``, ``StoreError/unusable(path:reason:)``.
    public static func open(folder: String, options: StoreOptions = StoreOptions()) async throws(StoreError) -> SQLiteStore {
        try await open(folder: folder, options: options, files: POSIXFileLayer())
    }

    /// Opens the store on a file layer of its own, for tests.
    static func open(
        folder: String, options: StoreOptions = StoreOptions(), files: any FileLayer, crashPoints: CrashPoints = CrashPoints()
    ) async throws(StoreError) -> SQLiteStore {
        let (thread, result) = await withCheckedContinuation {
            (continuation: CheckedContinuation<(OwnThread?, Result<Opened, StoreError>), Never>) in
            let opening = Opening(continuation)
            do {
                // hot.db lives on this thread from its opening to its closing.
                let thread = try OwnThread(name: "oriel-commit") {
                    let committer = recover(Recovery(folder: folder, options: options, files: files, crashPoints: crashPoints), opening)
                    committer?.run()
                    committer?.close()
                }
                opening.started(thread)
            } catch {
                opening.finish(.failure(.unusable(path: folder, reason: "\(error)")))
                opening.started(nil)
            }
        }
        let opened = try result.get()
        let store: SQLiteStore
        do {
            store = try SQLiteStore(opened, commit: thread)
        } catch {
            opened.core.commits.close()
            throw .unusable(path: folder, reason: "\(error)")
        }
        if opened.isRebuilt {
            // What was found in redo goes into files before new commits can mix with it.
            try await store.flush()
        }
        return store
    }

    /// Recovers on the commit thread and tells the opener. Nothing that is handed over stays with that thread: a file goes when the last that holds it lets it go.
    private static func recover(_ recovery: Recovery, _ opening: Opening<Opened>) -> Committer? {
        do {
            let recovered = try recovery.run()
            opening.finish(
                .success(
                    Opened(
                        core: recovered.committer.core, live: recovered.live, quarantined: recovered.quarantined, quarantinedPins: recovered.quarantinedPins,
                        isRebuilt: recovered.isRebuilt)))
            return recovered.committer
        } catch {
            opening.finish(.failure(error))
            return nil
        }
    }

    private init(_ opened: Opened, commit: OwnThread?) throws(ThreadError) {
        let core = opened.core
        self.core = core
        let requests = MaintenanceRequests(core.maintenanceSignal)
        self.requests = requests
        workers = try ScanWorkers(count: SQLiteStore.coreCount, memory: QueryMemory(limit: core.options.queriesMemoryBytes))
        // The closure of a thread lives as long as the thread and would keep every file of the opening.
        let handover = Handover(opened)
        let flushThread = try JobThread<FlushJob.Outcome>(name: "oriel-flush", wakes: core.maintenanceSignal)
        // Merges make reading cheaper later; requests that wait now come first.
        let mergeThread = try JobThread<MergeThreadOutput>(name: "oriel-merge", nice: 10, wakes: core.maintenanceSignal)
        let maintenance = try OwnThread(name: "oriel-seal") {
            let maintainer = handover.take { opened in
                Maintainer(
                    core, requests: requests, live: opened.live, quarantined: opened.quarantined, isRebuilt: opened.isRebuilt,
                    quarantinedPins: opened.quarantinedPins, flushThread: flushThread, mergeThread: mergeThread)
            }
            maintainer?.run()
        }
        let scrubber = Scrubber(core)
        self.scrubber = scrubber
        var scrub: OwnThread?
        if core.options.maintainsItself, core.options.scrubPeriod > 0 {
            scrub = try OwnThread(name: "oriel-scrub", nice: 19) { scrubber.run() }
        }
        threads = Mutex(Threads(commit: commit, maintenance: maintenance, scrub: scrub))
    }

    deinit {
        // The threads end by themselves; nobody waits for them, and nothing is flushed.
        scrubber.stop()
        requests.stop()
        core.commits.close()
        core.recent.close()
    }

    private static var coreCount: Int {
        max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    }

    // MARK: Writing

    public func append(_ writeSet: WriteSet) async throws(StoreError) -> Receipt {
        if let reason = core.counters.current.readOnlyReason {
            throw .readOnly(reason: reason)
        }
        try await waitForRoom()
        try checkFreeSpace()
        var prepared = try PreparedAppend(writeSet, registry: core.registry, limits: limits, compressors: core.compressors)
        if prepared.lacksStreams, await forgetStreams(.forRoom) {
            prepared = try PreparedAppend(writeSet, registry: core.registry, limits: limits, compressors: core.compressors)
        }
        core.counters.update { values in
            for rejection in prepared.rejected {
                values.rejectedRows[rejection.signal, default: 0] += rejection.count
            }
        }
        if prepared.batches.isEmpty, prepared.deltas.isEmpty, prepared.families.isEmpty, prepared.key == nil {
            return Receipt(sequence: core.state.sequence, rejected: prepared.rejected)
        }
        let answer = await withCheckedContinuation { (continuation: CheckedContinuation<PendingAppend.Answer, Never>) in
            let pending = PendingAppend(prepared) { continuation.resume(returning: $0) }
            do throws(BoundedQueue<CommitWork>.Refusal) {
                try core.commits.put(.append(pending), weight: pending.byteCount)
            } catch {
                pending.finish(.failure(error == .closed ? .closed : .overloaded(retryAfterSeconds: 1)))
            }
        }
        return try answer.get()
    }

    /// Forgets streams that are not in use; see ``StreamForgetting``.
    ///
    /// - Returns: Whether any were forgotten.
    func forgetStreams(_ extent: StreamForgetting.Extent) async -> Bool {
        let requests = requests
        return await withCheckedContinuation { continuation in
            requests.forgetStreams(.init(extent: extent) { continuation.resume(returning: $0) })
        }
    }

    /// Waits while the store is behind with sealing, flushing or merging.
    private func waitForRoom() async throws(StoreError) {
        let core = core
        let isOpen = { @Sendable () -> Bool in
            let counted = core.counters.current
            // A store that cannot write any more does not catch up; the commit says so.
            return counted.readOnlyReason != nil || (counted.memoryBytes <= core.options.memoryBytes && counted.mergeDebt <= core.options.mergeDebtFiles)
        }
        if isOpen() { return }
        core.counters.update { $0.delayedAppends += 1 }
        let deadline = ContinuousClock.now + .nanoseconds(core.options.longestAppendDelay)
        guard await core.gate.wait(until: deadline, isOpen) else {
            core.counters.update { $0.refusedAppends += 1 }
            throw .overloaded(retryAfterSeconds: 1)
        }
    }

    /// What times are accepted now.
    private var limits: PreparedAppend.Limits {
        let state = core.state
        var floors: [Signal: Timestamp] = [:]
        let now = Timestamp.now
        for signal in Signal.allCases {
            floors[signal] = state[signal].floor
            if core.options.appliesRetention, let length = core.options.retention[signal] {
                let (floor, overflow) = now.nanoseconds.subtractingReportingOverflow(length)
                if !overflow {
                    floors[signal] = max(state[signal].floor, Timestamp(nanoseconds: floor))
                }
            }
        }
        let end = core.options.futureBound.map { now.nanoseconds.addingReportingOverflow($0) }
        return PreparedAppend.Limits(floors: floors, end: end.map { $0.overflow ? .max : $0.partialValue } ?? .max)
    }

    /// Refuses while the disk has less than a floor of free space.
    private func checkFreeSpace() throws(StoreError) {
        guard let free = core.freeSpace.bytes(core), free < core.freeSpaceNeeded else { return }
        throw core.diskFull(free)
    }

    public func retain(_ signal: Signal, from floor: Timestamp) async throws(StoreError) {
        try await maintain { finish in
            requests.raiseFloor(.init(signal: signal, floor: floor, finish: finish))
        }
    }

    public func delete(_ deletion: Deletion) async throws(StoreError) -> DeletionStatus {
        try TombstoneRecord.check(deletion)
        guard !threads.withLock({ $0.isClosing }) else {
            throw .closed
        }
        let result = await withCheckedContinuation { (continuation: CheckedContinuation<Result<DeletionStatus, any Error>, Never>) in
            requests.delete(.init(deletion: deletion) { continuation.resume(returning: $0) })
        }
        switch result {
        case .success(let status): return status
        case .failure(let error): throw (error as? StoreError) ?? .unusable(path: core.folder, reason: "\(error)")
        }
    }

    public func deletions() async throws(StoreError) -> [DeletionStatus] {
        let core = try openCore
        return try await workers.run(QueryBudget(memoryLimit: core.options.queryMemoryBytes, deadline: nil, shared: workers.memory)) { () throws(StoreError) in
            do {
                return try DeletionProgress.statuses(core)
            } catch {
                throw (error as? StoreError) ?? .unusable(path: core.folder + "/app.db", reason: "\(error)")
            }
        }
    }

    public func flush() async throws(StoreError) {
        try await maintain { finish in
            requests.flush(finish)
        }
    }

    /// Hands an order to the maintenance thread and waits for it.
    private func maintain(_ order: (@escaping MaintenanceRequests.Finish) -> Void) async throws(StoreError) {
        guard !threads.withLock({ $0.isClosing }) else {
            throw .closed
        }
        let result = await withCheckedContinuation { (continuation: CheckedContinuation<Result<Void, any Error>, Never>) in
            order { continuation.resume(returning: $0) }
        }
        if case .failure(let error) = result {
            throw (error as? StoreError) ?? .unusable(path: core.folder, reason: "\(error)")
        }
    }

    public func close() async throws(StoreError) {
        try await stop(flushing: true)
    }

    /// Ends all threads and lets the folder go.
    ///
    /// - Parameter flushing: Whether to write everything to files first; without, the store is as after a crash.
    func stop(flushing: Bool) async throws(StoreError) {
        let ended = threads.withLock { threads -> Threads? in
            guard !threads.isClosing else { return nil }
            threads.isClosing = true
            return threads
        }
        guard let ended else { return }
        core.backups.stop()
        scrubber.stop()
        let result = await withCheckedContinuation { (continuation: CheckedContinuation<Result<Void, any Error>, Never>) in
            let (core, requests, workers) = (core, requests, workers)
            do {
                // Waiting for threads is not for the cooperative pool.
                _ = try OwnThread(name: "oriel-close") {
                    let outcome = Mutex<Result<Void, any Error>>(.success(()))
                    if flushing {
                        requests.stop { result in outcome.withLock { $0 = result } }
                    } else {
                        requests.stop()
                    }
                    ended.scrub?.join()
                    ended.maintenance?.join()
                    core.commits.close()
                    ended.commit?.join()
                    core.recent.close()
                    workers.stop()
                    continuation.resume(returning: outcome.withLock { $0 })
                }
            } catch {
                continuation.resume(returning: .failure(error))
            }
        }
        if case .failure(let error) = result {
            throw (error as? StoreError) ?? .unusable(path: core.folder, reason: "\(error)")
        }
    }

    /// The core while the store is not closed.
    var openCore: StoreCore {
        get throws(StoreError) {
            guard !threads.withLock({ $0.isClosing }) else {
                throw .closed
            }
            return core
        }
    }

    // MARK: Reading

    public func snapshot() throws(StoreError) -> any StoreSnapshot {
        guard !threads.withLock({ $0.isClosing }) else {
            throw .closed
        }
        let state = core.state
        return EngineSnapshot(
            state: state, registry: state.registry, options: core.options, workers: workers, familySource: core.families)
    }

    public func changes(after position: ChangePosition?, signal: Signal, deadline: Timestamp) async throws(StoreError) -> Changes {
        guard let position else {
            return Changes(batches: [], position: ChangePosition(sequence: core.recent.sequence), hasGap: false)
        }
        while true {
            let found = core.recent.rows(signal, after: position.sequence)
            if !found.chunks.isEmpty || found.hasGap || Timestamp.now >= deadline {
                let registry = found.registry ?? core.registry
                let batches = remaining(found.chunks, signal, registry).map { registry.resolve($0) }
                return Changes(batches: batches, position: ChangePosition(sequence: found.position), hasGap: found.hasGap)
            }
            guard await core.recent.wait(signal, after: position.sequence, deadline: deadline) else {
                throw .closed
            }
            if Task.isCancelled {
                return Changes(batches: [], position: ChangePosition(sequence: found.position), hasGap: false)
            }
        }
    }

    /// The rows of some chunks that are not deleted.
    private func remaining(_ chunks: [BuilderChunk], _ signal: Signal, _ registry: StreamRegistry) -> [ColumnBatch] {
        var deletions = DeletionFilter(core.state.tombstones, signal: signal, registry: registry)
        return chunks.compactMap { chunk in
            guard let touch = deletions.touch(chunk) else { return chunk.batch }
            let rows = deletions.remaining(nil, of: chunk.batch, touch)
            return rows.isEmpty ? nil : chunk.batch.selecting(rows)
        }
    }

    public var statistics: StoreStatistics {
        let (state, counted) = (core.state, core.counters.current)
        var statistics = StoreStatistics()
        for signal in Signal.allCases {
            let part = state[signal]
            var values = StoreStatistics.SignalStatistics()
            values.appendedRows = counted.appendedRows[signal] ?? 0
            values.rejectedRows = counted.rejectedRows[signal] ?? 0
            values.unflushedRows = part.chunks.reduce(0) { $0 + $1.batch.count } + part.sealed.reduce(0) { $0 + $1.rowCount }
            values.rows = part.segments.reduce(values.unflushedRows) { $0 + $1.rowCount }
            values.segments = part.segments.count
            values.segmentBytes = part.segments.reduce(0) { $0 + SegmentFiles.byteCount($1) }
            values.floor = part.floor
            values.conflictingRows = counted.conflictingRows[signal] ?? 0
            statistics.signals[signal] = values
            statistics.pinnedBytes += part.pinned.reduce(0) { $0 + SegmentFiles.byteCount($1.container) }
        }
        statistics.commits = counted.commits
        statistics.duplicateRequests = counted.duplicateRequests
        statistics.streams = state.registry.count
        statistics.redoBytes = counted.redoBytes
        statistics.memoryBytes = counted.memoryBytes
        statistics.delayedAppends = counted.delayedAppends
        statistics.refusedAppends = counted.refusedAppends
        statistics.mergeDebt = counted.mergeDebt
        statistics.flushes = counted.flushes
        statistics.merges = counted.merges
        statistics.mergedBytes = counted.mergedBytes
        statistics.quarantinedFiles = core.damage.fileCount
        statistics.damagedBlocks = core.damage.blockCount
        statistics.lastDamage = core.damage.entries.last.map { "\($0.path): \($0.reason)" }
        statistics.maintenanceFailures = counted.maintenanceFailures
        statistics.lastMaintenanceFailure = counted.lastMaintenanceFailure
        statistics.scrubbedBytes = counted.scrubbedBytes
        statistics.lastScrub = counted.lastScrub
        statistics.unknownFiles = counted.unknownFiles
        statistics.disk = counted.disk
        statistics.recovery = counted.recovery
        statistics.isReadOnly = counted.readOnlyReason != nil
        statistics.hasPendingWork = counted.isWorking
        return statistics
    }
}

/// Brings the thread that opens a store and its result together for the caller, whichever comes first.
private final class Opening<Value: Sendable>: Sendable {
    typealias Continuation = CheckedContinuation<(OwnThread?, Result<Value, StoreError>), Never>

    private struct State {
        var continuation: Continuation?
        var thread: OwnThread??
        var result: Result<Value, StoreError>?
    }

    private let state: Mutex<State>

    init(_ continuation: Continuation) {
        state = Mutex(State(continuation: continuation))
    }

    func started(_ thread: OwnThread?) {
        advance { $0.thread = .some(thread) }
    }

    func finish(_ result: Result<Value, StoreError>) {
        advance { $0.result = result }
    }

    private func advance(_ change: (inout State) -> Void) {
        let ready = state.withLock { state -> (Continuation, OwnThread?, Result<Value, StoreError>)? in
            change(&state)
            guard let thread = state.thread, let result = state.result, let continuation = state.continuation else { return nil }
            // Whoever fills this in lives on and must not keep what it handed over.
            state = State()
            return (continuation, thread, result)
        }
        if let (continuation, thread, result) = ready {
            continuation.resume(returning: (thread, result))
        }
    }
}

/// Carries a value to a thread that takes it out, so that the thread's closure does not keep it.
private final class Handover<Value: Sendable>: Sendable {
    private let value: Mutex<Value?>

    init(_ value: Value) {
        self.value = Mutex(value)
    }

    /// Gives the value to `body`; `nil` when it was taken before.
    func take<Result>(_ body: (Value) -> Result) -> Result? {
        let taken = value.withLock { value in
            defer { value = nil }
            return value
        }
        return taken.map(body)
    }
}
