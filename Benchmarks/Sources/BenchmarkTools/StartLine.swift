import Glibc
import Synchronization

/// Where threads wait for each other to begin at the same time.
public final class StartLine: Sendable {
    private let missing: Atomic<Int>

    public init(runners: Int) { missing = Atomic(runners) }

    /// Returns when all runners have called it.
    public func waitForAll() {
        missing.subtract(1, ordering: .acquiringAndReleasing)
        while missing.load(ordering: .acquiring) > 0 { sched_yield() }
    }
}
