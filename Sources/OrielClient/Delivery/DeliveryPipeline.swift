public import OrielTelemetry
import OrielThreads
import Synchronization

/// Brings telemetry from the threads that make it to an exporter, on a thread of its own.
///
/// Log records and spans come in through ``logs`` and ``spans``, metrics are read from a registry when they are due. The pipeline batches them, sends one request after
/// the other, tries again what did not arrive, and counts what it had to drop. Whoever emits never waits for it.
public final class DeliveryPipeline: Sendable {
    /// What the delivery thread is asked to do.
    struct Requests {
        var flushes: [DeliveryFlush] = []
        /// When the pipeline is to end, and no later than when.
        var end: DeliveryFlush?
        /// Whether the thread may begin with the end: the exporter was told.
        var isEndReady = false
        var hasEnded = false
        /// How often a pause after a flush was ended before its time.
        var resumption: UInt64 = 0
    }

    /// What the delivery thread tells.
    struct Report {
        var delivered: [ExportSignal: UInt64] = [:]
        var dropped: [ExportSignal: [DeliveryStatistics.Reason: UInt64]] = [:]
        /// In requests in memory that were not delivered.
        var waiting: [ExportSignal: UInt64] = [:]
        /// In requests in files.
        var spilled: [ExportSignal: UInt64] = [:]
        var recovered: [ExportSignal: UInt64] = [:]
        /// In files that could not be read again.
        var lost: [ExportSignal: UInt64] = [:]
        var failedRequests: UInt64 = 0
        var lastFailure: String?
        var isReceiverGone = false
    }

    /// What the threads of callers and the delivery thread share.
    final class Shared: Sendable {
        let wake = ThreadSignal()
        let budget: ByteBudget
        let requests = Mutex(Requests())
        let report = Mutex(Report())

        init(limit: Int) {
            budget = ByteBudget(limit: limit)
        }

        /// Flushes that nobody has looked at yet. Only where there is no thread that does, as in the child of a fork, are there more.
        private static let longestQueue = 4096

        func begin(_ flush: DeliveryFlush) -> Completion {
            let isTaken = requests.withLock { requests in
                if requests.hasEnded || requests.flushes.count >= Self.longestQueue { return false }
                var flush = flush
                flush.resumption = requests.resumption
                requests.flushes.append(flush)
                return true
            }
            if isTaken { wake.notify() } else { flush.completion.end(false) }
            return flush.completion
        }
    }

    /// Where log records go in.
    public let logs: RecordQueue
    /// Where spans go in.
    public let spans: RecordQueue
    private let shared: Shared
    private let exporter: any TelemetryExporter
    private let keepsFiles: Bool

    /// Starts a pipeline.
    ///
    /// - Parameters:
    ///   - name: what debuggers call its thread.
    ///   - resource: what made the telemetry.
    ///   - metrics: the metrics to send; `nil` for none.
    /// - Throws: ``DeliveryError`` when the system has no thread to give.
    public convenience init(
        name: String, exporter: any TelemetryExporter, resource: Resource, configuration: DeliveryConfiguration = DeliveryConfiguration(),
        metrics: MetricPush? = nil
    ) throws(DeliveryError) {
        try self.init(name: name, exporter: exporter, resource: resource, configuration: configuration, metrics: metrics, warn: nil)
    }

    /// - Parameters:
    ///   - warn: takes a line for people about what was dropped, at most one a minute; says whether it was told. One that was not is tried again a second later.
    ///   - isDirect: whether log records that come after the end are given to the exporter by the threads that make them, and ``RecordQueue/settle()`` waits. It must not take long then.
    package init(
        name: String, exporter: any TelemetryExporter, resource: Resource, configuration: DeliveryConfiguration, metrics: MetricPush?,
        warn: (@Sendable (String) -> Bool)?, isDirect: Bool = false
    ) throws(DeliveryError) {
        let configuration = configuration.bounded
        // Of metrics there is one request at a time, which finds room in any case.
        let shared = Shared(limit: configuration.queueBytes - (metrics == nil ? 0 : configuration.batchBytes))
        let scopes = ScopeTable()
        let service = ["service.namespace", "service.name"].map { resource[$0].map { "\($0)" } ?? "" }.joined(separator: "/")
        let builder = RequestBuilder(resource: resource, scopes: scopes, limit: configuration.batchBytes)
        let logs = RecordQueue(
            signal: .logs, scopes: scopes, budget: shared.budget, wake: shared.wake, wakeBytes: configuration.batchBytes,
            direct: isDirect ? DirectDelivery(shared, builder, exporter) : nil)
        let spans = RecordQueue(signal: .spans, scopes: scopes, budget: shared.budget, wake: shared.wake, wakeBytes: configuration.batchBytes)
        do throws(ThreadError) {
            // Nobody joins it: the end is told by what was asked for it. Let go of, its thread takes nothing once it has ended, however long this object is kept.
            _ = try OwnThread(name: name) {
                var run = DeliveryRun(
                    shared: shared, logs: logs, spans: spans, builder: builder, exporter: exporter, configuration: configuration, service: service,
                    metrics: metrics, warn: warn)
                run.run()
            }
        } catch {
            throw DeliveryError.noThread("\(error)")
        }
        self.shared = shared
        self.exporter = exporter
        keepsFiles = configuration.spillFolder != nil
        self.logs = logs
        self.spans = spans
    }

    deinit {
        // Whoever forgot to shut down loses what waits, but neither a thread nor what is under way, which nobody cuts off.
        shared.requests.withLock { requests in
            if requests.end == nil { requests.end = DeliveryFlush(endBy: .now, keepsFiles: keepsFiles) }
            requests.isEndReady = true
        }
        shared.wake.notify()
    }

    // MARK: Ending and flushing

    /// Sends all that was emitted before the call.
    ///
    /// Returns at the deadline at the latest, and before it when nothing more can be done: when the receiver of all that is left counts as gone and it is not time to try it again.
    ///
    /// - Parameter deadline: by the wall clock.
    /// - Returns: whether all of it was delivered.
    @discardableResult
    public func flush(deadline: Timestamp) async -> Bool {
        await beginFlush(deadline: deadline).wait(until: deadline)
    }

    /// As ``flush(deadline:)``, for a thread that may block.
    @discardableResult
    public func flushBlocking(deadline: Timestamp) -> Bool {
        beginFlush(deadline: deadline).waitBlocking(until: deadline)
    }

    /// Sends what waits in memory, by the deadline at the latest, and ends the pipeline: records that come after the call are dropped and counted. What could not be
    /// delivered goes to the spill folder if there is one, else it is dropped and counted. Further calls wait for the first one.
    ///
    /// - Returns: whether all of it was delivered.
    @discardableResult
    public func shutdown(deadline: Timestamp) async -> Bool {
        await beginShutdown(deadline: deadline).wait(until: deadline)
    }

    /// As ``shutdown(deadline:)``, for a thread that may block.
    @discardableResult
    public func shutdownBlocking(deadline: Timestamp) -> Bool {
        beginShutdown(deadline: deadline).waitBlocking(until: deadline)
    }

    /// As ``flush(deadline:)``, without a wait: who begins with several pipelines before it waits for the first lets each of them have the whole time.
    package func beginFlush(deadline: Timestamp) -> Completion {
        shared.begin(DeliveryFlush(deadline: deadline))
    }

    /// As ``shutdown(deadline:)``, without a wait.
    package func beginShutdown(deadline: Timestamp) -> Completion {
        let end = DeliveryFlush(endBy: deadline, keepsFiles: keepsFiles)
        let known = shared.requests.withLock { requests -> DeliveryFlush? in
            if let known = requests.end { return known }
            requests.end = end
            return nil
        }
        if let known { return known.completion }
        // The thread may be busy with a request that has more time than is left now. It gets half of that, so that others are not left without any.
        let half = (end.sendingDeadline.rest ?? .zero) / 2
        exporter.endExports(by: .now.advanced(by: half.nanoseconds))
        shared.requests.withLock { $0.isEndReady = true }
        shared.wake.notify()
        return end.completion
    }

    /// Ends the pause that follows a flush where a sandbox may be frozen then: it runs again.
    package func resume() {
        shared.requests.withLock { $0.resumption += 1 }
        shared.wake.notify()
    }

    // MARK: Counting

    /// What became of the telemetry so far.
    public var statistics: DeliveryStatistics {
        let report = shared.report.withLock { $0 }
        var statistics = DeliveryStatistics()
        for signal in ExportSignal.allCases {
            var counts = DeliveryStatistics.Counts()
            counts.delivered = report.delivered[signal] ?? 0
            counts.recovered = report.recovered[signal] ?? 0
            counts.dropped = report.dropped[signal] ?? [:]
            counts.waiting = (report.waiting[signal] ?? 0) + (report.spilled[signal] ?? 0)
            if let lost = report.lost[signal], lost > 0 { counts.dropped[.spillFailed, default: 0] += lost }
            if let queue = queue(signal) {
                let own = queue.counts
                counts.emitted = own.emitted
                counts.waiting += own.waiting
                if own.droppedFull > 0 { counts.dropped[.queueFull, default: 0] += own.droppedFull }
                if own.droppedLarge > 0 { counts.dropped[.tooLarge, default: 0] += own.droppedLarge }
                if own.droppedClosed > 0 { counts.dropped[.shutdown, default: 0] += own.droppedClosed }
            } else {
                let known = counts.delivered + counts.droppedTotal + counts.waiting
                counts.emitted = known - min(counts.recovered, known)
            }
            statistics.signals[signal] = counts
        }
        statistics.failedRequests = report.failedRequests
        statistics.lastFailure = report.lastFailure
        statistics.isReceiverGone = report.isReceiverGone
        statistics.queuedBytes = shared.budget.used
        statistics.namelessScopes = logs.namelessScopes
        return statistics
    }

    private func queue(_ signal: ExportSignal) -> RecordQueue? {
        switch signal {
        case .logs: logs
        case .spans: spans
        case .metrics: nil
        }
    }
}

/// A pipeline could not be made.
public enum DeliveryError: Error, Hashable, Sendable, CustomStringConvertible {
    case noThread(String)

    public var description: String {
        switch self {
        case .noThread(let reason): "telemetry cannot be delivered: \(reason)"
        }
    }
}
