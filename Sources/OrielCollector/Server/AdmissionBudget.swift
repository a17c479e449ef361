import Synchronization

/// The bytes that requests in progress may hold together: bodies, inflated bodies and batches of ingestion, or answers of the query API.
///
/// Reserve before allocating. A request that finds the budget spent is refused with a hint to come back; a request that is alone
/// is always let in, so that the per-request limit, not this budget, decides about a single large one.
public final class AdmissionBudget: Sendable {
    /// Bytes that may be held at a time.
    public let capacity: Int
    private let used = Atomic<Int>(0)
    private let refused = Atomic<UInt64>(0)

    public init(capacity: Int) {
        self.capacity = capacity
    }

    /// Bytes held now.
    public var usedBytes: Int { used.load(ordering: .relaxed) }

    /// Reservations refused since the start.
    public var refusals: UInt64 { refused.load(ordering: .relaxed) }

    /// An empty reservation, to be grown.
    func makeReservation() -> AdmissionReservation { AdmissionReservation(budget: self) }

    fileprivate func take(_ bytes: Int, holding: Int) -> Bool {
        var current = used.load(ordering: .relaxed)
        while true {
            let (wanted, overflow) = current.addingReportingOverflow(bytes)
            guard !overflow, wanted <= capacity || current <= holding else {
                refused.add(1, ordering: .relaxed)
                return false
            }
            let (exchanged, original) = used.compareExchange(expected: current, desired: wanted, ordering: .relaxed)
            if exchanged { return true }
            current = original
        }
    }

    fileprivate func give(_ bytes: Int) {
        used.subtract(bytes, ordering: .relaxed)
    }
}

/// What one request holds of an ``AdmissionBudget``. Releasing the last reference gives it back.
final class AdmissionReservation: Sendable {
    private let budget: AdmissionBudget
    private let held = Atomic<Int>(0)

    fileprivate init(budget: AdmissionBudget) {
        self.budget = budget
    }

    deinit {
        budget.give(held.load(ordering: .relaxed))
    }

    /// Bytes held.
    var bytes: Int { held.load(ordering: .relaxed) }

    /// Takes more bytes, or nothing at all when the budget is spent.
    func grow(by bytes: Int) -> Bool {
        guard bytes > 0 else { return true }
        guard budget.take(bytes, holding: held.load(ordering: .relaxed)) else { return false }
        held.add(bytes, ordering: .relaxed)
        return true
    }

    /// Gives bytes back before the request ends.
    func shrink(by bytes: Int) {
        let bytes = min(max(0, bytes), held.load(ordering: .relaxed))
        held.subtract(bytes, ordering: .relaxed)
        budget.give(bytes)
    }
}
