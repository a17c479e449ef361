import Synchronization

/// What went wrong in a registry, counted. Instruments share it.
final class RegistryFaults: Sendable {
    /// Amounts and values that an instrument cannot take.
    let ignored = Atomic<Int>(0)
    /// Lookups of label sets beyond the limit, answered with the overflow series.
    let overflowed = Atomic<Int>(0)
    /// Series of collectors that were left out of a snapshot.
    let omitted = Atomic<Int>(0)
    /// Requests that could not be met as asked, by reason.
    private let rejected = Mutex<[MetricRegistrationError.Reason: Int]>([:])

    func count(_ error: MetricRegistrationError) {
        rejected.withLock { $0[.init(error), default: 0] += 1 }
    }

    func count(of reason: MetricRegistrationError.Reason) -> Int {
        rejected.withLock { $0[reason] ?? 0 }
    }
}
