import OrielTelemetry

/// Takes metrics whose values live elsewhere, each time a snapshot is taken: those of an engine, of the process.
///
/// A function given to ``MetricRegistry/addCollector(_:)`` fills it. What cannot be exported (a name that an instrument or another kind
/// has, an invalid name, a series that is there already, a counter that is negative, more series than the registry's limit) is left out
/// and counted.
public struct MetricCollector {
    private(set) var families: [MetricSnapshot.Family] = []
    private(set) var omitted = 0
    private var positions: [String: Int] = [:]
    private var owners: [String: String] = [:]
    private var seen: [Set<[UInt8]>] = []
    private let isOwnedElsewhere: (String) -> Bool
    private let start: Timestamp
    private let configuration: MetricRegistry.Configuration

    init(start: Timestamp, configuration: MetricRegistry.Configuration, isOwnedElsewhere: @escaping (String) -> Bool) {
        self.start = start
        self.configuration = configuration
        self.isOwnedElsewhere = isOwnedElsewhere
    }

    /// Adds a series of a counter: a value that never goes down while the process lives.
    /// - Parameter name: with or without `_total`.
    public mutating func counter(_ name: String, labels: MetricLabels = [:], help: String = "", unit: String = "", value: Double) {
        guard value >= 0 else {
            omitted += 1
            return
        }
        add(name, labels, .counter, help, unit, .counter(value, exemplar: nil))
    }

    /// Adds a series of a gauge.
    public mutating func gauge(_ name: String, labels: MetricLabels = [:], help: String = "", unit: String = "", value: Double) {
        add(name, labels, .gauge, help, unit, .gauge(value))
    }

    /// Adds a series with the value one whose labels are what it tells.
    public mutating func info(_ name: String, labels: MetricLabels, help: String = "") {
        add(name, labels, .info, help, "", .info)
    }

    private mutating func add(
        _ name: String, _ labels: MetricLabels, _ kind: MetricFamily.Kind, _ help: String, _ unit: String, _ point: MetricSnapshot.Point
    ) {
        guard let position = position(name, kind, help, unit), let series = series(labels, kind, point),
            families[position].series.count < configuration.seriesLimit, seen[position].insert(series.renderedLabels).inserted
        else {
            omitted += 1
            return
        }
        families[position].series.append(series)
    }

    /// Where the family is, which is made if it is new and may be.
    private mutating func position(_ name: String, _ kind: MetricFamily.Kind, _ help: String, _ unit: String) -> Int? {
        guard MetricName.isValid(name) else { return nil }
        let name = MetricName.family(name, unit: unit, kind: kind)
        if let known = positions[name] { return families[known].kind == kind ? known : nil }
        let reserved = MetricName.reserved(name, kind: kind)
        guard families.count < configuration.familyLimit,
            !reserved.contains(where: { owners[$0] != nil || isOwnedElsewhere($0) })
        else { return nil }
        for sampleName in reserved { owners[sampleName] = name }
        positions[name] = families.count
        families.append(.init(name: name, kind: kind, unit: unit, help: help, series: [], isAsynchronous: true))
        seen.append([])
        return families.count - 1
    }

    private func series(_ labels: MetricLabels, _ kind: MetricFamily.Kind, _ point: MetricSnapshot.Point) -> MetricSnapshot.Series? {
        let sorted = labels.pairs.filter { !$0.1.isEmpty }.map { MetricLabel(name: $0.0, value: $0.1) }.sorted()
        guard sorted.allSatisfy({ MetricName.labelFault($0.name, kind: kind) == nil }),
            zip(sorted, sorted.dropFirst()).allSatisfy({ $0.name != $1.name })
        else { return nil }
        return .init(SeriesLabels(sorted), start: start, point: point)
    }
}
