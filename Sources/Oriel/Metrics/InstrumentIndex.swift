import OrielClient
import Synchronization

/// Finds the instruments that a metrics API was given before by what it asked with, in one hashed lookup without an allocation.
///
/// Pairs of a label set are hashed in the order they come in; another order is another entry of the same instrument. Split into shards, so that threads that look up at the
/// same time seldom meet; only memory is touched under a lock.
final class InstrumentIndex: Sendable {
    enum Kind: UInt8, Sendable {
        case counter, gauge, histogram, timer
    }

    enum Instrument: Sendable {
        case counter(OrielClient.Counter)
        case gauge(OrielClient.Gauge)
        case histogram(OrielClient.Histogram)

        var isRemoved: Bool {
            switch self {
            case .counter(let counter): counter.isRemoved
            case .gauge(let gauge): gauge.isRemoved
            case .histogram(let histogram): histogram.isRemoved
            }
        }
    }

    /// What an application asks with.
    struct Key: Sendable {
        let kind: Kind
        let label: String
        let dimensions: [(String, String)]
        let hash: Int

        init(_ kind: Kind, _ label: String, _ dimensions: [(String, String)]) {
            self.kind = kind
            self.label = label
            self.dimensions = dimensions
            var hasher = Hasher()
            hasher.combine(kind)
            hasher.combine(label)
            for (name, value) in dimensions {
                hasher.combine(name)
                hasher.combine(value)
            }
            hash = hasher.finalize()
        }

        func matches(_ other: Key) -> Bool {
            guard hash == other.hash, kind == other.kind, dimensions.count == other.dimensions.count, label == other.label else { return false }
            for position in dimensions.indices where dimensions[position] != other.dimensions[position] { return false }
            return true
        }
    }

    /// Entries of one slot form a chain.
    private final class Entry: Sendable {
        let key: Key
        let instrument: Instrument
        let next: Entry?

        init(_ key: Key, _ instrument: Instrument, next: Entry?) {
            self.key = key
            self.instrument = instrument
            self.next = next
        }
    }

    private struct Table {
        /// As many as a power of two.
        var slots = [Entry?](repeating: nil, count: 8)
        var count = 0
        /// How many were not taken since the table was full of instruments that are still exported.
        var refused = 0

        func slot(_ hash: Int) -> Int { hash & (slots.count &- 1) }

        /// Puts all entries of instruments that are still exported into new slots.
        mutating func rebuild() {
            let old = slots
            let kept = old.reduce(0) { $0 + Self.chain($1).count { !$0.instrument.isRemoved } }
            var size = 8
            while size < 2 * kept { size *= 2 }
            slots = [Entry?](repeating: nil, count: size)
            count = kept
            refused = 0
            for head in old {
                for entry in Self.chain(head) where !entry.instrument.isRemoved {
                    let slot = slot(entry.key.hash)
                    slots[slot] = Entry(entry.key, entry.instrument, next: slots[slot])
                }
            }
        }

        private static func chain(_ head: Entry?) -> some Sequence<Entry> {
            sequence(state: head) { entry in
                defer { entry = entry?.next }
                return entry
            }
        }
    }

    private final class Shard: Sendable {
        let table = Mutex(Table())
    }

    private static let shardCount = 16
    /// The most entries of a shard; what is beyond is looked up in the registry.
    private static let shardLimit = 4096

    private let shards = (0..<shardCount).map { _ in Shard() }

    private func shard(_ key: Key) -> Shard { shards[(key.hash >> 40) & (Self.shardCount - 1)] }

    /// The instrument that was remembered, unless it is exported no more.
    func find(_ key: Key) -> Instrument? {
        let found = shard(key).table.withLock { table -> Instrument? in
            var entry = table.slots[table.slot(key.hash)]
            while let candidate = entry {
                if candidate.key.matches(key), !candidate.instrument.isRemoved { return candidate.instrument }
                entry = candidate.next
            }
            return nil
        }
        return found
    }

    func insert(_ instrument: Instrument, under key: Key) {
        shard(key).table.withLock { table in
            if table.count >= table.slots.count || table.count >= Self.shardLimit {
                if table.refused == 0 { table.rebuild() }
                if table.count >= Self.shardLimit {
                    // It is searched for removed ones again only after as many requests as that costs.
                    table.refused = (table.refused + 1) % Self.shardLimit
                    return
                }
            }
            let slot = table.slot(key.hash)
            table.slots[slot] = Entry(key, instrument, next: table.slots[slot])
            table.count += 1
        }
    }
}
