import Synchronization

/// A continuation that several may resume and the first does.
package final class Resumption: Sendable {
    private enum State {
        case empty
        case waiting(CheckedContinuation<Void, Never>)
        case done
    }

    private let state = Mutex(State.empty)

    package init() {}

    package func set(_ continuation: CheckedContinuation<Void, Never>) {
        let isDone = state.withLock { state in
            if case .done = state { return true }
            state = .waiting(continuation)
            return false
        }
        if isDone {
            continuation.resume()
        }
    }

    package func resume() {
        let waiting = state.withLock { state -> CheckedContinuation<Void, Never>? in
            defer { state = .done }
            if case .waiting(let continuation) = state { return continuation }
            return nil
        }
        waiting?.resume()
    }
}
