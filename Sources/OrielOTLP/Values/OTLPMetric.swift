public import OrielTelemetry

/// A metric with its points, as OTLP knows it.
public struct OTLPMetric: Hashable, Sendable {
    /// OTLP `AggregationTemporality`.
    public enum Temporality: Int32, Hashable, Sendable, CaseIterable {
        case unspecified = 0
        /// Points hold what was added since the point before.
        case delta = 1
        /// Points hold the total since their start time.
        case cumulative = 2
    }

    /// The points, by kind of metric.
    public enum Points: Hashable, Sendable {
        case gauge([OTLPNumberPoint])
        case sum([OTLPNumberPoint], temporality: Temporality, isMonotonic: Bool)
        case histogram([OTLPHistogramPoint], temporality: Temporality)
        case exponentialHistogram([OTLPExponentialHistogramPoint], temporality: Temporality)
        case summary([OTLPSummaryPoint])
    }

    public var name: String
    public var description: String
    /// UCUM, such as `ms`, `By`, `1`, `{request}`.
    public var unit: String
    public var points: Points
    public var metadata: [Attribute]

    public init(name: String, description: String = "", unit: String = "", points: Points, metadata: [Attribute] = []) {
        self.name = name
        self.description = description
        self.unit = unit
        self.points = points
        self.metadata = metadata
    }
}

/// A number that OTLP sends as an integer or as a double.
public enum OTLPNumber: Hashable, Sendable {
    case int(Int64)
    case double(Double)
}

/// Bits of OTLP `DataPointFlags`.
public enum OTLPPointFlags {
    /// The point has no value: the series ended.
    public static let noRecordedValue: UInt32 = 1
}

/// A point of a gauge or a sum.
public struct OTLPNumberPoint: Hashable, Sendable {
    public var attributes: [Attribute]
    /// Zero when unknown.
    public var startTime: Timestamp
    public var time: Timestamp
    /// `nil` when the point has none.
    public var value: OTLPNumber?
    public var exemplars: [OTLPExemplar]
    /// See ``OTLPPointFlags``.
    public var flags: UInt32

    public init(
        attributes: [Attribute] = [], startTime: Timestamp = Timestamp(nanoseconds: 0), time: Timestamp, value: OTLPNumber?,
        exemplars: [OTLPExemplar] = [], flags: UInt32 = 0
    ) {
        self.attributes = attributes
        self.startTime = startTime
        self.time = time
        self.value = value
        self.exemplars = exemplars
        self.flags = flags
    }
}

/// A point of a histogram with explicit bounds.
public struct OTLPHistogramPoint: Hashable, Sendable {
    public var attributes: [Attribute]
    /// Zero when unknown.
    public var startTime: Timestamp
    public var time: Timestamp
    public var count: UInt64
    public var sum: Double?
    /// One more than there are bounds, or none; not cumulative.
    public var bucketCounts: [UInt64]
    /// Inclusive upper bounds, ascending, without infinity.
    public var explicitBounds: [Double]
    public var exemplars: [OTLPExemplar]
    /// See ``OTLPPointFlags``.
    public var flags: UInt32
    public var min: Double?
    public var max: Double?

    public init(
        attributes: [Attribute] = [], startTime: Timestamp = Timestamp(nanoseconds: 0), time: Timestamp, count: UInt64, sum: Double? = nil,
        bucketCounts: [UInt64] = [], explicitBounds: [Double] = [], exemplars: [OTLPExemplar] = [], flags: UInt32 = 0, min: Double? = nil,
        max: Double? = nil
    ) {
        self.attributes = attributes
        self.startTime = startTime
        self.time = time
        self.count = count
        self.sum = sum
        self.bucketCounts = bucketCounts
        self.explicitBounds = explicitBounds
        self.exemplars = exemplars
        self.flags = flags
        self.min = min
        self.max = max
    }
}

/// A point of a histogram with exponential buckets: bucket i covers (base^i, base^(i+1)], base = 2^(2^-scale).
public struct OTLPExponentialHistogramPoint: Hashable, Sendable {
    /// Consecutive buckets from an index on.
    public struct Buckets: Hashable, Sendable {
        /// Index of the first bucket.
        public var offset: Int32
        public var bucketCounts: [UInt64]

        public init(offset: Int32 = 0, bucketCounts: [UInt64] = []) {
            self.offset = offset
            self.bucketCounts = bucketCounts
        }
    }

    public var attributes: [Attribute]
    /// Zero when unknown.
    public var startTime: Timestamp
    public var time: Timestamp
    public var count: UInt64
    public var sum: Double?
    public var scale: Int32
    public var zeroCount: UInt64
    /// Values of this magnitude or smaller are in the zero bucket.
    public var zeroThreshold: Double
    public var positive: Buckets
    public var negative: Buckets
    public var exemplars: [OTLPExemplar]
    /// See ``OTLPPointFlags``.
    public var flags: UInt32
    public var min: Double?
    public var max: Double?

    public init(
        attributes: [Attribute] = [], startTime: Timestamp = Timestamp(nanoseconds: 0), time: Timestamp, count: UInt64, sum: Double? = nil,
        scale: Int32 = 0, zeroCount: UInt64 = 0, zeroThreshold: Double = 0, positive: Buckets = Buckets(), negative: Buckets = Buckets(),
        exemplars: [OTLPExemplar] = [], flags: UInt32 = 0, min: Double? = nil, max: Double? = nil
    ) {
        self.attributes = attributes
        self.startTime = startTime
        self.time = time
        self.count = count
        self.sum = sum
        self.scale = scale
        self.zeroCount = zeroCount
        self.zeroThreshold = zeroThreshold
        self.positive = positive
        self.negative = negative
        self.exemplars = exemplars
        self.flags = flags
        self.min = min
        self.max = max
    }
}

/// A point of a summary: quantiles that the client computed.
public struct OTLPSummaryPoint: Hashable, Sendable {
    /// A value and the share of observations at or below it.
    public struct Quantile: Hashable, Sendable {
        /// From 0 to 1.
        public var quantile: Double
        public var value: Double

        public init(quantile: Double, value: Double) {
            self.quantile = quantile
            self.value = value
        }
    }

    public var attributes: [Attribute]
    /// Zero when unknown.
    public var startTime: Timestamp
    public var time: Timestamp
    public var count: UInt64
    public var sum: Double
    public var quantiles: [Quantile]
    /// See ``OTLPPointFlags``.
    public var flags: UInt32

    public init(
        attributes: [Attribute] = [], startTime: Timestamp = Timestamp(nanoseconds: 0), time: Timestamp, count: UInt64, sum: Double,
        quantiles: [Quantile] = [], flags: UInt32 = 0
    ) {
        self.attributes = attributes
        self.startTime = startTime
        self.time = time
        self.count = count
        self.sum = sum
        self.quantiles = quantiles
        self.flags = flags
    }
}

/// A single measurement behind a point, with the trace that it was made in.
public struct OTLPExemplar: Hashable, Sendable {
    public var time: Timestamp
    public var value: OTLPNumber
    /// Zero when there is none.
    public var traceID: TraceID
    /// Zero when there is none.
    public var spanID: SpanID
    /// Attributes of the measurement that are not among the point's.
    public var filteredAttributes: [Attribute]

    public init(
        time: Timestamp, value: OTLPNumber, traceID: TraceID = .zero, spanID: SpanID = .zero, filteredAttributes: [Attribute] = []
    ) {
        self.time = time
        self.value = value
        self.traceID = traceID
        self.spanID = spanID
        self.filteredAttributes = filteredAttributes
    }
}
