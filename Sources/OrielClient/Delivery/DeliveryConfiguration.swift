/// The bounds and times of a ``DeliveryPipeline``.
public struct DeliveryConfiguration: Sendable {
    /// Bytes of telemetry in memory that was not delivered: what waits to be sent, what is being sent, what is to be sent again. Beyond it the oldest is dropped while
    /// the receiver does not answer, and otherwise what is new.
    public var queueBytes = 16 << 20
    /// Bytes of one request, about.
    public var batchBytes = 512 << 10
    /// The longest that log records wait for others to be sent with.
    public var logDelay: Duration = .seconds(1)
    /// The longest that spans wait for others to be sent with.
    public var spanDelay: Duration = .seconds(5)
    /// How often metrics are sent.
    public var metricInterval: Duration = .seconds(60)
    /// The longest that one request may take.
    public var exportTimeout: Duration = .seconds(10)
    /// When what did not arrive is tried again.
    public var retry = RetryPolicy()
    /// A folder where telemetry that cannot be delivered is kept, also over a restart of the service; `nil` for none. What is in it is sent by processes of
    /// the same service (`service.namespace` and `service.name`) as the one that left it.
    public var spillFolder: String?
    /// Whether what did not arrive stays the first, however often it was tried: lines that people read one after the other, and of which a part may have been written.
    package var keepsOrder = false
    /// How long nothing is sent of its own accord after a flush: a function's sandbox is frozen then, with a request under way if there is one. The next flush ends it.
    package var pauseAfterFlush: Duration = .zero
    /// Bytes of files in that folder.
    public var spillBytes = 256 << 20

    /// The defaults.
    public init() {}

    /// The same where every value makes sense: nothing that a setting says may stop the pipeline or make it spin.
    var bounded: DeliveryConfiguration {
        var result = self
        result.queueBytes = max(queueBytes, 4 * RecordQueue.chunkBytes)
        result.batchBytes = min(max(batchBytes, 1), result.queueBytes / 4)
        result.metricInterval = max(metricInterval, .milliseconds(10))
        result.exportTimeout = max(exportTimeout, .milliseconds(1))
        result.retry.firstDelay = max(retry.firstDelay, .milliseconds(10))
        result.retry.longestDelay = max(retry.longestDelay, result.retry.firstDelay)
        return result
    }
}
