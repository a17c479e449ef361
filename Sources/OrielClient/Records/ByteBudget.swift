import Synchronization

/// Memory that several queues share, in bytes.
final class ByteBudget: Sendable {
    let limit: Int
    private let reserved = Atomic<Int>(0)

    init(limit: Int) {
        self.limit = limit
    }

    /// What is taken.
    var used: Int { reserved.load(ordering: .relaxed) }

    /// Takes some bytes if there are so many.
    func reserve(_ count: Int) -> Bool {
        var known = reserved.load(ordering: .relaxed)
        // Nothing is written where there is no room: many threads that find none then do not slow each other down, nor is more ever said to be taken than there is.
        while count <= limit - known {
            let (isTaken, found) = reserved.weakCompareExchange(expected: known, desired: known + count, ordering: .relaxed)
            if isTaken { return true }
            known = found
        }
        return false
    }

    /// Takes some bytes, though there may be no room: for what cannot be left.
    func take(_ count: Int) {
        reserved.wrappingAdd(count, ordering: .relaxed)
    }

    func release(_ count: Int) {
        reserved.wrappingSubtract(count, ordering: .relaxed)
    }
}
