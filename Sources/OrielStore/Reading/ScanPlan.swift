public import OrielTelemetry

/// A question to a store, as a value: all query languages lower to it, and any engine can compile it.
public struct ScanPlan: Sendable {
    public var signal: Signal
    public var range: TimeRange
    /// All must match a row's stream.
    public var streamMatchers: [StreamMatcher]
    /// Only rows of these streams, when given.
    public var streams: Set<StreamID>?
    /// Only rows of streams with an id in this range, when given: how a plan for metrics is split.
    public var streamRange: ClosedRange<StreamID>?
    /// Only rows with one of these trace ids, when given (spans, log records, exemplars).
    public var traceIDs: Set<TraceID>?
    public var predicate: Predicate
    public var projection: Projection
    public var order: ScanOrder
    /// At most so many rows.
    public var limit: Int?
    /// Rows behind this position only, in the plan's order.
    public var position: ScanPosition?
    /// When the scan must have ended; a later `next()` throws ``StoreError/deadlineExceeded(seconds:)``.
    public var deadline: Timestamp?

    public init(
        signal: Signal, range: TimeRange = .all, streamMatchers: [StreamMatcher] = [], streams: Set<StreamID>? = nil,
        streamRange: ClosedRange<StreamID>? = nil, traceIDs: Set<TraceID>? = nil, predicate: Predicate = .all, projection: Projection = .everything,
        order: ScanOrder = .time, limit: Int? = nil, position: ScanPosition? = nil, deadline: Timestamp? = nil
    ) {
        self.signal = signal
        self.range = range
        self.streamMatchers = streamMatchers
        self.streams = streams
        self.streamRange = streamRange
        self.traceIDs = traceIDs
        self.predicate = predicate
        self.projection = projection
        self.order = order
        self.limit = limit
        self.position = position
        self.deadline = deadline
    }
}

/// The order in which a scan delivers. Ties are broken by the rest of (time, stream, ord), in the same direction.
public enum ScanOrder: UInt8, Sendable, Hashable {
    /// (time, stream, ord) ascending.
    case time = 0
    /// (time, stream, ord) descending.
    case timeDescending = 1
    /// (stream, time, ord) ascending: a stream's rows come together.
    case streamThenTime = 2
}

/// Where a row stands in every order: enough to go on behind it, through flushes, merges and restarts.
public struct ScanPosition: Hashable, Sendable {
    /// In the signal's unit.
    public var time: Int64
    public var stream: StreamID
    /// 0 for signals without row numbers.
    public var ord: UInt64

    public init(time: Int64, stream: StreamID, ord: UInt64) {
        self.time = time
        self.stream = stream
        self.ord = ord
    }

    /// Whether this position comes before another one in an order.
    public func precedes(_ other: ScanPosition, in order: ScanOrder) -> Bool {
        switch order {
        case .time: (time, stream.high, stream.low, ord) < (other.time, other.stream.high, other.stream.low, other.ord)
        case .timeDescending: (time, stream.high, stream.low, ord) > (other.time, other.stream.high, other.stream.low, other.ord)
        case .streamThenTime: (stream.high, stream.low, time, ord) < (other.stream.high, other.stream.low, other.time, other.ord)
        }
    }
}

extension ScanPosition: CustomStringConvertible {
    /// `time-stream-ord`, as an API hands it out.
    public var description: String { "\(time)-\(stream)-\(ord)" }

    /// Reads what ``description`` prints.
    public init?(_ text: some StringProtocol) {
        // From the right, since the time may begin with a minus sign.
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 3 || (parts.count == 4 && parts[0].isEmpty) else { return nil }
        guard let time = Int64(parts.count == 4 ? "-\(parts[1])" : String(parts[0])), let stream = StreamID(hexadecimal: parts[parts.count - 2]),
            let ord = UInt64(parts[parts.count - 1])
        else { return nil }
        self.init(time: time, stream: stream, ord: ord)
    }
}

/// What of each row a scan delivers. Time, stream and ord always come.
public struct Projection: Sendable, Hashable {
    /// Fixed columns; others come as `.absent`.
    public var columns: Set<ColumnID>
    public var attributes: AttributeProjection
    /// Whether the batches' stream tables have descriptors, or ids only, which saves a copy of each stream's. No store takes batches without them.
    public var describesStreams: Bool

    public enum AttributeProjection: Sendable, Hashable {
        case none
        case all
        /// Only these keys.
        case keys(Set<String>)
    }

    public init(columns: Set<ColumnID>, attributes: AttributeProjection, describesStreams: Bool = true) {
        self.columns = columns
        self.attributes = attributes
        self.describesStreams = describesStreams
    }

    public static let everything = Projection(columns: Set(ColumnID.allCases), attributes: .all)
    /// Time, stream and ord only.
    public static let positions = Projection(columns: [], attributes: .none)
}
