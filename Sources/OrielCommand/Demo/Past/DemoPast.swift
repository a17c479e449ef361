import OrielOTLP
import OrielTelemetry

/// The shop's last quarter of an hour, made up at the start of the demo: loggers and metrics cannot be told of times before.
struct DemoPast {
    /// How much past the demo begins with, in seconds.
    static let length: Int64 = 900
    private static let second: Int64 = 1_000_000_000
    /// How much is sent in one step, in seconds.
    private static let step: Int64 = 15
    /// How long an event waits before it is delivered, at least.
    private static let delay: Int64 = 1_500_000_000

    private let exporter: DemoExporter
    private(set) var customers: DemoCustomers
    private(set) var metrics: DemoPastMetrics
    private var random: SeededRandom
    /// Events that are still to become receipts, with the time at which they can be delivered.
    private var pending: [(time: Int64, event: DemoReceipts.Event)] = []
    /// A checkout that failed after all its attempts.
    private(set) var failedCheckout: TraceID?

    /// Events that are still to become receipts.
    var events: [DemoReceipts.Event] { pending.map(\.event) }

    init(exporter: DemoExporter, seed: UInt64, now: Timestamp) {
        self.exporter = exporter
        random = SeededRandom(seed: seed)
        customers = DemoCustomers(seed: random.next())
        metrics = DemoPastMetrics(start: now.advanced(by: -Self.length * Self.second), seed: random.next())
    }

    /// Sends the past in steps; the last one holds a checkout that failed.
    ///
    /// - Parameter progress: Called with the seconds that a step was for.
    mutating func send(until now: Timestamp, progress: (Int64) -> Void) async throws(LoadError) {
        for start in stride(from: Self.length, to: 0, by: -Int(Self.step)) {
            let begin = now.nanoseconds - start * Self.second
            let end = begin + Self.step * Self.second
            var traces = await deliveries(until: end)
            for _ in 0..<random.integer(8...20) {
                traces.append(await visit(customers.visit(), endingAt: begin + Int64(random.fraction() * Double(end - begin))))
            }
            if start == Self.step {
                let failed = await visit(.checkout(customers.checkout(fails: true)), endingAt: begin + 12 * Self.second)
                failedCheckout = failed.id
                traces.append(failed)
            }
            try await exporter.export(traces)
            try await exporter.export(metrics.points(at: Timestamp(nanoseconds: end), waiting: pending.count))
            progress(Self.step)
        }
    }

    private mutating func visit(_ visit: DemoCustomers.Visit, endingAt moment: Int64) async -> DemoTrace {
        var trace = DemoTrace(seed: random.next())
        switch visit {
        case .browsing(let browsing): await browsing.play(on: &trace)
        case .checkout(let checkout):
            if let headers = await checkout.play(on: &trace) {
                pending.append((moment + Self.delay, DemoReceipts.Event(order: checkout.order, headers: headers)))
            }
        }
        return finished(trace, at: moment)
    }

    /// What the function makes of the events that are due.
    private mutating func deliveries(until end: Int64) async -> [DemoTrace] {
        var due = pending.filter { $0.time <= end }.sorted { $0.time < $1.time }
        pending.removeAll { $0.time <= end }
        var traces: [DemoTrace] = []
        while due.count >= DemoReceipts.batch.lowerBound {
            let count = due.count == DemoReceipts.batch.lowerBound + 1 ? due.count : DemoReceipts.batch.lowerBound
            let receipts = customers.receipts(of: due.prefix(count).map(\.event))
            var trace = DemoTrace(seed: random.next())
            await receipts.play(on: &trace)
            traces.append(finished(trace, at: due[count - 1].time))
            due.removeFirst(count)
        }
        pending += due
        return traces
    }

    private mutating func finished(_ trace: DemoTrace, at moment: Int64) -> DemoTrace {
        var trace = trace
        trace.end(at: moment)
        metrics.observe(trace)
        return trace
    }
}
