import Synchronization

/// Responses without a known end, such as a tail of the log. They would hold a shutdown up until the drain timeout, so they are ended
/// by cancellation when it begins.
final class OpenResponses: Sendable {
    private struct State {
        var isEnded = false
        var next = 0
        var cancellations: [Int: @Sendable () -> Void] = [:]
    }

    private let state = Mutex(State())

    /// Runs the writing of a response, cancelled when ``end()`` is called.
    func whileOpen(_ write: @escaping @Sendable () async throws -> Void) async throws {
        let task = Task { try await write() }
        let id = state.withLock { state -> Int? in
            if state.isEnded { return nil }
            state.next += 1
            state.cancellations[state.next] = { task.cancel() }
            return state.next
        }
        if id == nil { task.cancel() }
        defer { if let id { state.withLock { _ = $0.cancellations.removeValue(forKey: id) } } }
        try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
    }

    /// Cancels all that are open and all that come.
    func end() {
        let cancellations = state.withLock { state in
            state.isEnded = true
            return Array(state.cancellations.values)
        }
        for cancel in cancellations { cancel() }
    }
}
