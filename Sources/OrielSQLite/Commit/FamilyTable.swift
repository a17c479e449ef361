import OrielStore
import OrielTelemetry
import Synchronization

/// What is known about metrics, by the family's name. The commit thread writes, anybody reads.
final class FamilyTable: MetricFamilySource {
    private let known = Mutex<[String: MetricFamily]>([:])

    /// Those of `families` that say something new; they are in the table afterwards.
    func update(_ families: [MetricFamily]) -> [MetricFamily] {
        guard !families.isEmpty else { return [] }
        return known.withLock { known in
            var changed: [MetricFamily] = []
            for family in families where known[family.name] != family {
                known[family.name] = family
                changed.append(family)
            }
            return changed
        }
    }

    func families() throws(StoreError) -> [MetricFamily] {
        known.withLock { $0.values.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) } }
    }
}
