import Synchronization

/// The events of paid orders that wait for the function.
final class DemoQueue: Sendable {
    /// How many are kept; further ones push out the oldest.
    private static let limit = 1000

    private let events: Mutex<[DemoReceipts.Event]>

    init(_ events: [DemoReceipts.Event]) {
        self.events = Mutex(events)
    }

    var count: Int { events.withLock { $0.count } }

    func add(_ event: DemoReceipts.Event) {
        events.withLock { events in
            if events.count >= Self.limit { events.removeFirst() }
            events.append(event)
        }
    }

    /// Takes out the oldest, as many as make a batch; none while there are too few.
    func take() -> [DemoReceipts.Event] {
        events.withLock { events in
            guard events.count >= DemoReceipts.batch.lowerBound else { return [] }
            let batch = Array(events.prefix(DemoReceipts.batch.upperBound))
            events.removeFirst(batch.count)
            return batch
        }
    }
}
