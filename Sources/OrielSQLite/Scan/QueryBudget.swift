import OrielStore
import OrielTelemetry
import Synchronization

/// What one query may use: memory and time. Tested at each block.
final class QueryBudget: Sendable {
    let memoryLimit: Int
    private let deadline: Timestamp?
    private let start = Timestamp.now
    private let used = Atomic<Int>(0)
    private let isCancelled = Atomic<Bool>(false)

    init(memoryLimit: Int, deadline: Timestamp?) {
        self.memoryLimit = memoryLimit
        self.deadline = deadline
    }

    func cancel() { isCancelled.store(true, ordering: .relaxed) }

    /// Throws when the query must end.
    func check() throws(StoreError) {
        if isCancelled.load(ordering: .relaxed) { throw .cancelled }
        guard let deadline else { return }
        if deadline <= Timestamp.now {
            throw .deadlineExceeded(seconds: Double(max(0, deadline.nanoseconds.subtractingSaturating(start.nanoseconds))) / 1e9)
        }
    }

    var usedBytes: Int { used.load(ordering: .relaxed) }

    /// Reserves memory if there is enough.
    func tryReserve(_ bytes: Int) -> Bool {
        let (_, now) = used.add(bytes, ordering: .relaxed)
        if now <= memoryLimit { return true }
        used.subtract(bytes, ordering: .relaxed)
        return false
    }

    func reserve(_ bytes: Int) throws(StoreError) {
        guard tryReserve(bytes) else { throw .memoryBudgetExceeded(limitBytes: memoryLimit) }
    }

    func release(_ bytes: Int) { used.subtract(bytes, ordering: .relaxed) }
}
