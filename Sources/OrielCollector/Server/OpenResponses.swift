import Synchronization

/// Responses without a known end, such as a tail of the log. They would hold a shutdown up until the drain timeout, so they are ended
/// by cancellation when it begins.
final class OpenResponses: Sendable {
    private struct Open {
        let token: String?
        let cancel: @Sendable () -> Void
    }

    private struct State {
        var isEnded = false
        var next = 0
        var cancellations: [Int: Open] = [:]
    }

    private let state = Mutex(State())

    /// Runs the writing of a response, cancelled when ``end()`` is called or the caller's token is revoked.
    func whileOpen(_ access: Access, _ write: @escaping @Sendable () async throws -> Void) async throws {
        let task = Task { try await write() }
        let id = state.withLock { state -> Int? in
            if state.isEnded { return nil }
            state.next += 1
            state.cancellations[state.next] = Open(token: access.tokenID) { task.cancel() }
            return state.next
        }
        // A token may have been revoked between the request's admission and now.
        if id == nil || access.isRevoked { task.cancel() }
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
            return state.cancellations.values.map(\.cancel)
        }
        for cancel in cancellations { cancel() }
    }

    /// Cancels those that a token's bearers asked for.
    func end(ofToken id: String) {
        let cancellations = state.withLock { $0.cancellations.values.filter { $0.token == id }.map(\.cancel) }
        for cancel in cancellations { cancel() }
    }
}
