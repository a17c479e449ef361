import OrielTelemetry
import Synchronization

/// A metric and its series.
final class Family: Sendable {
    let name: String
    let kind: MetricFamily.Kind
    let unit: String
    let help: String
    /// What it is pushed as, where that is spelled otherwise.
    let instrument: InstrumentName?
    /// Only for histograms.
    let buckets: HistogramBuckets?

    struct State: Sendable {
        var series: [Series] = []
        /// Where label sets beyond the limit are counted.
        var overflow: Series?
        /// Index entries for label sets that are spelled otherwise than the series they mean.
        var aliases = 0
        var attributeKeys = AttributeKeys()
    }

    let state = Mutex(State())

    init(name: String, kind: MetricFamily.Kind, unit: String, help: String, instrument: InstrumentName?, buckets: HistogramBuckets?) {
        self.name = name
        self.kind = kind
        self.unit = unit
        self.help = help
        self.instrument = instrument
        self.buckets = buckets
    }
}

/// One series of a family.
final class Series: Sendable {
    /// Where the value comes from.
    enum Source: Sendable {
        case counter(Counter)
        case gauge(Gauge)
        case histogram(Histogram)
        case reading(@Sendable () -> Double)
        case info

        var isReading: Bool {
            if case .reading = self { true } else { false }
        }

        func noteRemoved() {
            switch self {
            case .counter(let counter): counter.noteRemoved()
            case .gauge(let gauge): gauge.noteRemoved()
            case .histogram(let histogram): histogram.noteRemoved()
            case .reading, .info: break
            }
        }
    }

    let identity: SeriesLabels
    let start: Timestamp
    let source: Source
    /// The number of its removal; 0 as long as it is not among ``MetricRemovals``.
    let removal = Atomic<UInt64>(0)

    /// Sorted by name.
    var labels: [MetricLabel] { identity.labels }

    /// Whether it counts what is beyond the limit of series.
    var isOverflow: Bool { labels.count == 1 && labels[0] == overflowLabel }

    init(labels: [MetricLabel], start: Timestamp, source: Source) {
        identity = SeriesLabels(labels)
        self.start = start
        self.source = source
    }
}

/// The name of the label, and its only value, that marks the series of everything beyond the limit: OpenTelemetry's attribute `otel.metric.overflow` in the form that labels have.
let overflowLabel = MetricLabel(name: "otel_metric_overflow", value: "true")
