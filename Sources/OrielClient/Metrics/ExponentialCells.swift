import Synchronization

/// The state of an exponential histogram that many threads record into: one at first, and one for each of some groups of threads once they are
/// seen to collide.
final class ExponentialCells: Sendable {
    private final class Cell: Sendable {
        let state: Mutex<ExponentialState>
        init(_ state: ExponentialState) { self.state = Mutex(state) }
    }

    /// A cell takes about 100 bytes, and 2 KB more once it is used.
    private static let spareCount = 8
    /// Meetings at the lock after which threads part.
    private static let patience = 8

    private let first: Mutex<ExponentialState>
    private let spare: [Cell]
    private let collisions = Atomic<Int>(0)

    init(_ empty: ExponentialState) {
        first = Mutex(empty)
        spare = (0..<Self.spareCount).map { _ in Cell(empty) }
    }

    /// Counts a finite value.
    func record(_ value: Double) {
        if collisions.load(ordering: .relaxed) < Self.patience {
            if first.withLockIfAvailable({ $0.record(value) }) != nil { return }
            collisions.wrappingAdd(1, ordering: .relaxed)
        }
        // The topmost three bits: one of eight.
        let cell = spare[Int(truncatingIfNeeded: threadHash() >> 61)]
        cell.state.withLock { $0.record(value) }
    }

    /// The sum of all states.
    func merged() -> ExponentialState {
        var all = first.withLock { $0 }
        for cell in spare {
            all.merge(cell.state.withLock { $0 })
        }
        return all
    }
}
