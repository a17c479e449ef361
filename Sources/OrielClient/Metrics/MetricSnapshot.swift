public import OrielTelemetry

/// What a registry held at one moment, as plain values: what the text formats and OTLP are written from.
public struct MetricSnapshot: Sendable {
    /// A metric with all its series.
    public struct Family: Sendable {
        /// The name without what the formats add (`_total`, `_bucket`, ...), with the unit's word.
        public var name: String
        public var kind: MetricFamily.Kind
        /// The unit as it was given, by word or by UCUM's symbol; empty when unknown.
        public var unit: String
        public var help: String
        public var series: [Series]
        /// Whether some of the values are not counted as it happens, but read at each snapshot: OpenTelemetry's asynchronous instruments.
        public var isAsynchronous = false
        /// The name and the unit that it is pushed with, where these differ.
        var instrument: InstrumentName?
        /// The keys that its labels are pushed as.
        var attributeKeys = AttributeKeys()

        /// The unit as the end of the name says it, empty when it says none.
        public var unitWord: String {
            if unit.isEmpty { return "" }
            let word = MetricUnit.word(unit, kind: kind)
            return name.hasSuffix("_" + word) ? word : ""
        }
    }

    /// One series of a metric.
    public struct Series: Sendable {
        private let identity: SeriesLabels
        /// Sorted by name.
        public var labels: [MetricLabel] { identity.labels }
        /// The labels in text form, escaped, without braces: `code="200",method="GET"`.
        public var renderedLabels: [UInt8] { identity.rendered }
        /// When counting began.
        public var start: Timestamp
        /// When counting began, also where ``start`` says up to when an earlier request told, or nothing.
        var origin: Timestamp
        /// When the series was taken back; `nil` for one that is there.
        public internal(set) var end: Timestamp?
        public var point: Point

        init(_ identity: SeriesLabels, start: Timestamp, point: Point) {
            self.identity = identity
            self.start = start
            origin = start
            self.point = point
        }
    }

    /// The value of a series.
    public enum Point: Sendable {
        case counter(Double, exemplar: Exemplar?)
        case gauge(Double)
        case histogram(Histogram)
        case exponentialHistogram(ExponentialHistogram)
        /// Always one: the labels are what counts.
        case info
    }

    /// A histogram with explicit bounds.
    public struct Histogram: Sendable, Equatable {
        /// Inclusive upper bounds, ascending, without infinity.
        public var bounds: [Double]
        /// The count of each bucket, not cumulative; one more than bounds.
        public var counts: [UInt64]
        public var sum: Double
        /// The latest exemplar of each bucket.
        public var exemplars: [Exemplar?]

        public var count: UInt64 { counts.reduce(0, &+) }
    }

    /// A base-2 exponential histogram as OpenTelemetry's data model has it: at scale *s*, bucket *i* covers (2^(i·2^-s), 2^((i+1)·2^-s)].
    public struct ExponentialHistogram: Sendable, Equatable {
        public var scale: Int
        public var sum: Double
        /// Values equal to zero.
        public var zeroCount: UInt64
        /// The index of the first of ``positiveCounts``.
        public var positiveOffset: Int
        public var positiveCounts: [UInt64]
        /// The index of the first of ``negativeCounts``, which count the magnitudes of negative values.
        public var negativeOffset: Int
        public var negativeCounts: [UInt64]
        public var exemplars: [Exemplar]

        public var count: UInt64 { positiveCounts.reduce(0, &+) &+ negativeCounts.reduce(0, &+) &+ zeroCount }

        init(_ state: ExponentialState, exemplars: [Exemplar]) {
            scale = state.scale
            sum = state.sum
            zeroCount = state.zeroCount
            positiveOffset = state.positive.low
            positiveCounts = state.positive.counts
            negativeOffset = state.negative.low
            negativeCounts = state.negative.counts
            self.exemplars = exemplars
        }
    }

    /// When it was taken.
    public var time: Timestamp
    /// Sorted by name, but for `target_info`, which comes first; none without series.
    public var families: [Family]

    public init(time: Timestamp, families: [Family]) {
        self.time = time
        self.families = families
    }
}
