public import OrielTelemetry

/// What a list of traces shows of one trace. Built from the spans that the store has so far.
public struct TraceSummary: Hashable, Sendable {
    public var traceID: TraceID
    /// Service and name of the root span; empty when no root has arrived.
    public var rootService: String
    public var rootName: String
    /// Of the earliest span, in nanoseconds since 1970.
    public var start: Int64
    /// Of the span that ended last, in nanoseconds since 1970.
    public var end: Int64
    public var spanCount: Int
    public var errorCount: Int
    /// Distinct service names, sorted; at most 32.
    public var services: [String]

    public init(
        traceID: TraceID, rootService: String = "", rootName: String = "", start: Int64 = .max, end: Int64 = .min, spanCount: Int = 0, errorCount: Int = 0,
        services: [String] = []
    ) {
        self.traceID = traceID
        self.rootService = rootService
        self.rootName = rootName
        self.start = start
        self.end = end
        self.spanCount = spanCount
        self.errorCount = errorCount
        self.services = services
    }

    /// From start to end, in nanoseconds; never negative.
    public var duration: Int64 { max(0, end.subtractingSaturating(start)) }
}

/// Which traces a list shows.
public struct TraceSummaryQuery: Sendable {
    /// Traces with a span that starts in this range.
    public var range: TimeRange
    /// A trace passes when at least one of its spans in the range passes all of these.
    public var streamMatchers: [StreamMatcher]
    /// Only spans of streams that match all of these exist for the query: others neither make a trace pass nor count in its summary.
    public var visibleStreams: [StreamMatcher] = []
    public var predicate: Predicate
    /// Bounds on the trace's duration, in nanoseconds.
    public var minimumDuration: Int64?
    public var maximumDuration: Int64?
    /// Newest first (by start, then trace id, both descending), at most so many.
    public var limit: Int
    /// Only traces after this one in that order.
    public var after: Position?
    public var deadline: Timestamp?

    /// The place of a trace in the list.
    public struct Position: Hashable, Sendable {
        public var start: Int64
        public var traceID: TraceID

        public init(start: Int64, traceID: TraceID) {
            self.start = start
            self.traceID = traceID
        }
    }

    public init(
        range: TimeRange, streamMatchers: [StreamMatcher] = [], predicate: Predicate = .all, minimumDuration: Int64? = nil, maximumDuration: Int64? = nil,
        limit: Int = 20, after: Position? = nil, deadline: Timestamp? = nil
    ) {
        self.range = range
        self.streamMatchers = streamMatchers
        self.predicate = predicate
        self.minimumDuration = minimumDuration
        self.maximumDuration = maximumDuration
        self.limit = limit
        self.after = after
        self.deadline = deadline
    }
}
