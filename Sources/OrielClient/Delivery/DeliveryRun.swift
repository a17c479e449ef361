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
        /// The first reading of the metrics that it waits for; `nil` when it waits for none any more.
        var reading: UInt64?
        /// Whether nothing that it waited for was given up.
        var isComplete = true

        /// Until when something is sent for it.
        var deadline: Deadline { flush.sendingDeadline }
    }

    /// An attempt with less time than this that was cut short by somebody's flush tells nothing of the receiver.
    private static let tellingTime: Duration = .milliseconds(400)
    /// The longest that the exporter makes itself ready.
    private static let preparationTime: Duration = .milliseconds(500)
    /// An attempt that lasted so much longer than it may was one of a process that was stopped meanwhile, as a frozen sandbox is.
    private static let stoppedTime: Int64 = 1_000_000_000

    private let shared: DeliveryPipeline.Shared
    private let builder: RequestBuilder
    private let exporter: any TelemetryExporter
    private let configuration: DeliveryConfiguration
    /// Whose files in the spill folder are this one's to send.
    private let service: String
    private let warn: (@Sendable (String) -> Bool)?
    private var sources: [Source]
    private var metrics: MetricPush?
    private var metricsDue: ContinuousClock.Instant
    private var areMetricsWanted = false
    /// Whether metrics come before what is pending: they take turns, so that neither waits for the other's end.
    private var isTurnOfMetrics = false
    /// What a request with metrics has taken from the budget.
    private var metricBytes = 0
    /// Oldest first.
    private var pending: [PendingDelivery] = []
    private var lastNumber: UInt64 = 0
    private var spill: SpillFolder?
    /// One for each kind of telemetry, which may have a receiver of its own, or be the only one that a receiver does not want.
    private var breakers: [ExportSignal: CircuitBreaker]
    private var flushes: [Waiting] = []
    private var ending: Waiting?
    /// Until when nothing is sent unless somebody asks for it.
    private var pauseEnd: ContinuousClock.Instant?
    /// How often a pause was ended before its time.
    private var resumption: UInt64 = 0
    /// The kinds of telemetry whose last attempt was one during which the process was stopped.
    private var stopped: Set<ExportSignal> = []
    /// The kinds of telemetry whose last attempt came to nothing, whoever is to blame.
    private var unanswered: Set<ExportSignal> = []
    /// Requests that were delivered.
    private var arrived: [ExportSignal: UInt64] = [:]
    /// An end makes one attempt with each kind of telemetry even before it is time.
    private var lastAttempts = Set(ExportSignal.allCases)
    /// The kinds of telemetry for which nobody was there when the end wanted to send.
    private var abandoned: Set<ExportSignal> = []
    private var warnedDrops: UInt64 = 0
    private var nextWarning = ContinuousClock.now

    init(
        shared: DeliveryPipeline.Shared, logs: RecordQueue, spans: RecordQueue, builder: RequestBuilder, exporter: any TelemetryExporter,
        configuration: DeliveryConfiguration, service: String, metrics: MetricPush?, warn: (@Sendable (String) -> Bool)?
    ) {
        self.shared = shared
        self.builder = builder
        self.exporter = exporter
        self.configuration = configuration
        self.service = service
        self.metrics = metrics
        self.warn = warn
        sources = [Source(queue: logs, delay: configuration.logDelay), Source(queue: spans, delay: configuration.spanDelay)]
        metricsDue = ContinuousClock.now + configuration.metricInterval
        breakers = Dictionary(uniqueKeysWithValues: ExportSignal.allCases.map { ($0, CircuitBreaker(policy: configuration.retry)) })
    }

    /// Works until the pipeline is to end.
    mutating func run() {
        openSpill()
        if configuration.pauseAfterFlush > .zero { prepare() }
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
        let (new, end, resumption) = shared.requests.withLock { requests in
            defer { requests.flushes = [] }
            return (requests.flushes, requests.isEndReady ? requests.end : nil, requests.resumption)
        }
        let isResumed = resumption != self.resumption
        self.resumption = resumption
        if isResumed || !new.isEmpty || end != nil { pauseEnd = nil }
        if isResumed, new.isEmpty, end == nil { prepare() }
        if let end, ending == nil {
            for source in sources { collect(source.queue, source.queue.close()) }
            exporter.endExports(by: end.sendingDeadline.time)
            ending = waiting(for: end)
        } else if !new.isEmpty {
            for index in sources.indices {
                sources[index].due = nil
                collect(sources[index].queue, sources[index].queue.drain())
            }
        }
        for flush in new { flushes.append(waiting(for: flush)) }
    }

    /// Lets the exporter connect while nobody waits, unless it is in vain.
    private func prepare() {
        guard unanswered.isEmpty else { return }
        exporter.prepare(deadline: Timestamp.now.advanced(by: min(configuration.exportTimeout, Self.preparationTime).nanoseconds))
    }

    private mutating func waiting(for flush: DeliveryFlush) -> Waiting {
        let reading = flush.includesMetrics ? metrics.map { $0.readings + 1 } : nil
        if reading != nil { areMetricsWanted = true }
        return Waiting(flush: flush, lastNumber: lastNumber, reading: reading)
    }

    /// Applies a change to all who wait.
    private mutating func updateWaiting(_ change: (inout Waiting) -> Void) {
        for index in flushes.indices { change(&flushes[index]) }
        if var waiting = ending {
            change(&waiting)
            ending = waiting
        }
    }

    /// The kinds of telemetry in memory that somebody waits for.
    private func unsettled(_ waiting: Waiting) -> Set<ExportSignal> {
        var signals = Set(pending.lazy.filter { $0.number <= waiting.lastNumber }.map(\.signal))
        if waiting.reading != nil { signals.insert(.metrics) }
        return signals
    }

    /// Tells those who wait how it went, when it is decided.
    private mutating func endFlushes() {
        guard !flushes.isEmpty else { return }
        let isLast = flushes.contains { $0.flush.resumption == resumption }
        var rest: [Waiting] = []
        for waiting in flushes {
            var signals = unsettled(waiting)
            // What is in files of this process was emitted before, too. A function's time is not for that.
            if signals.isEmpty, waiting.isComplete, configuration.pauseAfterFlush == .zero { signals = spill?.ownSignals ?? [] }
            if signals.isEmpty {
                waiting.flush.completion.end(waiting.isComplete)
            } else if signals.contains(where: { canAttempt($0, before: waiting.deadline) && (!breaker($0).isOpen || breaker($0).mayAttempt(at: .now)) }) {
                rest.append(waiting)
            } else {
                waiting.flush.completion.end(false)
            }
        }
        flushes = rest
        // Where the next invocation has begun meanwhile, the sandbox runs.
        if rest.isEmpty, configuration.pauseAfterFlush > .zero, isLast { pauseEnd = .now + configuration.pauseAfterFlush }
    }

    /// Whether nothing more is to be done before the pipeline ends.
    private func isOver(_ ending: Waiting) -> Bool {
        unsettled(ending).allSatisfy { signal in
            if abandoned.contains(signal) { return true }
            if hasLastAttempt(signal) { return ending.deadline.isOver }
            return !canAttempt(signal, before: ending.deadline) || breaker(signal).isOpen
        }
    }

    // MARK: When to send

    private func breaker(_ signal: ExportSignal) -> CircuitBreaker { breakers[signal] ?? CircuitBreaker(policy: configuration.retry) }

    /// Whether an end may try once more, though it is not time.
    private func hasLastAttempt(_ signal: ExportSignal) -> Bool {
        ending != nil && lastAttempts.contains(signal) && !breaker(signal).isRequested
    }

    private func maySend(_ signal: ExportSignal) -> Bool { breaker(signal).mayAttempt(at: .now) || hasLastAttempt(signal) }

    /// Whether the time for the next attempt comes before a moment.
    private func canAttempt(_ signal: ExportSignal, before deadline: Deadline) -> Bool {
        guard let rest = deadline.rest else { return false }
        guard let next = breaker(signal).nextAttempt else { return true }
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

    /// Makes a request of what is pending at a place, or several.
    private mutating func assemble(at index: Int) {
        guard pending.indices.contains(index), case .records(var chunks) = pending[index].content else { return }
        let (signal, number) = (pending[index].signal, pending[index].number)
        guard let source = sources.first(where: { $0.queue.signal == signal }) else { return }
        // Each chunk has one owner, so that its memory can be used again.
        pending[index].content = .records([])
        let batches = requests(of: &chunks, source.queue)
        pending.replaceSubrange(index...index, with: batches.map { PendingDelivery(signal: signal, content: .request($0), number: number) })
    }

    /// While a receiver does not answer, the oldest of what it is to get leaves memory, so that there is room for what is new. At the end nothing new comes.
    private mutating func makeRoom() {
        guard ending == nil else { return }
        while pending.count > 1, shared.budget.used > shared.budget.limit / 4 * 3,
            let index = pending.firstIndex(where: { breaker($0.signal).failures > 0 })
        {
            putAside(at: index, .queueFull)
        }
    }

    // MARK: Giving up

    /// Takes a request out of memory: into the spill folder, or away.
    private mutating func putAside(at index: Int, _ reason: DeliveryStatistics.Reason) {
        guard spill != nil else { return drop(at: index, reason) }
        switch writeFile(at: index) {
        case .written: break
        case .full: drop(at: index, .spillFull)
        case .failed: drop(at: index, .spillFailed)
        }
    }

    /// Puts all that waits for a receiver which counts as gone into files, so that it survives the process. Where there is no room, the rest stays in memory.
    private mutating func spillPending() {
        guard spill != nil else { return }
        while let index = pending.firstIndex(where: { breaker($0.signal).isOpen }), case .written = writeFile(at: index) {}
    }

    private mutating func writeFile(at index: Int) -> SpillFolder.Writing {
        assemble(at: index)
        guard pending.indices.contains(index), case .request(let batch) = pending[index].content, let result = spill?.write(batch) else { return .full }
        switch result {
        case .written:
            let number = pending[index].number
            remove(at: index)
            updateWaiting { if number <= $0.lastNumber { $0.isComplete = false } }
        case .full: break
        case .failed(let reason): note(reason)
        }
        return result
    }

    private mutating func drop(at index: Int, _ reason: DeliveryStatistics.Reason) {
        let item = pending[index]
        remove(at: index) { $0.drop(item.signal, item.itemCount, reason) }
        updateWaiting { if item.number <= $0.lastNumber { $0.isComplete = false } }
    }

    private mutating func remove(at index: Int, _ change: (inout DeliveryPipeline.Report) -> Void = { _ in }) {
        let item = pending.remove(at: index)
        shared.budget.release(item.reservedBytes)
        let spill = spill
        shared.report.withLock { report in
            report.waiting[item.signal, default: 0] &-= UInt64(item.itemCount)
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
        if let pauseEnd {
            if ContinuousClock.now < pauseEnd { return false }
            self.pauseEnd = nil
        }
        // What a flush waits for is given no more time than the flush has: a function is frozen after it.
        let deadline = ending?.deadline ?? flushes.map(\.deadline).max { $0.time < $1.time }
        if let deadline, deadline.isOver { return false }
        let next = nextPending()
        let allowed = Set(ExportSignal.allCases.filter(maySend))
        if areMetricsNext(before: next) {
            isTurnOfMetrics = false
            sendMetrics(deadline?.time)
        } else if let next {
            isTurnOfMetrics = true
            send(at: next, deadline?.time)
        } else if ending == nil, let batch = spill?.next(of: allowed) {
            sendSpilled(batch, deadline?.time)
        } else {
            let spill = spill
            shared.report.withLock { $0.take(spill) }
            return false
        }
        return true
    }

    /// The oldest of what may be sent now, of what was not tried in vain again and again. At an end what did not arrive before comes last: an attempt with it may take all the time that is
    /// left.
    private func nextPending() -> Int? {
        let allowed = pending.indices.filter { maySend(pending[$0].signal) }
        let answered = ending == nil ? [] : allowed.filter { !unanswered.contains(pending[$0].signal) }
        let candidates = answered.isEmpty ? allowed : answered
        if configuration.keepsOrder { return candidates.first }
        // Of several in the same turn it is the first.
        return candidates.min { pending[$0].attempts.turn < pending[$1].attempts.turn }
    }

    /// Whether metrics are to be sent, and before what else may be.
    private func areMetricsNext(before next: Int?) -> Bool {
        guard areMetricsWanted, maySend(.metrics) else { return false }
        guard let next else { return true }
        let (hasFailed, hasOther) = (unanswered.contains(.metrics), unanswered.contains(pending[next].signal))
        return ending != nil && hasFailed != hasOther ? hasOther : isTurnOfMetrics
    }

    private mutating func send(at index: Int, _ deadline: Timestamp?) {
        assemble(at: index)
        guard pending.indices.contains(index), case .request(let batch) = pending[index].content else { return }
        switch export(batch, deadline) {
        case .delivered(let rejected, let message):
            remove(at: index) { $0.deliver(batch, rejected: rejected, message) }
        case .refused(let reason):
            drop(at: index, .refused)
            note(reason)
        case .failed:
            pending[index].attempts.noteFailure(arrived: arrived[batch.signal] ?? 0)
            if pending[index].attempts.isHopeless, !configuration.keepsOrder { drop(at: index, .refused) }
        case .unreachable, .inconclusive: break
        }
    }

    private mutating func sendSpilled(_ batch: ExportBatch, _ deadline: Timestamp?) {
        let outcome = export(batch, deadline)
        switch outcome {
        case .failed: guard spill?.noteFailure(arrived: arrived[batch.signal] ?? 0) ?? false else { return }
        case .unreachable, .inconclusive: return
        case .delivered, .refused: break
        }
        let irremovable = spill?.remove()
        if let irremovable { _ = warn?("\(irremovable)") }
        let spill = spill
        shared.report.withLock { report in
            report.take(spill)
            switch outcome {
            case .delivered(let rejected, let message): report.deliver(batch, rejected: rejected, message)
            case .refused(let reason):
                report.drop(batch.signal, batch.itemCount, .refused)
                report.lastFailure = reason
            // It is given up: all else has returned above.
            case .failed, .unreachable, .inconclusive: report.drop(batch.signal, batch.itemCount, .refused)
            }
            if let irremovable { report.lastFailure = "\(irremovable)" }
        }
    }

    private mutating func sendMetrics(_ deadline: Timestamp?) {
        let limit = configuration.batchBytes
        guard let batch = metrics?.request(limit: limit) else { return noteMetricsSent() }
        reserveMetrics(batch.request.count)
        let outcome = export(batch, deadline)
        let isKept = metrics?.hasUnfinished ?? false
        shared.report.withLock { report in
            report.waiting[.metrics] = nil
            switch outcome {
            case .delivered(let rejected, let message): report.deliver(batch, rejected: rejected, message)
            case .refused(let reason):
                report.drop(batch.signal, batch.itemCount, .refused)
                report.lastFailure = reason
            case .failed, .unreachable, .inconclusive: if isKept { report.waiting[.metrics] = UInt64(batch.itemCount) }
            }
        }
        switch outcome {
        case .failed, .unreachable, .inconclusive:
            metrics?.noteFailed()
            if !isKept { reserveMetrics(0) }
            return
        case .refused: updateWaiting { if $0.reading != nil { $0.isComplete = false } }
        case .delivered: break
        }
        reserveMetrics(0)
        metrics?.noteDone()
        if metrics?.isComplete ?? true { noteMetricsSent() }
    }

    private mutating func reserveMetrics(_ bytes: Int) {
        shared.budget.release(metricBytes)
        shared.budget.take(bytes)
        metricBytes = bytes
    }

    private mutating func noteMetricsSent() {
        let readings = metrics?.readings ?? 0
        metrics?.endReading()
        updateWaiting { if let reading = $0.reading, reading <= readings { $0.reading = nil } }
        // Who asked while it was under way wants to have said what was counted meanwhile.
        areMetricsWanted = flushes.contains { $0.reading != nil } || ending?.reading != nil
        metricsDue = ContinuousClock.now + configuration.metricInterval
    }

    /// What became of an attempt.
    private enum Outcome {
        case delivered(rejected: Int, message: String)
        case refused(reason: String)
        case failed
        case unreachable
        /// It did not arrive, for which the receiver is not to blame: there was too little time, or the process did not run.
        case inconclusive
    }

    private mutating func export(_ batch: ExportBatch, _ deadline: Timestamp?) -> Outcome {
        let signal = batch.signal
        if ending != nil, !breaker(signal).mayAttempt(at: .now) { lastAttempts.remove(signal) }
        let begin = Timestamp.now
        let latest = begin.advanced(by: configuration.exportTimeout.nanoseconds)
        let last = min(latest, deadline ?? latest)
        unanswered.insert(signal)
        switch exporter.export(batch, deadline: last) {
        case .delivered(let rejected, let message):
            noteAnswer(signal)
            arrived[signal, default: 0] += 1
            return .delivered(rejected: rejected, message: message)
        case .refused(let reason):
            noteAnswer(signal)
            return .refused(reason: reason)
        case .failed(let after, let reason):
            if tellsNothing(signal, from: begin, to: last, of: latest) {
                noteInconclusive(signal, reason)
                return .inconclusive
            }
            noteFailure(signal, after, reason)
            return .failed
        case .unreachable(let reason):
            if ending != nil { abandoned.insert(signal) }
            if tellsNothing(signal, from: begin, to: last, of: latest) {
                noteInconclusive(signal, reason)
                return .inconclusive
            }
            noteFailure(signal, nil, reason)
            return .unreachable
        }
    }

    /// Whether an attempt that failed just now tells nothing of the receiver: it was given little time and used it up, or the process was stopped meanwhile.
    private mutating func tellsNothing(_ signal: ExportSignal, from begin: Timestamp, to last: Timestamp, of latest: Timestamp) -> Bool {
        let now = Timestamp.now
        if now.nanoseconds.subtractingSaturating(last.nanoseconds) > Self.stoppedTime {
            // Twice in a row it is rather an exporter that does not keep its time.
            return stopped.insert(signal).inserted
        }
        stopped.remove(signal)
        return last < latest && now >= last && last < begin.advanced(by: Self.tellingTime.nanoseconds)
    }

    private mutating func noteAnswer(_ signal: ExportSignal) {
        unanswered.remove(signal)
        stopped.remove(signal)
        breakers[signal]?.noteSuccess()
        let isGone = breakers.values.contains { $0.isOpen }
        shared.report.withLock { $0.isReceiverGone = isGone }
    }

    private mutating func noteInconclusive(_ signal: ExportSignal, _ reason: String) {
        if ending != nil { lastAttempts.remove(signal) }
        shared.report.withLock { report in
            report.failedRequests += 1
            report.lastFailure = reason
        }
    }

    /// - Parameter requested: how long the receiver wants to be left alone.
    private mutating func noteFailure(_ signal: ExportSignal, _ requested: Duration?, _ reason: String) {
        if ending != nil { lastAttempts.remove(signal) }
        breakers[signal]?.noteFailure(at: .now, requested: requested, chance: Double.random(in: 0...1))
        let isGone = breakers.values.contains { $0.isOpen }
        shared.report.withLock { report in
            report.failedRequests += 1
            report.lastFailure = reason
            report.isReceiverGone = isGone
        }
    }

    // MARK: Ending

    private mutating func finish(_ ending: Waiting) {
        let isDelivered = unsettled(ending).isEmpty && ending.isComplete && (spill?.isEmpty ?? true)
        while !pending.isEmpty { putAside(at: 0, .shutdown) }
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
        for flush in flushes.map(\.flush) + late { flush.completion.end(false) }
        ending.flush.completion.end(isDelivered)
    }

    /// The last state of the metrics that did not arrive, and of deltas also what was not delivered before.
    private mutating func putMetricsAside() {
        reserveMetrics(0)
        metrics?.leaveReading()
        let limit = configuration.batchBytes
        while let batch = metrics?.request(limit: limit) {
            shared.budget.take(batch.request.count)
            shared.report.withLock { $0.waiting[.metrics] = UInt64(batch.itemCount) }
            pending.append(PendingDelivery(signal: .metrics, content: .request(batch), number: lastNumber))
            putAside(at: 0, .shutdown)
            metrics?.noteDone()
        }
    }

    // MARK: Files

    private mutating func openSpill() {
        guard let folder = configuration.spillFolder else { return }
        do throws(SpillError) {
            let opened = try SpillFolder(folder, limit: configuration.spillBytes, service: service)
            shared.report.withLock { $0.take(opened) }
            spill = opened
        } catch {
            note("\(error)")
            // Where it cannot be told now, the statistics have it.
            _ = warn?("\(error)")
        }
    }

    // MARK: Warning

    /// Tells people once a minute what was dropped since.
    private mutating func warnOfDrops() {
        guard let warn, ContinuousClock.now >= nextWarning else { return }
        let drops = self.drops
        let total = drops.values.reduce(0, +)
        guard total > warnedDrops else { return }
        let reasons = drops.filter { $0.value > 0 }.sorted { $0.key.rawValue < $1.key.rawValue }.map { "\($0.key.rawValue) \($0.value)" }
        let failure = shared.report.withLock { $0.lastFailure }.map { "; last failure: \($0)" } ?? ""
        guard warn("telemetry was dropped: \(total - warnedDrops) items since the last warning; in all \(reasons.joined(separator: ", "))\(failure)") else {
            nextWarning = ContinuousClock.now + .seconds(1)
            return
        }
        warnedDrops = total
        nextWarning = ContinuousClock.now + .seconds(60)
    }

    /// All that was dropped so far.
    private var drops: [DeliveryStatistics.Reason: UInt64] {
        let report = shared.report.withLock { $0 }
        var drops: [DeliveryStatistics.Reason: UInt64] = [:]
        for reasons in report.dropped.values { drops.merge(reasons, uniquingKeysWith: +) }
        drops[.spillFailed, default: 0] += report.lost.values.reduce(0, +)
        for source in sources {
            let counts = source.queue.counts
            drops[.queueFull, default: 0] += counts.droppedFull
            drops[.tooLarge, default: 0] += counts.droppedLarge
            drops[.shutdown, default: 0] += counts.droppedClosed
        }
        return drops
    }

    private var hasDropsToTell: Bool { drops.values.reduce(0, +) > warnedDrops }

    // MARK: Sleeping

    /// Sleeps until something is due or somebody wakes the thread.
    private func sleep(after ticket: UInt64) {
        let now = ContinuousClock.now
        var wanted: [Duration] = []
        for source in sources {
            if let due = source.due { wanted.append(now.duration(to: due)) } else if source.queue.hasRecords { wanted.append(source.delay) }
        }
        if metrics != nil, !areMetricsWanted { wanted.append(now.duration(to: metricsDue)) }
        var signals = Set(pending.lazy.map(\.signal))
        if areMetricsWanted { signals.insert(.metrics) }
        if ending == nil, let spill { signals.formUnion(spill.signals) }
        for signal in signals { wanted.append(breaker(signal).nextAttempt.map { now.duration(to: $0) } ?? .zero) }
        if let pauseEnd { wanted = [max(wanted.min() ?? .seconds(60), now.duration(to: pauseEnd))] }
        // Others may have died meanwhile, and left something.
        if ending == nil, let spill { wanted.append(max(now.duration(to: spill.nextLook), .milliseconds(1))) }
        if warn != nil, hasDropsToTell { wanted.append(now.duration(to: nextWarning)) }
        for waiting in flushes { wanted.append(waiting.deadline.rest ?? .zero) }
        if let ending { wanted.append(ending.deadline.rest ?? .zero) }
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
