import OrielStore
import OrielTelemetry

/// Request keys of the last minutes with their receipts. Used by the commit thread only.
struct SeenRequests {
    private struct Entry {
        var receipt: Receipt
        var time: Timestamp
    }

    private var entries: [RequestKey: Entry] = [:]
    /// Keys in the order of their commits, with the first that is still remembered at `head`.
    private var order: [(key: RequestKey, sequence: CommitSequence, time: Timestamp)] = []
    private var head = 0
    /// How long a key is remembered, in nanoseconds; 0 for not at all.
    let window: Int64

    init(window: Int64) {
        self.window = window
    }

    func receipt(_ key: RequestKey, now: Timestamp) -> Receipt? {
        guard let entry = entries[key], now.nanoseconds &- entry.time.nanoseconds < window else { return nil }
        return entry.receipt
    }

    mutating func insert(_ key: RequestKey, _ receipt: Receipt, time: Timestamp) {
        guard window > 0 else { return }
        entries[key] = Entry(receipt: receipt, time: time)
        order.append((key, receipt.sequence, time))
    }

    /// Forgets what is older than the window; returns the last commit that is forgotten wholly, when it is a new one.
    mutating func expire(now: Timestamp) -> CommitSequence? {
        var last: CommitSequence?
        while head < order.count {
            let age = now.nanoseconds.subtractingSaturating(order[head].time.nanoseconds)
            // What lies further ahead than a window is from before the clock was set back, and would keep all that follows.
            guard age >= window || age < -window else { break }
            let (key, sequence, time) = order[head]
            // The key may have come again since.
            if let entry = entries[key], entry.time == time {
                entries[key] = nil
            }
            last = sequence
            head += 1
        }
        if head > 1024, head * 2 > order.count {
            order.removeFirst(head)
            head = 0
        }
        guard let last, head == order.count || order[head].sequence > last else { return nil }
        return last
    }
}
