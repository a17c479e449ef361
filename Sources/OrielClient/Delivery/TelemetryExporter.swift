public import OrielTelemetry

/// Takes telemetry somewhere: what a ``DeliveryPipeline`` hands its batches to.
///
/// An exporter is called by one thread, the pipeline's own, one batch at a time. It may block, up to the deadline: nobody else waits for it. It does not retry, except
/// that a connection which turns out to be dead before anything was answered may be replaced; when and how often to try again is the pipeline's business.
public protocol TelemetryExporter: Sendable {
    /// Delivers one batch.
    ///
    /// - Parameter deadline: when to give up, by the wall clock, which goes on while a function's sandbox is frozen.
    func export(_ batch: ExportBatch, deadline: Timestamp) -> ExportOutcome

    /// Makes ready what the next export will need, such as a connection, so that it takes less time then.
    ///
    /// The pipeline of a function calls it when an invocation begins, while the function does its work. By default it does nothing.
    ///
    /// - Parameter deadline: when to give up, by the wall clock.
    func prepare(deadline: Timestamp)

    /// Asks that the export under way, and those that follow, end by a time that may be earlier than they were told. The last such time counts, until ``shutdown()``.
    ///
    /// A pipeline that is to end calls it, also on other threads than its own, so that a receiver which does not answer does not take the time in which the rest could be sent or kept. An
    /// exporter without it, as is the default, keeps the end of its pipeline waiting until the deadline of the export under way.
    func endExports(by deadline: Timestamp)

    /// Gives back what the exporter holds. The pipeline calls it once, at its end.
    func shutdown()
}

extension TelemetryExporter {
    public func prepare(deadline: Timestamp) {}

    public func endExports(by deadline: Timestamp) {}

    public func shutdown() {}
}

/// The kinds of telemetry that are exported.
public enum ExportSignal: String, Hashable, Sendable, CaseIterable {
    case logs
    case metrics
    case spans
}

/// Telemetry of one kind, ready to be sent.
public struct ExportBatch: Sendable {
    /// Which kind.
    public let signal: ExportSignal
    /// An OTLP request in protobuf: `ExportLogsServiceRequest`, `ExportMetricsServiceRequest` or `ExportTraceServiceRequest`.
    public let request: [UInt8]
    /// Log records, spans, or points of metrics.
    public let itemCount: Int

    public init(signal: ExportSignal, request: [UInt8], itemCount: Int) {
        self.signal = signal
        self.request = request
        self.itemCount = itemCount
    }
}

/// What became of a batch.
public enum ExportOutcome: Hashable, Sendable {
    /// It arrived. The receiver may have refused some of its items, which no repetition would change.
    case delivered(rejected: Int = 0, message: String = "")
    /// Nobody is there: no connection could be made. It is tried again as ``failed(after:reason:)``, except that the end of a pipeline does not wait for somebody to come.
    case unreachable(reason: String)
    /// It did not arrive, and may later: a lost connection, a timeout, an overloaded receiver.
    ///
    /// - Parameter after: how long the receiver wants to be left alone, if it said so.
    case failed(after: Duration? = nil, reason: String)
    /// It will never arrive: the receiver does not accept it.
    case refused(reason: String)
}
