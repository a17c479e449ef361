import Synchronization

/// Finds the family of a name as callers spell it, which may differ from the family's own: `http.requests` in `s` is
/// `http_requests_seconds`.
final class FamilyIndex: Sendable {
    struct Key: Hashable, Sendable {
        var name: String
        var unit: String
    }

    struct Entry: Sendable {
        var family: Family
        /// Whether the spelling is a valid metric name.
        var isValid: Bool
    }

    private final class Shard: Sendable {
        let entries = Mutex<[Key: Entry]>([:])
    }

    private static let shardCount = 16

    private let shards = (0..<shardCount).map { _ in Shard() }
    private let limit: Int

    /// - Parameter limit: the most entries of one shard. Names beyond it are looked up the slow way.
    init(limit: Int) {
        self.limit = limit
    }

    func find(_ key: Key) -> Entry? {
        shard(key).entries.withLock { $0[key] }
    }

    func insert(_ entry: Entry, under key: Key) {
        shard(key).entries.withLock {
            if $0.count < limit { $0[key] = entry }
        }
    }

    /// Names of one length are not all alike, and a sum is cheaper than a second hash.
    private func shard(_ key: Key) -> Shard {
        var sum = 0
        for byte in key.name.utf8.suffix(8) { sum &+= Int(byte) }
        return shards[sum & (Self.shardCount - 1)]
    }
}
