import OrielStore
import OrielTelemetry
import Synchronization

/// What a container remembers of the traces that it shares with others.
final class SharedTraces: Sendable {
    /// By the number of the other container the ordinals of the traces that have rows in both.
    fileprivate let known = Mutex<[Int: [UInt32]]>([:])
}

extension BlockContainer {
    /// The ordinals of this container's traces that have rows in some other containers too, in no order, some more than once.
    ///
    /// Containers never change, so what two of them share is found once. What is known of containers that are not among `others` any more is forgotten.
    func traces(sharedWith others: [any BlockContainer], _ budget: QueryBudget) throws(StoreError) -> [UInt32] {
        var known = sharedTraces.known.withLock { $0 }
        var all: [UInt32] = []
        var isNew = false
        for other in others where other.number != number {
            if let shared = known[other.number] {
                all += shared
                continue
            }
            var shared: [UInt32] = []
            for page in 0..<other.traceIDPageCount {
                try budget.check()
                do throws(StoreError) {
                    try findTraces(try other.traceIDs(page: page)) { _, ordinal in shared.append(ordinal) }
                } catch  where error.isDamage {
                    // Noted; rows of these traces are not found either.
                }
            }
            known[other.number] = shared
            isNew = true
            all += shared
        }
        if isNew {
            let numbers = Set(others.map(\.number))
            let kept = known.filter { numbers.contains($0.key) }
            sharedTraces.known.withLock { $0 = kept }
        }
        return all
    }
}
