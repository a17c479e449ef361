/// What became of the telemetry of a pipeline.
///
/// For logs and spans `emitted + recovered` is `delivered + droppedTotal + waiting`, exactly, when nothing is on the move just then.
public struct DeliveryStatistics: Sendable, Hashable {
    /// Why telemetry was dropped.
    public enum Reason: String, Sendable, Hashable, CaseIterable {
        /// There was no room in memory.
        case queueFull = "queue_full"
        /// A record was larger than any may be.
        case tooLarge = "too_large"
        /// The receiver does not accept the request.
        case refused
        /// The receiver took the request without these items.
        case rejected
        /// The pipeline ended before it could be delivered.
        case shutdown
        /// There was no room in the spill folder.
        case spillFull = "spill_full"
        /// A file of the spill folder could not be written or read again.
        case spillFailed = "spill_failed"
    }

    /// Of one kind of telemetry.
    public struct Counts: Sendable, Hashable {
        /// Log records and spans that were handed to the pipeline; points of metrics that were to be sent.
        public var emitted: UInt64 = 0
        /// What an earlier process left in the spill folder.
        public var recovered: UInt64 = 0
        /// What the receiver took.
        public var delivered: UInt64 = 0
        /// What was lost, by reason.
        public var dropped: [Reason: UInt64] = [:]
        /// What is in memory or in the spill folder.
        public var waiting: UInt64 = 0

        public init() {}

        /// What was lost.
        public var droppedTotal: UInt64 { dropped.values.reduce(0, &+) }
    }

    /// By signal; one of which nothing is known is left out.
    public var signals: [ExportSignal: Counts] = [:]
    /// Requests that did not arrive, each attempt counted.
    public var failedRequests: UInt64 = 0
    /// Why the last of these failed.
    public var lastFailure: String?
    /// Bytes in memory.
    public var queuedBytes = 0
    /// Whether the receiver of one of the signals counts as gone.
    public var isReceiverGone = false
    /// Loggers and tracers that were made when there were as many names of them as a pipeline keeps.
    public var namelessScopes: UInt64 = 0

    public init() {}

    /// The counts of a signal, zeros if nothing is known of it.
    public subscript(signal: ExportSignal) -> Counts { signals[signal] ?? Counts() }
}
