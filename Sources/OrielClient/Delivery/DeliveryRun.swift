import OrielTelemetry
import OrielThreads
import Synchronization

/// The work of a pipeline's thread.
struct DeliveryRun {
    /// A queue and when it is to be emptied.
    private struct Source {
        let queue: RecordQueue
        let delay: Duration
        /// `nil` while nothing waits.
        var due: ContinuousClock.Instant?
    }

    private let shared: DeliveryPipeline.Shared
    private let builder: RequestBuilder
    private let exporter: any TelemetryExporter
    private let configuration: DeliveryConfiguration
    private let warn: (@Sendable (String) -> Void)?
    private var sources: [Source]
    private var metrics: MetricPush?
    private var metricsDue: ContinuousClock.Instant
    /// Metrics of a flush that were not sent yet.
    private var areMetricsWanted = false
    /// Requests that were not delivered, oldest first.
    private var pending: [ExportBatch] = []
    private var spill: SpillFolder?
    private var breaker: CircuitBreaker
    private var flushes: [DeliveryPipeline.Flush] = []
    private var warnedDrops: UInt64 = 0
    private var nextWarning = ContinuousClock.now

    init(
        shared: DeliveryPipeline.Shared, logs: RecordQueue, spans: RecordQueue, builder: RequestBuilder, exporter: any TelemetryExporter,
        configuration: DeliveryConfiguration, metrics: MetricPush?, warn: (@Sendable (String) -> Void)?
    ) {
        self.shared = shared
        self.builder = builder
        self.exporter = exporter
        self.configuration = configuration
        self.metrics = metrics
        self.warn = warn
        sources = [Source(queue: logs, delay: configuration.logDelay), Source(queue: spans, delay: configuration.spanDelay)]
        metricsDue = ContinuousClock.now + configuration.metricInterval
        breaker = CircuitBreaker(policy: configuration.retry)
    }

    /// Works until the pipeline is to end.
    mutating func run() {
        openSpill()
        while true {
            let ticket = shared.wake.ticket
            let (new, end) = shared.requests.withLock { requests in
                let new = requests.flushes
                requests.flushes = []
                return (new, requests.end)
            }
            flushes.append(contentsOf: new)
            if !new.isEmpty || end != nil { areMetricsWanted = metrics != nil }
            collect(isFlushing: !new.isEmpty || end != nil)
            deliver(until: end?.deadline ?? flushes.map(\.deadline).max())
            endFlushes()
            warnOfDrops()
            if let end {
                finish(end)
                return
            }
            publish()
            if let rest = rest(), rest > .zero { shared.wake.wait(after: ticket, timeout: rest) } else if rest() == nil { shared.wake.wait(after: ticket) }
        }
    }

    // MARK: Collecting

    /// Turns records that have waited long enough, or are enough, into requests.
    private mutating func collect(isFlushing: Bool) {
        let now = ContinuousClock.now
        for index in sources.indices {
            let queue = sources[index].queue
            if sources[index].due == nil, queue.hasRecords { sources[index].due = now + sources[index].delay }
            let isDue = sources[index].due.map { $0 <= now } ?? false
            guard isDue || isFlushing || queue.waitingBytes >= configuration.batchBytes else { continue }
            sources[index].due = nil
            let chunks = queue.drain()
            guard !chunks.isEmpty else { continue }
            let batches = builder.batches(of: chunks, signal: queue.signal)
            for chunk in chunks { queue.recycle(chunk) }
            for batch in batches {
                shared.budget.take(batch.request.count)
                pending.append(batch)
            }
        }
        makeRoom()
    }

    /// While the receiver does not answer, what is oldest leaves memory, so that there is room for what is new.
    private mutating func makeRoom() {
        guard breaker.failures > 0 else { return }
        while pending.count > 1, shared.budget.used > configuration.queueBytes / 4 * 3 { putAside(pending.removeFirst(), .queueFull) }
    }

    /// Takes a request out of memory: into the spill folder, or away.
    private mutating func putAside(_ batch: ExportBatch, _ reason: DeliveryStatistics.Reason) {
        shared.budget.release(batch.request.count)
        guard spill != nil else { return drop(batch, reason) }
        switch spill?.write(batch) {
        case .written, nil: break
        case .full: drop(batch, .spillFull)
        case .failed(let reason):
            drop(batch, .spillFailed)
            note(reason)
        }
    }

    private func drop(_ batch: ExportBatch, _ reason: DeliveryStatistics.Reason) {
        shared.report.withLock { $0.dropped[batch.signal, default: [:]][reason, default: 0] += UInt64(batch.itemCount) }
    }

    private func note(_ failure: String) {
        shared.report.withLock { $0.lastFailure = failure }
    }

    // MARK: Delivering

    /// Sends what there is, as long as it arrives. With a deadline, waits for another attempt if that is before it.
    private mutating func deliver(until deadline: Timestamp?) {
        while true {
            if ContinuousClock.now >= metricsDue, metrics != nil { areMetricsWanted = true }
            guard breaker.mayAttempt(at: .now) else {
                guard let deadline, !breaker.isOpen, waitForAttempt(before: deadline) else { return }
                continue
            }
            if let deadline, Timestamp.now >= deadline { return }
            if let batch = pending.first {
                guard send(batch, deadline) else { continue }
                pending.removeFirst()
                shared.budget.release(batch.request.count)
            } else if areMetricsWanted {
                sendMetrics(deadline)
            } else if let batch = spill?.next() {
                if send(batch, deadline) { spill?.remove() }
            } else {
                return
            }
        }
    }

    /// Whether the next attempt is before the deadline; then it is time for it when the call returns.
    private func waitForAttempt(before deadline: Timestamp) -> Bool {
        guard let next = breaker.nextAttempt else { return true }
        let rest = ContinuousClock.now.duration(to: next)
        guard rest > .zero else { return true }
        guard Timestamp.now.advanced(by: rest.nanoseconds) < deadline else { return false }
        let ticket = shared.wake.ticket
        shared.wake.wait(after: ticket, timeout: rest)
        return true
    }

    /// - Returns: whether the batch is done with: delivered or refused.
    private mutating func send(_ batch: ExportBatch, _ deadline: Timestamp?) -> Bool {
        let latest = Timestamp.now.advanced(by: configuration.exportTimeout.nanoseconds)
        let outcome = exporter.export(batch, deadline: min(latest, deadline ?? latest))
        switch outcome {
        case .delivered(let rejected, let message):
            breaker.noteSuccess()
            let rejected = min(max(rejected, 0), batch.itemCount)
            shared.report.withLock { report in
                report.delivered[batch.signal, default: 0] += UInt64(batch.itemCount - rejected)
                if rejected > 0 { report.dropped[batch.signal, default: [:]][.rejected, default: 0] += UInt64(rejected) }
                if !message.isEmpty { report.lastFailure = message }
                report.isReceiverGone = false
            }
            return true
        case .refused(let reason):
            breaker.noteSuccess()
            drop(batch, .refused)
            note(reason)
            return true
        case .failed(let after, let reason):
            breaker.noteFailure(at: .now, requested: after, chance: Double.random(in: 0...1))
            let isOpen = breaker.isOpen
            shared.report.withLock { report in
                report.failedRequests += 1
                report.lastFailure = reason
                report.isReceiverGone = isOpen
            }
            return false
        }
    }

    private mutating func sendMetrics(_ deadline: Timestamp?) {
        guard let batch = metrics?.request() else {
            noteMetricsSent()
            return
        }
        guard send(batch, deadline) else { return }
        metrics?.noteDone()
        noteMetricsSent()
    }

    private mutating func noteMetricsSent() {
        areMetricsWanted = false
        metricsDue = ContinuousClock.now + configuration.metricInterval
    }

    // MARK: Flushing and ending

    /// Tells those who wait how it went.
    private mutating func endFlushes() {
        guard !flushes.isEmpty else { return }
        let isDelivered = pending.isEmpty && !areMetricsWanted
        if isDelivered || breaker.isOpen || flushes.allSatisfy({ $0.deadline <= .now || $0.isEnded }) || !breaker.mayAttempt(at: .now) {
            publish()
            for flush in flushes { flush.end(isDelivered) }
            flushes = []
        }
    }

    private mutating func finish(_ end: DeliveryPipeline.Flush) {
        let isDelivered = pending.isEmpty
        while !pending.isEmpty { putAside(pending.removeFirst(), .shutdown) }
        exporter.shutdown()
        publish()
        shared.report.withLock { $0.hasEnded = true }
        end.end(isDelivered)
        // Whoever asked meanwhile is not left waiting.
        let late = shared.requests.withLock { $0.flushes }
        for flush in late { flush.end(false) }
    }

    private func publish() {
        var waiting: [ExportSignal: UInt64] = [:]
        for batch in pending { waiting[batch.signal, default: 0] += UInt64(batch.itemCount) }
        var recovered: [ExportSignal: UInt64] = [:]
        if let spill {
            for (signal, count) in spill.itemCounts { waiting[signal, default: 0] += count }
            recovered = spill.recoveredCounts
        }
        shared.report.withLock { report in
            report.waiting = waiting
            report.recovered = recovered
        }
    }

    private mutating func openSpill() {
        guard let folder = configuration.spillFolder else { return }
        do throws(SpillError) {
            spill = try SpillFolder(folder, limit: configuration.spillBytes)
        } catch {
            note("\(error)")
            warn?("\(error)")
        }
    }

    /// Tells people once a minute what was dropped since.
    private mutating func warnOfDrops() {
        guard let warn, ContinuousClock.now >= nextWarning else { return }
        let report = shared.report.withLock { $0 }
        var drops: [DeliveryStatistics.Reason: UInt64] = [:]
        for reasons in report.dropped.values { drops.merge(reasons, uniquingKeysWith: +) }
        for source in sources {
            let counts = source.queue.counts
            drops[.queueFull, default: 0] += counts.droppedFull
            drops[.tooLarge, default: 0] += counts.droppedLarge
        }
        let total = drops.values.reduce(0, +)
        guard total > warnedDrops else { return }
        let reasons = drops.filter { $0.value > 0 }.sorted { $0.key.rawValue < $1.key.rawValue }.map { "\($0.key.rawValue) \($0.value)" }
        let failure = report.lastFailure.map { "; last failure: \($0)" } ?? ""
        warn("telemetry was dropped: \(total - warnedDrops) items since the last warning; in all \(reasons.joined(separator: ", "))\(failure)")
        warnedDrops = total
        nextWarning = ContinuousClock.now + .seconds(60)
    }

    // MARK: Sleeping

    /// How long the thread may sleep if nobody wakes it; `nil` for ever.
    private func rest() -> Duration? {
        var wanted: [ContinuousClock.Instant] = sources.compactMap(\.due)
        for source in sources where source.due == nil && source.queue.hasRecords { wanted.append(.now + source.delay) }
        if metrics != nil { wanted.append(metricsDue) }
        if !pending.isEmpty || areMetricsWanted || spill?.isEmpty == false { wanted.append(breaker.nextAttempt ?? .now) }
        guard let first = wanted.min() else { return nil }
        return max(ContinuousClock.now.duration(to: first), .zero)
    }
}

extension Duration {
    /// Whole nanoseconds, saturating at some 292 years.
    var nanoseconds: Int64 {
        let (seconds, fraction) = components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? (seconds < 0 ? .min : .max) : whole.addingSaturating(fraction / 1_000_000_000)
    }
}
