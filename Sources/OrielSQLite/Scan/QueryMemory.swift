import OrielStore
import Synchronization

/// The memory that all queries of a store may use together.
///
/// A query begins when there is room for its ``allowance``; until then it waits. Beyond that it takes what it needs while there is any, and reads ahead only while half is
/// free. One that is alone is bounded by its own limit only.
final class QueryMemory: Sendable {
    /// What a query holds from its beginning to its end, whether it needs as much or not.
    let allowance: Int
    let limit: Int
    private let used = Atomic<Int>(0)
    private let gate = ChangeGate()

    init(limit: Int) {
        self.limit = limit
        allowance = limit / 16
    }

    /// Queries that wait for their turn.
    var waitingCount: Int { gate.count }

    var usedBytes: Int { used.load(ordering: .relaxed) }

    /// Takes an allowance.
    ///
    /// - Returns: Whether there was room before `deadline` and before the task was cancelled.
    func admit(until deadline: ContinuousClock.Instant) async -> Bool {
        await gate.wait(until: deadline) { [self] in take(allowance, holding: 0) }
    }

    /// - Parameter holding: What the query holds of it already.
    func take(_ bytes: Int, holding: Int) -> Bool {
        guard bytes > 0 else { return true }
        var current = used.load(ordering: .relaxed)
        while true {
            let (wanted, overflow) = current.addingReportingOverflow(bytes)
            guard !overflow, wanted <= limit || current <= holding else { return false }
            let (exchanged, original) = used.compareExchange(expected: current, desired: wanted, ordering: .relaxed)
            if exchanged { return true }
            current = original
        }
    }

    func give(_ bytes: Int) {
        guard bytes > 0 else { return }
        used.subtract(bytes, ordering: .relaxed)
        if gate.count > 0 { gate.changed() }
    }
}
