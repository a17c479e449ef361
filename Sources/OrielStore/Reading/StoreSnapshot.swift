public import OrielTelemetry

/// One moment of a store. Holding it keeps what it shows; drop it soon.
public protocol StoreSnapshot: Sendable {
    /// The last commit that this snapshot shows.
    var sequence: CommitSequence { get }

    /// Rows that a plan selects, in its order.
    func scan(_ plan: ScanPlan) throws(StoreError) -> any ScanCursor

    /// Streams with rows in a time range.
    func streams(_ signal: Signal, matching matchers: [StreamMatcher], in range: TimeRange, limit: Int) async throws(StoreError) -> [StreamInformation]

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

/// A stream of a snapshot.
public struct StreamInformation: Sendable, Hashable {
    public var id: StreamID
    public var descriptor: StreamDescriptor

    public init(id: StreamID, descriptor: StreamDescriptor) {
        self.id = id
        self.descriptor = descriptor
    }
}
