import OrielStore
import OrielTelemetry
import Synchronization

/// What one query may use: memory and time. Tested at each block.
final class QueryBudget: Sendable {
    let memoryLimit: Int
    private let deadline: Timestamp?
    private let start = Timestamp.now
    private let isCancelled = Atomic<Bool>(false)
    private let shared: QueryMemory?
    private let state = Mutex(State())

    private struct State {
        var used = 0
        /// What is taken of the shared memory.
        var held = 0
        /// What stays taken of it, however little is used.
        var allowance = 0
    }

    /// - Parameter shared: What all queries may use together; without it only the query's own limit counts.
    init(memoryLimit: Int, deadline: Timestamp?, shared: QueryMemory? = nil) {
        self.memoryLimit = memoryLimit
        self.deadline = deadline
        self.shared = shared
    }

    deinit {
        shared?.give(state.withLock { $0.held })
    }

    func cancel() { isCancelled.store(true, ordering: .relaxed) }

    /// Waits until other queries leave room for this one to begin. Does nothing once it has begun.
    ///
    /// - Throws: `overloaded` when they do not in time.
    func admit() async throws(StoreError) {
        guard let shared, state.withLock({ $0.allowance == 0 }) else { return }
        var wait = Duration.seconds(30)
        if let deadline { wait = min(wait, .nanoseconds(max(0, deadline.nanoseconds.subtractingSaturating(Timestamp.now.nanoseconds)))) }
        guard await shared.admit(until: .now + wait) else {
            if Task.isCancelled { throw .cancelled }
            throw .overloaded(retryAfterSeconds: 1)
        }
        state.withLock { state in
            state.allowance = shared.allowance
            state.held += shared.allowance
        }
    }

    /// Throws when the query must end.
    func check() throws(StoreError) {
        if isCancelled.load(ordering: .relaxed) { throw .cancelled }
        guard let deadline else { return }
        if deadline <= Timestamp.now {
            throw .deadlineExceeded(seconds: Double(max(0, deadline.nanoseconds.subtractingSaturating(start.nanoseconds))) / 1e9)
        }
    }

    var usedBytes: Int { state.withLock { $0.used } }

    /// Whether reading ahead may take more: half of what there is, of the query's own and of all queries', is for what scans cannot do without.
    var canReadAhead: Bool {
        guard usedBytes <= memoryLimit / 2 else { return false }
        guard let shared else { return true }
        return shared.usedBytes <= shared.limit / 2
    }

    /// Reserves memory if there is enough.
    func tryReserve(_ bytes: Int) -> Bool {
        do throws(StoreError) {
            try reserve(bytes)
            return true
        } catch {
            return false
        }
    }

    /// - Throws: `memoryBudgetExceeded` when the query needs more than one may, `overloaded` when others have taken what is left.
    func reserve(_ bytes: Int) throws(StoreError) {
        try state.withLock { state throws(StoreError) in
            let wanted = state.used + bytes
            guard wanted <= memoryLimit else { throw .memoryBudgetExceeded(limitBytes: memoryLimit) }
            if let shared {
                guard shared.take(wanted - state.held, holding: state.held) else { throw .overloaded(retryAfterSeconds: 1) }
                state.held = max(state.held, wanted)
            }
            state.used = wanted
        }
    }

    func release(_ bytes: Int) {
        state.withLock { state in
            state.used -= bytes
            let kept = max(state.used, state.allowance)
            if let shared, state.held > kept {
                shared.give(state.held - kept)
                state.held = kept
            }
        }
    }
}
