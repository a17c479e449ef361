import OrielThreads
import Synchronization

/// Holds tasks up until something that they wait for has changed: appends while the store is behind, queries while others use the memory.
final class ChangeGate: Sendable {
    private struct State {
        var waiters: [UInt64: Resumption] = [:]
        var last: UInt64 = 0
    }

    private let state = Mutex(State())

    /// How many tasks are held up now.
    var count: Int { state.withLock { $0.waiters.count } }

    /// Waits until `isOpen` is true, asking again after each ``changed()``.
    ///
    /// - Returns: Whether it became true before `deadline` and before the task was cancelled.
    func wait(until deadline: ContinuousClock.Instant, _ isOpen: @Sendable () -> Bool) async -> Bool {
        while !isOpen() {
            if deadline <= .now || Task.isCancelled { return false }
            let resumption = Resumption()
            let id = state.withLock { state in
                state.last += 1
                state.waiters[state.last] = resumption
                return state.last
            }
            // What changed before the waiter was known.
            if isOpen() { resumption.resume() }
            let timer = Task {
                do {
                    try await Task.sleep(until: deadline, clock: .continuous)
                } catch {
                    // Cancelled: somebody else resumed, so nobody waits any more.
                }
                resumption.resume()
            }
            await withTaskCancellationHandler {
                await withCheckedContinuation { resumption.set($0) }
            } onCancel: {
                resumption.resume()
            }
            timer.cancel()
            state.withLock { $0.waiters[id] = nil }
        }
        return true
    }

    /// Lets all that wait look again.
    func changed() {
        let waiters = state.withLock { state in
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        for waiter in waiters { waiter.resume() }
    }
}
