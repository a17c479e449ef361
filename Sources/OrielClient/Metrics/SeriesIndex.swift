import Synchronization

/// Finds the series of a label set without an allocation.
///
/// Split into shards, so that threads that look up at the same time seldom meet.
final class SeriesIndex: Sendable {
    /// A label set and the series it means; entries of one hash form a chain.
    final class Entry: Sendable {
        let family: Family
        let labels: [MetricLabel]
        let series: Series
        let next: Entry?

        init(family: Family, labels: [MetricLabel], series: Series, next: Entry?) {
            self.family = family
            self.labels = labels
            self.series = series
            self.next = next
        }
    }

    private final class Shard: Sendable {
        let entries = Mutex<[UInt64: Entry]>([:])
    }

    private static let shardCount = 32

    private let shards = (0..<shardCount).map { _ in Shard() }

    private func shard(_ hash: UInt64) -> Shard { shards[Int(truncatingIfNeeded: hash >> 32) & (Self.shardCount - 1)] }

    func find(_ labels: MetricLabels, hash: UInt64, in family: Family) -> Series? {
        var entry = shard(hash).entries.withLock { $0[hash] }
        while let candidate = entry {
            if candidate.family === family, labels.match(candidate.labels) { return candidate.series }
            entry = candidate.next
        }
        return nil
    }

    func insert(_ series: Series, under labels: [MetricLabel], hash: UInt64, in family: Family) {
        shard(hash).entries.withLock {
            $0[hash] = Entry(family: family, labels: labels, series: series, next: $0[hash])
        }
    }

    /// Takes the entries of `series` out: the one under `hash`, or, when there may be aliases (`nil`), all there are.
    ///
    /// Complexity: O(1) with a hash, else linear in the number of entries.
    func remove(_ series: Series, hash: UInt64?) {
        if let hash {
            shard(hash).entries.withLock { $0[hash] = Self.chain($0[hash], without: series) }
            return
        }
        for shard in shards {
            shard.entries.withLock { entries in
                entries = entries.compactMapValues { Self.chain($0, without: series) }
            }
        }
    }

    private static func chain(_ head: Entry?, without series: Series) -> Entry? {
        var kept: Entry?
        var entry = head
        while let candidate = entry {
            if candidate.series !== series {
                kept = Entry(family: candidate.family, labels: candidate.labels, series: candidate.series, next: kept)
            }
            entry = candidate.next
        }
        return kept
    }
}
