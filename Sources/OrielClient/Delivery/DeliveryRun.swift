import OrielTelemetry
import OrielThreads
import Synchronization

/// The work of a pipeline's thread: looks at what is asked of it, collects records, sends one request, and begins again; sleeps when there is nothing to do.
struct DeliveryRun {
    /// A queue and when it is to be emptied.
    private struct Source {
        let queue: RecordQueue
        let delay: Duration
        /// `nil` while nothing waits.
        var due: ContinuousClock.Instant?
    }

    /// A flush that has not ended.
    private struct Waiting {
        let flush: DeliveryFlush
        /// The last of what is pending that it waits for.
        let lastNumber: UInt64
        /// Whether nothing that it waited for was given up.
        var isComplete = true
        /// Whether metrics that are read after it began were not sent yet.
        var needsMetrics: Bool
    }

    private let shared: DeliveryPipeline.Shared
    private let builder: RequestBuilder
    private let exporter: any TelemetryExporter
    private let configuration: DeliveryConfiguration
    private let warn: (@Sendable (String) -> Void)?
    private var sources: [Source]
    private var metrics: MetricPush?
    private var metricsDue: ContinuousClock.Instant
    private var areMetricsWanted = false
    /// Oldest first.
    private var pending: [PendingDelivery] = []
    private var lastNumber: UInt64 = 0
    private var spill: SpillFolder?
    private var breaker: CircuitBreaker
    private var flushes: [Waiting] = []
    private var ending: Waiting?
    /// An end makes one attempt even before it is time.
    private var hasLastAttempt = true
    /// Whether nobody was there when the end wanted to send.
    private var isAbandoned = false
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
            takeRequests()
            collect()
            spillPending()
            let isSent = sendNext()
            endFlushes()
            if let ending, isOver(ending) {
                finish(ending)
                return
            }
            warnOfDrops()
            if !isSent { sleep(after: ticket) }
        }
    }

    // MARK: Being asked

    private mutating func takeRequests() {
        let (new, end) = shared.requests.withLock { requests in
            defer { requests.flushes = [] }
            return (requests.flushes, requests.end)
        }
        if let end, ending == nil {
            for source in sources { collect(source.queue, source.queue.close()) }
            ending = waiting(for: end)
        } else if !new.isEmpty {
            for index in sources.indices {
                sources[index].due = nil
                collect(sources[index].queue, sources[index].queue.drain())
            }
        }
        for flush in new { flushes.append(waiting(for: flush)) }
    }

    private mutating func waiting(for flush: DeliveryFlush) -> Waiting {
        areMetricsWanted = metrics != nil
        return Waiting(flush: flush, lastNumber: lastNumber, needsMetrics: metrics != nil)
    }

    /// Applies a change to all who wait.
    private mutating func updateWaiting(_ change: (inout Waiting) -> Void) {
        for index in flushes.indices { change(&flushes[index]) }
        if var waiting = ending {
            change(&waiting)
            ending = waiting
        }
    }

    /// Whether all that somebody waits for is done with.
    private func isSettled(_ waiting: Waiting) -> Bool {
        !waiting.needsMetrics && !pending.contains { $0.number <= waiting.lastNumber }
    }

    /// Tells those who wait how it went, when it is decided.
    private mutating func endFlushes() {
        guard !flushes.isEmpty else { return }
        var rest: [Waiting] = []
        for waiting in flushes {
            // What is in files was emitted before, too.
            if isSettled(waiting), !waiting.isComplete || spill?.isEmpty ?? true {
                waiting.flush.end(waiting.isComplete)
            } else if canAttempt(before: waiting.flush.deadline), !breaker.isOpen || breaker.mayAttempt(at: .now) {
                rest.append(waiting)
            } else {
                waiting.flush.end(false)
            }
        }
        flushes = rest
    }

    /// Whether nothing more is to be done before the pipeline ends.
    private func isOver(_ ending: Waiting) -> Bool {
        if isSettled(ending) || isAbandoned { return true }
        if hasLastAttempt, !breaker.isRequested { return Timestamp.now >= lastMoment(ending) }
        return !canAttempt(before: lastMoment(ending)) || breaker.isOpen
    }

    /// Until when an end sends: there must be time left to put the rest in files.
    private func lastMoment(_ ending: Waiting) -> Timestamp {
        let rest = Duration.until(ending.flush.deadline) ?? .zero
        let margin = spill == nil ? min(rest / 10, .milliseconds(20)) : min(rest / 4, .milliseconds(500))
        return ending.flush.deadline.advanced(by: -margin.nanoseconds)
    }

    /// Whether the time for the next attempt comes before a moment.
    private func canAttempt(before deadline: Timestamp) -> Bool {
        guard let rest = Duration.until(deadline) else { return false }
        guard let next = breaker.nextAttempt else { return true }
        return ContinuousClock.now.duration(to: next) < rest
    }

    // MARK: Collecting

    /// Takes records that have waited long enough, or are enough, out of the queues.
    private mutating func collect() {
        let now = ContinuousClock.now
        for index in sources.indices {
            let queue = sources[index].queue
            if sources[index].due == nil, queue.hasRecords { sources[index].due = now + sources[index].delay }
            let isDue = sources[index].due.map { $0 <= now } ?? false
            guard isDue || queue.waitingBytes >= configuration.batchBytes || queue.isShortOfRoom else { continue }
            sources[index].due = nil
            collect(queue, queue.drain())
        }
        makeRoom()
    }

    private mutating func collect(_ queue: RecordQueue, _ chunks: consuming [RecordQueue.Chunk]) {
        for index in chunks.indices {
            var chunk = RecordQueue.Chunk()
            // Each chunk has one owner, so that its memory can be used again.
            swap(&chunk, &chunks[index])
            queue.shrink(&chunk)
            enqueue(chunk, queue.signal)
        }
    }

    /// What is small piles up while the receiver is slow or gone, and goes into one request.
    private mutating func enqueue(_ chunk: RecordQueue.Chunk, _ signal: ExportSignal) {
        lastNumber += 1
        shared.report.withLock { $0.waiting[signal, default: 0] += UInt64(chunk.count) }
        if let index = pending.lastIndex(where: { $0.signal == signal }), pending[index].append(chunk, limit: configuration.batchBytes) { return }
        pending.append(PendingDelivery(signal: signal, content: .records([chunk]), number: lastNumber))
    }

    /// Turns records into requests, which take over from the budget what the records had taken.
    private func requests(of chunks: inout [RecordQueue.Chunk], _ queue: RecordQueue) -> [ExportBatch] {
        let reserved = chunks.reduce(0) { $0 + $1.reserved }
        var batches: [ExportBatch] = []
        var assembly = builder.assembly(queue.signal)
        for index in chunks.indices {
            batches += assembly.add(chunks[index])
            queue.recycle(&chunks[index])
        }
        if let batch = assembly.finish() { batches.append(batch) }
        let needed = batches.reduce(0) { $0 + $1.request.count }
        if needed < reserved { shared.budget.release(reserved - needed) } else { shared.budget.take(needed - reserved) }
        return batches
    }

    /// Makes a request of what is first, or several.
    private mutating func assembleFirst() {
        guard !pending.isEmpty, case .records(var chunks) = pending[0].content else { return }
        let (signal, number) = (pending[0].signal, pending[0].number)
        guard let source = sources.first(where: { $0.queue.signal == signal }) else { return }
        // Each chunk has one owner, so that its memory can be used again.
        pending[0].content = .records([])
        let batches = requests(of: &chunks, source.queue)
        pending.replaceSubrange(0..<1, with: batches.map { PendingDelivery(signal: signal, content: .request($0), number: number) })
    }

    /// While the receiver does not answer, what is oldest leaves memory, so that there is room for what is new. At the end nothing new comes.
    private mutating func makeRoom() {
        guard breaker.failures > 0, ending == nil else { return }
        while pending.count > 1, shared.budget.used > configuration.queueBytes / 4 * 3 { putAside(.queueFull) }
    }

    // MARK: Giving up

    /// Takes the oldest request out of memory: into the spill folder, or away.
    private mutating func putAside(_ reason: DeliveryStatistics.Reason) {
        guard spill != nil else { return dropFirst(reason) }
        switch spillFirst() {
        case .written: break
        case .full: dropFirst(.spillFull)
        case .failed: dropFirst(.spillFailed)
        }
    }

    /// Puts all that waits into files while the receiver counts as gone, so that it survives the process. Where there is no room, the rest stays in memory.
    private mutating func spillPending() {
        guard breaker.isOpen, spill != nil else { return }
        while !pending.isEmpty, case .written = spillFirst() {}
    }

    private mutating func spillFirst() -> SpillFolder.Writing {
        assembleFirst()
        guard let first = pending.first, case .request(let batch) = first.content, let result = spill?.write(batch) else { return .full }
        switch result {
        case .written:
            removeFirst()
            updateWaiting { if first.number <= $0.lastNumber { $0.isComplete = false } }
        case .full: break
        case .failed(let reason): note(reason)
        }
        return result
    }

    private mutating func dropFirst(_ reason: DeliveryStatistics.Reason) {
        guard let first = pending.first else { return }
        removeFirst { $0.drop(first.signal, first.itemCount, reason) }
        updateWaiting { if first.number <= $0.lastNumber { $0.isComplete = false } }
    }

    private mutating func removeFirst(_ change: (inout DeliveryPipeline.Report) -> Void = { _ in }) {
        let first = pending.removeFirst()
        shared.budget.release(first.reservedBytes)
        let spill = spill
        shared.report.withLock { report in
            report.waiting[first.signal, default: 0] &-= UInt64(first.itemCount)
            report.take(spill)
            change(&report)
        }
    }

    private func note(_ failure: String) {
        shared.report.withLock { $0.lastFailure = failure }
    }

    // MARK: Delivering

    /// Sends the next request if it is time and there is one.
    ///
    /// - Returns: whether there may be another one to send.
    private mutating func sendNext() -> Bool {
        if metrics != nil, ContinuousClock.now >= metricsDue { areMetricsWanted = true }
        if !breaker.mayAttempt(at: .now) {
            guard ending != nil, hasLastAttempt, !breaker.isRequested else { return false }
        }
        // What a flush waits for is given no more time than the flush has: a function is frozen after it.
        let deadline = ending.map { lastMoment($0) } ?? flushes.map(\.flush.deadline).max()
        if let deadline, deadline <= .now { return false }
        assembleFirst()
        if let first = pending.first, case .request(let batch) = first.content {
            send(batch, deadline)
        } else if areMetricsWanted {
            sendMetrics(deadline)
        } else if ending == nil, let batch = spill?.next() {
            sendSpilled(batch, deadline)
        } else {
            let spill = spill
            shared.report.withLock { $0.take(spill) }
            return false
        }
        return true
    }

    /// - Parameter batch: what is first.
    private mutating func send(_ batch: ExportBatch, _ deadline: Timestamp?) {
        switch export(batch, deadline) {
        case .delivered(let rejected, let message):
            removeFirst { $0.deliver(batch, rejected: rejected, message) }
        case .refused(let reason):
            dropFirst(.refused)
            note(reason)
        case .failed, .unreachable: break
        }
    }

    private mutating func sendSpilled(_ batch: ExportBatch, _ deadline: Timestamp?) {
        let outcome = export(batch, deadline)
        switch outcome {
        case .failed, .unreachable: return
        case .delivered, .refused: break
        }
        let irremovable = spill?.remove()
        if let irremovable { warn?("\(irremovable)") }
        let spill = spill
        shared.report.withLock { report in
            report.take(spill)
            switch outcome {
            case .delivered(let rejected, let message): report.deliver(batch, rejected: rejected, message)
            case .refused(let reason):
                report.drop(batch.signal, batch.itemCount, .refused)
                report.lastFailure = reason
            case .failed, .unreachable: break
            }
            if let irremovable { report.lastFailure = "\(irremovable)" }
        }
    }

    private mutating func sendMetrics(_ deadline: Timestamp?) {
        let isAgain = metrics?.hasUnfinished ?? false
        guard let batch = metrics?.request() else { return noteMetricsSent() }
        let outcome = export(batch, deadline)
        let isKept = metrics?.hasUnfinished ?? false
        shared.report.withLock { report in
            report.waiting[.metrics] = nil
            switch outcome {
            case .delivered(let rejected, let message): report.deliver(batch, rejected: rejected, message)
            case .refused(let reason):
                report.drop(batch.signal, batch.itemCount, .refused)
                report.lastFailure = reason
            case .failed, .unreachable: if isKept { report.waiting[.metrics] = UInt64(batch.itemCount) }
            }
        }
        switch outcome {
        case .failed, .unreachable: return
        case .refused: updateWaiting { if $0.needsMetrics { $0.isComplete = false } }
        case .delivered: break
        }
        metrics?.noteDone()
        // What was added since a request that was sent again follows at once.
        if !isAgain { noteMetricsSent() }
    }

    private mutating func noteMetricsSent() {
        areMetricsWanted = false
        metricsDue = ContinuousClock.now + configuration.metricInterval
        updateWaiting { $0.needsMetrics = false }
    }

    private mutating func export(_ batch: ExportBatch, _ deadline: Timestamp?) -> ExportOutcome {
        if ending != nil, !breaker.mayAttempt(at: .now) { hasLastAttempt = false }
        let latest = Timestamp.now.advanced(by: configuration.exportTimeout.nanoseconds)
        let outcome = exporter.export(batch, deadline: min(latest, deadline ?? latest))
        switch outcome {
        case .delivered, .refused:
            breaker.noteSuccess()
            shared.report.withLock { $0.isReceiverGone = false }
        case .failed(let after, let reason):
            noteFailure(after, reason)
        case .unreachable(let reason):
            if ending != nil { isAbandoned = true }
            noteFailure(nil, reason)
        }
        return outcome
    }

    /// - Parameter requested: how long the receiver wants to be left alone.
    private mutating func noteFailure(_ requested: Duration?, _ reason: String) {
        if ending != nil { hasLastAttempt = false }
        breaker.noteFailure(at: .now, requested: requested, chance: Double.random(in: 0...1))
        let isOpen = breaker.isOpen
        shared.report.withLock { report in
            report.failedRequests += 1
            report.lastFailure = reason
            report.isReceiverGone = isOpen
        }
    }

    // MARK: Ending

    private mutating func finish(_ ending: Waiting) {
        let isDelivered = isSettled(ending) && ending.isComplete && (spill?.isEmpty ?? true)
        while !pending.isEmpty { putAside(.shutdown) }
        if areMetricsWanted { putMetricsAside() }
        // Whoever comes next may take the files over.
        spill = nil
        exporter.shutdown()
        nextWarning = .now
        warnOfDrops()
        let late = shared.requests.withLock { requests in
            defer { requests.flushes = [] }
            requests.hasEnded = true
            return requests.flushes
        }
        for flush in flushes.map(\.flush) + late { flush.end(false) }
        ending.flush.end(isDelivered)
    }

    /// The last state of the metrics that did not arrive, and of deltas also what was not delivered before.
    private mutating func putMetricsAside() {
        while true {
            let isAgain = metrics?.hasUnfinished ?? false
            guard let batch = metrics?.request() else { return }
            shared.budget.take(batch.request.count)
            shared.report.withLock { $0.waiting[.metrics] = UInt64(batch.itemCount) }
            pending.append(PendingDelivery(signal: .metrics, content: .request(batch), number: lastNumber))
            putAside(.shutdown)
            metrics?.noteDone()
            if !isAgain { return }
        }
    }

    // MARK: Files

    private mutating func openSpill() {
        guard let folder = configuration.spillFolder else { return }
        do throws(SpillError) {
            let opened = try SpillFolder(folder, limit: configuration.spillBytes)
            shared.report.withLock { $0.take(opened) }
            spill = opened
        } catch {
            note("\(error)")
            warn?("\(error)")
        }
    }

    // MARK: Warning

    /// Tells people once a minute what was dropped since.
    private mutating func warnOfDrops() {
        guard let warn, ContinuousClock.now >= nextWarning else { return }
        let report = shared.report.withLock { $0 }
        var drops: [DeliveryStatistics.Reason: UInt64] = [:]
        for reasons in report.dropped.values { drops.merge(reasons, uniquingKeysWith: +) }
        drops[.spillFailed, default: 0] += report.lost.values.reduce(0, +)
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

    /// Sleeps until something is due or somebody wakes the thread.
    private func sleep(after ticket: UInt64) {
        let now = ContinuousClock.now
        var wanted: [Duration] = []
        for source in sources {
            if let due = source.due { wanted.append(now.duration(to: due)) } else if source.queue.hasRecords { wanted.append(source.delay) }
        }
        if metrics != nil, !areMetricsWanted { wanted.append(now.duration(to: metricsDue)) }
        if !pending.isEmpty || areMetricsWanted || ending == nil && spill?.isEmpty == false {
            wanted.append(breaker.nextAttempt.map { now.duration(to: $0) } ?? .zero)
        }
        for flush in flushes { wanted.append(Duration.until(flush.flush.deadline) ?? .zero) }
        if let ending { wanted.append(Duration.until(lastMoment(ending)) ?? .zero) }
        guard let rest = wanted.min() else {
            shared.wake.wait(after: ticket)
            return
        }
        if rest > .zero { shared.wake.wait(after: ticket, timeout: rest) }
    }
}

extension DeliveryPipeline.Report {
    mutating func deliver(_ batch: ExportBatch, rejected: Int, _ message: String) {
        let rejected = min(max(rejected, 0), batch.itemCount)
        delivered[batch.signal, default: 0] += UInt64(batch.itemCount - rejected)
        if rejected > 0 { dropped[batch.signal, default: [:]][.rejected, default: 0] += UInt64(rejected) }
        if !message.isEmpty { lastFailure = message }
    }

    mutating func drop(_ signal: ExportSignal, _ itemCount: Int, _ reason: DeliveryStatistics.Reason) {
        dropped[signal, default: [:]][reason, default: 0] += UInt64(itemCount)
    }

    /// What a spill folder tells of its files.
    mutating func take(_ spill: SpillFolder?) {
        guard let spill else { return }
        spilled = spill.itemCounts
        recovered = spill.recoveredCounts
        lost = spill.lostCounts
    }
}
