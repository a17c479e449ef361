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
        let total = reserved.wrappingAdd(count, ordering: .relaxed).newValue
        if total <= limit { return true }
        reserved.wrappingSubtract(count, ordering: .relaxed)
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
