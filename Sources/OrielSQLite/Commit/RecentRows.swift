import OrielStore
import OrielTelemetry
import OrielThreads
import Synchronization

/// The last commits of each signal in commit order, for tails, and whoever waits for more. Bounded in bytes.
final class RecentRows: Sendable {
    private struct SignalRows {
        var chunks: [BuilderChunk] = []
        var byteCount = 0
        /// Rows up to this commit may be missing here.
        var forgotten = CommitSequence.zero
    }

    private struct Waiter {
        var resume: @Sendable () -> Void
        var signal: Signal
    }

    private struct State {
        /// What the references of all rows are of; `nil` before a store starts.
        var registry: StreamRegistry?
        var signals: [Signal: SignalRows] = [:]
        var sequence = CommitSequence.zero
        var waiters: [UInt64: Waiter] = [:]
        var waiterCount: UInt64 = 0
        var isClosed = false
    }

    private let byteLimit: Int
    private let state = Mutex(State())

    /// - Parameter byteLimit: Most bytes of rows to keep for each signal.
    init(byteLimit: Int) {
        self.byteLimit = byteLimit
    }

    /// Starts with a store whose commits up to `sequence` are no longer known in commit order.
    func start(after sequence: CommitSequence, registry: StreamRegistry) {
        state.withLock { state in
            state.registry = registry
            state.sequence = sequence
            for signal in Signal.allCases {
                state.signals[signal, default: SignalRows()].forgotten = sequence
            }
        }
    }

    /// Takes in the chunks of one commit and wakes those that wait for one of their signals.
    func append(_ chunks: [BuilderChunk], sequence: CommitSequence) {
        let woken: [Waiter] = state.withLock { state in
            state.sequence = sequence
            for chunk in chunks {
                var rows = state.signals.removeValue(forKey: chunk.batch.signal) ?? SignalRows()
                rows.chunks.append(chunk)
                rows.byteCount += chunk.byteCount
                if rows.byteCount > byteLimit {
                    var dropped = 0
                    while dropped < rows.chunks.count - 1, rows.byteCount > byteLimit / 2 {
                        rows.byteCount -= rows.chunks[dropped].byteCount
                        rows.forgotten = rows.chunks[dropped].sequence
                        dropped += 1
                    }
                    rows.chunks.removeFirst(dropped)
                    // Of a commit that is forgotten in part nothing may be delivered as if it were whole.
                    while let first = rows.chunks.first, first.sequence == rows.forgotten {
                        rows.byteCount -= first.byteCount
                        rows.chunks.removeFirst()
                    }
                }
                state.signals[chunk.batch.signal] = rows
            }
            let signals = Set(chunks.map(\.batch.signal))
            let woken = state.waiters.filter { signals.contains($0.value.signal) }
            for id in woken.keys {
                state.waiters[id] = nil
            }
            return Array(woken.values)
        }
        for waiter in woken {
            waiter.resume()
        }
    }

    /// Notes a commit without rows.
    func skip(to sequence: CommitSequence) {
        state.withLock { $0.sequence = sequence }
    }

    /// Goes on with references of another registry. The streams of rows that are already in files do not count against its limit; when their labels take more than the rows
    /// themselves may, the oldest rows are forgotten.
    func translate(_ translation: inout StreamTranslation) {
        let before = translation.target.usage.otherBytes
        state.withLock { state in
            state.registry = translation.target
            for signal in Signal.allCases {
                guard var rows = state.signals[signal] else { continue }
                var kept: [BuilderChunk] = []
                for chunk in rows.chunks.reversed() {
                    guard translation.target.usage.otherBytes - before <= byteLimit else {
                        rows.forgotten = max(rows.forgotten, chunk.sequence)
                        break
                    }
                    kept.append(translation.translate(chunk, isCounted: false))
                }
                // Of a commit that is forgotten in part nothing may be delivered as if it were whole.
                rows.chunks = kept.reversed().filter { $0.sequence > rows.forgotten }
                rows.byteCount = rows.chunks.reduce(0) { $0 + $1.byteCount }
                state.signals[signal] = rows
            }
        }
    }

    /// Chunks after a position, at most about `byteLimit` bytes, and what their references are of; the position to go on from; whether some before them are missing.
    func rows(
        _ signal: Signal, after position: CommitSequence
    ) -> (chunks: [BuilderChunk], registry: StreamRegistry?, position: CommitSequence, hasGap: Bool) {
        state.withLock { state in
            let rows = state.signals[signal] ?? SignalRows()
            var chunks: [BuilderChunk] = []
            for chunk in rows.chunks where chunk.sequence > position {
                chunks.append(chunk)
            }
            return (chunks, state.registry, max(position, state.sequence), position < rows.forgotten)
        }
    }

    var sequence: CommitSequence {
        state.withLock { $0.sequence }
    }

    /// Resumes when a commit after `position` has rows of the signal, at `deadline`, or when the store closes.
    ///
    /// - Returns: Whether the store is still open.
    func wait(_ signal: Signal, after position: CommitSequence, deadline: Timestamp) async -> Bool {
        let (id, resumption) = (register(), Resumption())
        let timer = Task {
            let nanoseconds = max(0, deadline.nanoseconds &- Timestamp.now.nanoseconds)
            do {
                try await Task.sleep(nanoseconds: UInt64(nanoseconds))
            } catch {
                // Cancelled: somebody else resumed, or the caller is gone; either way waiting is over.
            }
            resumption.resume()
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                resumption.set(continuation)
                let isReady = state.withLock { state in
                    if state.isClosed || (state.signals[signal]?.chunks.last?.sequence ?? .zero) > position { return true }
                    state.waiters[id] = Waiter(resume: { resumption.resume() }, signal: signal)
                    return false
                }
                if isReady {
                    resumption.resume()
                }
            }
        } onCancel: {
            resumption.resume()
        }
        timer.cancel()
        return state.withLock { state in
            state.waiters[id] = nil
            return !state.isClosed
        }
    }

    /// Wakes everybody, for ever.
    func close() {
        let woken = state.withLock { state in
            state.isClosed = true
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        for waiter in woken {
            waiter.resume()
        }
    }

    private func register() -> UInt64 {
        state.withLock { state in
            state.waiterCount += 1
            return state.waiterCount
        }
    }
}
