import Synchronization

/// Counters of the server, plain numbers that `/metrics` publishes.
final class ServerStatistics: Sendable {
    let connectionsAccepted = Atomic<UInt64>(0)
    let connectionsOpen = Atomic<Int>(0)
    /// Connections that had to finish because many newer ones came.
    let connectionsRecycled = Atomic<UInt64>(0)
    let protocolFailures = Atomic<UInt64>(0)
    private let successes = Atomic<UInt64>(0)
    private let redirections = Atomic<UInt64>(0)
    private let clientErrors = Atomic<UInt64>(0)
    private let serverErrors = Atomic<UInt64>(0)

    func countResponse(status: Int) {
        switch status {
        case ..<300: successes.add(1, ordering: .relaxed)
        case ..<400: redirections.add(1, ordering: .relaxed)
        case ..<500: clientErrors.add(1, ordering: .relaxed)
        default: serverErrors.add(1, ordering: .relaxed)
        }
    }

    /// Responses by status class.
    var responseCounts: [(statusClass: String, count: UInt64)] {
        [
            ("2xx", successes.load(ordering: .relaxed)), ("3xx", redirections.load(ordering: .relaxed)),
            ("4xx", clientErrors.load(ordering: .relaxed)), ("5xx", serverErrors.load(ordering: .relaxed)),
        ]
    }
}
