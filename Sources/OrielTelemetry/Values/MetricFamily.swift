/// What is known about a metric besides its samples: type, unit and help text. Keyed by the family's name.
public struct MetricFamily: Hashable, Sendable {
    /// Prometheus' and OpenMetrics' metric types.
    public enum Kind: UInt8, Sendable, CaseIterable {
        case unknown = 0
        case counter = 1
        case gauge = 2
        case histogram = 3
        case gaugeHistogram = 4
        case summary = 5
        case info = 6
        case stateSet = 7
    }

    /// The family's name as its series carry it, without `_bucket`, `_sum`, `_count`.
    public var name: String
    public var kind: Kind
    /// The unit as the source names it (OTLP: UCUM, `ms`, `By`); empty when unknown.
    public var unit: String
    public var help: String

    public init(name: String, kind: Kind, unit: String = "", help: String = "") {
        self.name = name
        self.kind = kind
        self.unit = unit
        self.help = help
    }
}
