public import OrielTelemetry
import Synchronization

extension MetricRegistry {
    struct Collectors: Sendable {
        var list: [(id: Int, collect: @Sendable (inout MetricCollector) -> Void)] = []
        var nextID = 0
    }

    /// Names a collector, to take it back.
    public struct CollectorID: Sendable, Hashable {
        fileprivate let number: Int
    }

    /// Adds a function that is asked for its metrics each time a snapshot is taken.
    ///
    /// It runs on the thread that takes the snapshot, without a lock; it should be quick. Collectors run in the order in which they were
    /// added; of two that bring the same series, the first one counts.
    @discardableResult
    public func addCollector(_ collect: @escaping @Sendable (inout MetricCollector) -> Void) -> CollectorID {
        collectors.withLock {
            $0.nextID += 1
            $0.list.append(($0.nextID, collect))
            return CollectorID(number: $0.nextID)
        }
    }

    /// Takes a collector back. One that runs just now runs to its end.
    public func removeCollector(_ id: CollectorID) {
        collectors.withLock { $0.list.removeAll { $0.id == id.number } }
    }

    /// What all metrics hold now.
    ///
    /// Instruments go on while it is taken: each value is one that the instrument had during the call, and a histogram's count is always
    /// the sum of its buckets.
    ///
    /// Complexity: linear in the number of series and buckets, plus sorting the names.
    public func snapshot(at time: Timestamp = .now) -> MetricSnapshot { snapshot(at: time, reader: nil).snapshot }

    /// - Parameter reader: of what was taken back; `nil` for who only wants what is there.
    /// - Returns: also the number of the last removal that is in it.
    func snapshot(at time: Timestamp, reader: Int?) -> (snapshot: MetricSnapshot, lastRemoval: UInt64) {
        let registered = families.withLock { $0 }
        var found: [(family: Family, series: [Series], attributeKeys: AttributeKeys)] = []
        for family in registered.list {
            var (series, overflow, attributeKeys) = family.state.withLock { ($0.series, $0.overflow, $0.attributeKeys) }
            if let overflow { series.append(overflow) }
            found.append((family, series, attributeKeys))
        }
        // Read after the series, so that what is taken back meanwhile is in one of both, or in both.
        var removed: (entries: ArraySlice<MetricRemovals.Entry>, last: UInt64) = ([], 0)
        if let reader { removed = removals.withLock { $0.read(by: reader) } }
        let removedPoints = Dictionary(grouping: removed.entries) { ObjectIdentifier($0.family) }
        var result: [MetricSnapshot.Family] = []
        for (family, series, attributeKeys) in found {
            // What is gone comes before what has followed under the same labels.
            var points = removedPoints[ObjectIdentifier(family)]?.map(\.last) ?? []
            points.reserveCapacity(points.count + series.count)
            var isAsynchronous = false
            for series in series {
                if series.source.isReading { isAsynchronous = true }
                let removal = series.removal.load(ordering: .relaxed)
                // One that was taken back meanwhile is among these, alone or with what has followed.
                if removal > 0, removal <= removed.last { continue }
                if let point = point(of: series, kind: family.kind) { points.append(point) }
            }
            if points.isEmpty { continue }
            result.append(
                .init(
                    name: family.name, kind: family.kind, unit: family.unit, help: family.help, series: points,
                    isAsynchronous: isAsynchronous, instrument: family.instrument,
                    attributeKeys: attributeKeys))
        }

        let owners = registered.owners
        var collector = MetricCollector(start: start, configuration: configuration) { owners[$0] != nil }
        for (_, collect) in collectors.withLock({ $0.list }) { collect(&collector) }
        if configuration.reportsItself {
            collectOwn(&collector, series: result.reduce(0) { $0 + $1.series.count }, families: registered.list.count)
        }
        faults.omitted.wrappingAdd(collector.omitted, ordering: .relaxed)
        result += collector.families.filter { !$0.series.isEmpty }
        result.sort { $0.name < $1.name }
        return (MetricSnapshot(time: time, families: result), removed.last)
    }

    /// Keeps what a series has counted that is taken back, for who has not told it yet.
    func keepLast(of series: Series, in family: Family) {
        switch series.source {
        case .counter, .histogram: break
        // What was measured and is no sum is over.
        case .gauge, .reading, .info: return
        }
        guard var last = point(of: series, kind: family.kind) else { return }
        last.end = .now
        if removals.withLock({ $0.add(family, series, last) }) { faults.omitted.wrappingAdd(1, ordering: .relaxed) }
    }

    private func point(of series: Series, kind: MetricFamily.Kind) -> MetricSnapshot.Series? {
        var start = series.start
        let point: MetricSnapshot.Point
        switch series.source {
        case .counter(let counter):
            start = counter.start
            point = counter.point
        case .gauge(let gauge):
            point = .gauge(gauge.value)
        case .histogram(let histogram):
            point = histogram.point
        case .info:
            point = .info
        case .reading(let read):
            let value = read()
            if kind == .counter {
                guard value >= 0 else {
                    faults.omitted.wrappingAdd(1, ordering: .relaxed)
                    return nil
                }
                point = .counter(value, exemplar: nil)
            } else {
                point = .gauge(value)
            }
        }
        return .init(series.identity, start: start, point: point)
    }

    private func collectOwn(_ collector: inout MetricCollector, series: Int, families: Int) {
        for reason in MetricRegistrationError.Reason.allCases {
            collector.counter(
                "oriel_metric_registry_rejected", labels: ["reason": reason.rawValue],
                help: "Requests for instruments that could not be met as asked.", value: Double(faults.count(of: reason)))
        }
        collector.counter(
            "oriel_metric_registry_overflowed",
            help: "Lookups of label sets beyond the limit of their metric, counted in its overflow series.",
            value: Double(faults.overflowed.load(ordering: .relaxed)))
        collector.counter(
            "oriel_metric_registry_ignored_values", help: "Values that an instrument cannot take: negative increments, infinities, NaN.",
            value: Double(faults.ignored.load(ordering: .relaxed)))
        collector.counter(
            "oriel_metric_registry_omitted_series", help: "Series that were read at a scrape and could not be exported.",
            value: Double(faults.omitted.load(ordering: .relaxed)))
        collector.gauge("oriel_metric_registry_metrics", help: "Metrics registered.", value: Double(families))
        collector.gauge("oriel_metric_registry_series", help: "Series of registered metrics.", value: Double(series))
    }
}
