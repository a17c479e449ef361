import OrielStore
import OrielTelemetry
import Synchronization

/// What is known about metrics, by the family's name. The commit thread writes, anybody reads.
final class FamilyTable: MetricFamilySource {
    private let known = Mutex<[String: MetricFamily]>([:])

    /// Those of `families` that say something new, the last of each name.
    func unknown(_ families: [MetricFamily]) -> [MetricFamily] {
        guard !families.isEmpty else { return [] }
        return known.withLock { known in
            var new: [String: MetricFamily] = [:]
            for family in families where (new[family.name] ?? known[family.name]) != family { new[family.name] = family }
            return Array(new.values)
        }
    }

    /// Notes what is on the disk.
    func note(_ families: [MetricFamily]) {
        guard !families.isEmpty else { return }
        known.withLock { known in
            for family in families { known[family.name] = family }
        }
    }

    func families() throws(StoreError) -> [MetricFamily] {
        known.withLock { $0.values.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) } }
    }
}
