import OrielStore
import OrielTelemetry

/// What a store knows about metrics, found by the names of their series.
struct MetricFamilies: Sendable {
    private let byName: [String: MetricFamily]

    init(_ families: [MetricFamily]) {
        byName = Dictionary(families.map { ($0.name, $0) }, uniquingKeysWith: { _, later in later })
    }

    /// The suffixes of the series that a family of a kind expands to.
    static func suffixes(of kind: MetricFamily.Kind) -> [String] {
        switch kind {
        case .histogram: ["_bucket", "_sum", "_count"]
        case .gaugeHistogram: ["_bucket", "_gsum", "_gcount"]
        case .summary: ["_sum", "_count"]
        case .unknown, .counter, .gauge, .info, .stateSet: []
        }
    }

    /// The family that series of this name belong to; of unknown kind when none is known.
    func family(ofSeries name: String) -> MetricFamily {
        if let family = byName[name] { return family }
        for suffix in ["_bucket", "_sum", "_count", "_gsum", "_gcount"] where name.hasSuffix(suffix) {
            if let family = byName[String(name.dropLast(suffix.count))], Self.suffixes(of: family.kind).contains(suffix) { return family }
        }
        // OpenMetrics names a counter's family without the suffix of its series.
        for suffix in ["_total", "_info"] where name.hasSuffix(suffix) {
            if let family = byName[String(name.dropLast(suffix.count))] { return family }
        }
        return MetricFamily(name: name, kind: .unknown)
    }

    /// The names of the series that a name means: itself and, for a family that expands, its parts.
    func seriesNames(of name: String) -> [String] {
        guard let family = byName[name] else { return [name] }
        return [name] + Self.suffixes(of: family.kind).map { name + $0 }
    }
}

extension MetricFamily.Kind {
    /// As the Prometheus and OpenMetrics text formats name it.
    var name: String {
        switch self {
        case .unknown: "unknown"
        case .counter: "counter"
        case .gauge: "gauge"
        case .histogram: "histogram"
        case .gaugeHistogram: "gaugehistogram"
        case .summary: "summary"
        case .info: "info"
        case .stateSet: "stateset"
        }
    }
}
