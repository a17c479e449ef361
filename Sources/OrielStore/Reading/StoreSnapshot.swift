public import OrielTelemetry

/// One moment of a store. Holding it keeps what it shows; drop it soon.
public protocol StoreSnapshot: Sendable {
    /// The last commit that this snapshot shows.
    var sequence: CommitSequence { get }

    /// Rows that a plan selects, in its order.
    func scan(_ plan: ScanPlan) throws(StoreError) -> any ScanCursor

    /// Measures of the rows that ``scan(_:)`` would deliver for a plan, group by group. The plan's projection says nothing here, its order only which rows a limit
    /// or a position leaves.
    ///
    /// Groups take memory from the query's budget. Counts by stream alone may come from the headers of blocks, so that rows are counted in them that turn out damaged
    /// when they are read.
    /// - Throws: ``StoreError/tooManyGroups(limit:)``, ``StoreError/unsupported(_:)`` for an aggregation that makes no sense, and what a scan throws.
    func aggregate(_ plan: ScanPlan, by aggregation: Aggregation) async throws(StoreError) -> AggregateTable

    /// Splits a plan into at most `count` plans, for callers that work on several threads: together they deliver exactly the plan's rows, each row once.
    ///
    /// Plans for metrics are split by stream id (``ScanPlan/streamRange``), so that a series is whole in one part; plans for logs and spans by time, at moments that
    /// leave about equally many rows on either side. The parts come in the plan's order: where they are cut by what the order sorts by first, their rows one after
    /// another are the plan's rows in order. A plan with a limit cannot be split and comes back alone; so does one whose rows cannot be told apart that way.
    func partitions(of plan: ScanPlan, count: Int) async throws(StoreError) -> [ScanPlan]

    /// Streams with rows in a time range, in the order of their ids; the first of them when there are more than `limit`.
    func streamIDs(_ signal: Signal, matching matchers: [StreamMatcher], in range: TimeRange, limit: Int) async throws(StoreError) -> [StreamID]

    /// What streams that ``streamIDs(_:matching:in:limit:)`` found are, in the order of `ids`. Ids that the store does not know are left out.
    ///
    /// An id is as good as leave to see its stream: a tenant's snapshot does not look whose it is.
    func streamList(of ids: [StreamID]) async throws(StoreError) -> StreamList

    /// The names of the labels of metric series, or of resource and scope attributes, sorted.
    func labelNames(_ signal: Signal, matching matchers: [StreamMatcher], in range: TimeRange) async throws(StoreError) -> [String]

    /// The values of a label or resource attribute, sorted.
    func labelValues(
        _ name: String, _ signal: Signal, matching matchers: [StreamMatcher], in range: TimeRange
    ) async throws(StoreError) -> [String]

    /// What is known about metrics, by name.
    func families() async throws(StoreError) -> [MetricFamily]

    /// All spans of some traces: of any stream and any day.
    ///
    /// - Parameter hint: where the traces probably lie; only an order of search, never a filter.
    func traces(_ ids: [TraceID], hint: TimeRange?) async throws(StoreError) -> ColumnBatch

    /// One line per trace that has a span in the range and passes, newest first.
    func summaries(_ query: TraceSummaryQuery) async throws(StoreError) -> [TraceSummary]
}

/// Delivers a scan's rows, batch by batch. Not safe for two callers at a time.
public protocol ScanCursor: AnyObject, Sendable {
    /// The next rows, or `nil` at the end. A batch is never empty.
    func next() async throws(StoreError) -> ColumnBatch?

    /// The position behind the last row delivered: a plan that starts there goes on without loss or repetition. `nil` before the first row.
    var position: ScanPosition? { get }
}
