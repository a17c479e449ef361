import Dispatch
import OrielCompression
import Synchronization

/// Sends requests over several connections at once until all rows are acknowledged.
struct LoadRun: Sendable {
    /// What the load consists of.
    enum Signal: String, CaseIterable, Sendable {
        case spans
        case logs
        case samples

        var path: String {
            switch self {
            case .spans: "/v1/traces"
            case .logs: "/v1/logs"
            case .samples: "/v1/metrics"
            }
        }
    }

    /// What was sent and how it was answered.
    struct Outcome: Sendable {
        /// Acknowledged rows.
        var rows = 0
        /// Rows that the server refused in otherwise accepted requests.
        var rejected = 0
        var requests = 0
        /// Requests that were sent again because the server was busy.
        var retries = 0
        /// Bytes of the request bodies, before and after compression.
        var plainBytes = 0
        var sentBytes = 0
        var latencies = LatencyRecorder()
        var seconds = 0.0

        mutating func merge(_ other: Outcome) {
            rows += other.rows
            rejected += other.rejected
            requests += other.requests
            retries += other.retries
            plainBytes += other.plainBytes
            sentBytes += other.sentBytes
            latencies.merge(other.latencies)
        }
    }

    var signal: Signal
    var endpoint: LoadEndpoint
    var rows: Int
    var connections: Int
    var rowsPerRequest: Int
    var transport = ExportProtocol.http
    var compression: ContentEncoding = .identity
    /// Rows a second of all connections together, sent on time however long answers take; `nil` for as fast as they are answered.
    var rate: Int?
    var seed: UInt64 = 1
    /// Pods per service for spans and logs.
    var pods = 4
    /// Log records that share a trace id, at most ``LogPayload/recordsPerTrace``.
    var recordsPerTrace = LogPayload.recordsPerTrace
    /// How many series the samples belong to, about.
    var series = 20_000
    /// Between two samples of a series, in seconds.
    var interval = 15

    /// Makes the templates, then sends; the time counts from the first request.
    ///
    /// - Parameter progress: Called after each acknowledged request with its rows, on any thread.
    /// - Throws: The first error of any connection.
    func run(progress: @escaping @Sendable (Int) -> Void) throws(LoadError) -> Outcome {
        let quota = max(1, rows / connections)
        var sources: [any RequestSource] = []
        for connection in 0..<connections { sources.append(source(connection: connection, quota: quota)) }
        let total = Mutex(Outcome())
        let failure = Mutex<LoadError?>(nil)
        let group = DispatchGroup()
        let start = ContinuousClock.now
        for (connection, source) in sources.enumerated() {
            let share = connection == 0 ? rows - quota * (connections - 1) : quota
            // A serial queue blocks no other: the system gives it a thread of its own.
            DispatchQueue(label: "connection \(connection)").async(group: group) {
                do throws(LoadError) {
                    let outcome = try send(source, over: connection, start: start, rows: share, failure: failure, progress: progress)
                    total.withLock { $0.merge(outcome) }
                } catch {
                    failure.withLock { if $0 == nil { $0 = error } }
                }
            }
        }
        group.wait()
        if let error = failure.withLock({ $0 }) { throw error }
        var outcome = total.withLock { $0 }
        outcome.seconds = (ContinuousClock.now - start) / .seconds(1)
        return outcome
    }

    private func source(connection: Int, quota: Int) -> any RequestSource {
        let rowsPerRequest = min(rowsPerRequest, quota)
        switch signal {
        case .spans:
            let shop = Shop(pods: pods)
            return TraceRequestSource(
                connection: connection, connections: connections, tracesPerRequest: max(1, rowsPerRequest / SpanPayload.spansPerTrace), seed: seed
            ) { SpanPayload.template(shop: shop, traces: $0, seed: $1) }
        case .logs:
            let shop = Shop(pods: pods)
            return TraceRequestSource(
                connection: connection, connections: connections, tracesPerRequest: max(1, rowsPerRequest / recordsPerTrace), seed: seed
            ) { LogPayload.template(shop: shop, traces: $0, recordsPerTrace: recordsPerTrace, seed: $1) }
        case .samples:
            let perPod = SamplePayload(shop: Shop(pods: 1), service: 0, pod: 0, seed: seed, start: 0).rows
            let podCount = max(connections, series / perPod)
            let perService = (podCount + Shop.services.count - 1) / Shop.services.count
            let all = (0..<podCount).map { (service: $0 / perService, pod: $0 % perService) }
            let own = stride(from: connection, to: podCount, by: connections).map { all[$0] }
            return SampleRequestSource(
                shop: Shop(pods: perService), pods: own, rows: quota, rowsPerRequest: rowsPerRequest, seed: seed, interval: Int64(interval) * 1_000_000_000)
        }
    }

    private func send(
        _ source: any RequestSource, over number: Int, start: ContinuousClock.Instant, rows: Int, failure: borrowing Mutex<LoadError?>,
        progress: @Sendable (Int) -> Void
    ) throws(LoadError) -> Outcome {
        let pace = rate.map { rate in
            let share = Double(rate) / Double(connections)
            // The connections take turns.
            let shift = Double(min(rowsPerRequest, rows)) / share * Double(number) / Double(connections)
            return RequestPace(start: start + .seconds(shift), rowsPerSecond: share)
        }
        switch transport {
        case .http:
            var connection = try HTTPExportConnection(endpoint, signal: signal, compression: compression)
            return try send(source, over: &connection, pace: pace, rows: rows, failure: failure, progress: progress)
        case .grpc:
            var connection = try GRPCExportConnection(endpoint, signal: signal, compression: compression)
            return try send(source, over: &connection, pace: pace, rows: rows, failure: failure, progress: progress)
        }
    }

    private func send<Connection: ExportConnection & ~Copyable>(
        _ source: any RequestSource, over connection: inout Connection, pace: RequestPace?, rows: Int, failure: borrowing Mutex<LoadError?>,
        progress: @Sendable (Int) -> Void
    ) throws(LoadError) -> Outcome {
        var source = source
        var pace = pace
        var outcome = Outcome()
        while outcome.rows + outcome.rejected < rows, failure.withLock({ $0 == nil }) {
            let count = source.advance()
            var body = source.body
            outcome.plainBytes += body.count
            if compression != .identity {
                do {
                    body = try compression.compress(body)
                } catch {
                    throw LoadError("the request could not be compressed: \(error)")
                }
            }
            var start = ContinuousClock.now
            if let due = pace?.next(rows: count) {
                if due > start { Sleep.seconds((due - start) / .seconds(1)) }
                start = due
            }
            var answer = try connection.export(body)
            while case .busy(let delay) = answer {
                outcome.retries += 1
                guard outcome.retries < 10_000 else { throw LoadError("the server stays busy: it refused ten thousand requests") }
                Sleep.seconds(delay)
                answer = try connection.export(body)
            }
            switch answer {
            case .accepted(let rejectedRows):
                let rejected = min(count, rejectedRows)
                outcome.rows += count - rejected
                outcome.rejected += rejected
            case .busy: break
            case .refused(let reason): throw LoadError("the server answered \(reason)")
            }
            outcome.latencies.record(ContinuousClock.now - start)
            outcome.requests += 1
            outcome.sentBytes += body.count
            progress(count)
        }
        return outcome
    }
}
