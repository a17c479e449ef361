public import OrielTelemetry

/// All that one request brings: the unit of ``TelemetryStore/append(_:)``, stored wholly or not at all.
public struct WriteSet: Sendable {
    /// Rows by signal, at most one batch of each. Streams without ids, rows without ords: the store assigns both.
    public var batches: [ColumnBatch]
    /// Points of delta temporality, to be summed.
    public var deltas: DeltaBatch
    /// What the request says about its metrics.
    public var families: [MetricFamily]
    /// Tells a retried request from a new one.
    public var requestKey: RequestKey?

    public init(batches: [ColumnBatch] = [], deltas: DeltaBatch = DeltaBatch(), families: [MetricFamily] = [], requestKey: RequestKey? = nil) {
        self.batches = batches
        self.deltas = deltas
        self.families = families
        self.requestKey = requestKey
    }

    public var isEmpty: Bool { deltas.isEmpty && families.isEmpty && batches.allSatisfy { $0.count == 0 } }

    /// Rows of all batches and deltas.
    public var rowCount: Int { batches.reduce(deltas.samples.count + deltas.histograms.count) { $0 + $1.count } }
}

/// A hash of who sent a request, where to, and its inflated body. A second request with the same key within the store's window is a retry.
public struct RequestKey: Hashable, Sendable {
    public var high: UInt64
    public var low: UInt64

    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }
}

/// The answer to an append: the rows are on disk.
public struct Receipt: Hashable, Sendable {
    public var sequence: CommitSequence
    /// Rows that were refused, by reason; the others are stored.
    public var rejected: [Rejection]
    /// Whether this request had been stored before and the earlier receipt answers.
    public var isDuplicate: Bool

    public init(sequence: CommitSequence, rejected: [Rejection] = [], isDuplicate: Bool = false) {
        self.sequence = sequence
        self.rejected = rejected
        self.isDuplicate = isDuplicate
    }

    /// Rows of one signal that were refused for one reason.
    public struct Rejection: Hashable, Sendable {
        public enum Reason: UInt8, Hashable, Sendable {
            /// Older than the store's retention.
            case beforeRetention = 1
            /// Further in the future than the store accepts.
            case tooFarInFuture = 2
            /// Another stream has the same id; practically impossible.
            case streamCollision = 3
            /// A delta point that starts before the end of the point before it.
            case overlappingDelta = 4
            /// Of a new stream, while the store holds as many as it may.
            case tooManyStreams = 5
        }

        public var signal: Signal
        public var reason: Reason
        public var count: Int

        public init(signal: Signal, reason: Reason, count: Int) {
            self.signal = signal
            self.reason = reason
            self.count = count
        }
    }
}
