/// One sample of a Prometheus native histogram (exponential buckets, or custom bounds when ``schema`` is -53).
///
/// Bucket counts are absolute (not deltas) and held as doubles, exact for integers below 2^53; ``isFloat`` tells whether the source had
/// float counts. A bucket with index i of schema s covers (2^((i-1)·2^-s), 2^(i·2^-s)].
public struct NativeHistogram: Hashable, Sendable {
    /// A run of consecutive buckets: `offset` is the index of the first one for the first span, and the gap to the previous span after that.
    public struct BucketSpan: Hashable, Sendable {
        public var offset: Int32
        public var length: UInt32

        public init(offset: Int32, length: UInt32) {
            self.offset = offset
            self.length = length
        }
    }

    /// What the producer said about a counter reset before this sample.
    public enum CounterResetHint: UInt8, Sendable {
        case unknown = 0
        case reset = 1
        case notReset = 2
        case gauge = 3
    }

    public var schema: Int8
    public var isFloat: Bool
    public var counterResetHint: CounterResetHint
    public var zeroThreshold: Double
    public var zeroCount: Double
    public var count: Double
    /// A stale marker here marks the whole sample stale.
    public var sum: Double
    public var positiveSpans: [BucketSpan]
    public var positiveBuckets: [Double]
    public var negativeSpans: [BucketSpan]
    public var negativeBuckets: [Double]
    /// Upper bounds, only with schema -53.
    public var customBounds: [Double]

    public init(
        schema: Int8 = 0, isFloat: Bool = false, counterResetHint: CounterResetHint = .unknown, zeroThreshold: Double = 0, zeroCount: Double = 0,
        count: Double = 0, sum: Double = 0, positiveSpans: [BucketSpan] = [], positiveBuckets: [Double] = [], negativeSpans: [BucketSpan] = [],
        negativeBuckets: [Double] = [], customBounds: [Double] = []
    ) {
        self.schema = schema
        self.isFloat = isFloat
        self.counterResetHint = counterResetHint
        self.zeroThreshold = zeroThreshold
        self.zeroCount = zeroCount
        self.count = count
        self.sum = sum
        self.positiveSpans = positiveSpans
        self.positiveBuckets = positiveBuckets
        self.negativeSpans = negativeSpans
        self.negativeBuckets = negativeBuckets
        self.customBounds = customBounds
    }
}
