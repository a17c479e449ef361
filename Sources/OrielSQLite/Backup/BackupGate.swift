import Synchronization

/// Lets one backup of a store run at a time, and ends it when the store is closed.
final class BackupGate: Sendable {
    private struct State {
        var isRunning = false
        var isStopping = false
    }

    private let state = Mutex(State())

    var isRunning: Bool { state.withLock { $0.isRunning } }

    var isStopping: Bool { state.withLock { $0.isStopping } }

    /// - Returns: whether no other one is running.
    func begin() -> Bool {
        state.withLock { state in
            guard !state.isRunning else { return false }
            state.isRunning = true
            return true
        }
    }

    func end() { state.withLock { $0.isRunning = false } }

    func stop() { state.withLock { $0.isStopping = true } }
}
