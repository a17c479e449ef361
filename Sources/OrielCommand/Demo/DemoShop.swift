import OrielOTLP
import OrielTelemetry

/// The shop in motion: a past that is made up at the start, then customers in real time.
struct DemoShop {
    /// How much past the demo begins with, in seconds.
    static let past: Int64 = 900
    private static let second: Int64 = 1_000_000_000

    private var scenarios: DemoScenarios
    private var metrics: DemoMetrics
    private var random: SeededRandom
    private let exporter: DemoExporter
    /// Receipts that are still to be made, with the time at which their event arrives.
    private var pending: [(time: Int64, order: Int, cause: OTLPSpanLink?)] = []
    /// A checkout that failed after all its attempts.
    private(set) var failedCheckout: TraceID?

    init(exporter: DemoExporter, seed: UInt64, now: Timestamp) {
        self.exporter = exporter
        random = SeededRandom(seed: seed)
        scenarios = DemoScenarios(seed: random.next())
        metrics = DemoMetrics(start: now.advanced(by: -DemoShop.past * DemoShop.second), seed: random.next())
    }

    /// Sends the last quarter of an hour, in steps of 15 seconds; the last step holds a checkout that failed.
    ///
    /// - Parameter progress: Called with the seconds that are done.
    mutating func sendPast(until now: Timestamp, progress: (Int64) -> Void) async throws(LoadError) {
        let width: Int64 = 15
        for start in stride(from: DemoShop.past, to: 0, by: -Int(width)) {
            let begin = now.nanoseconds - start * DemoShop.second
            var traces = step(from: begin, to: begin + width * DemoShop.second, customers: random.integer(8...20))
            if start == width {
                let failed = scenarios.checkout(fails: true)
                failedCheckout = failed.trace.id
                traces += finish(failed, endingAt: begin + 12 * DemoShop.second)
            }
            try await exporter.export(traces)
            try await exporter.export(metrics.points(at: Timestamp(nanoseconds: begin + width * DemoShop.second)))
            progress(DemoShop.past - start + width)
        }
    }

    /// Sends what happened since the time before, a second or so.
    mutating func sendPresent(from begin: Timestamp, to end: Timestamp, withMetrics: Bool) async throws(LoadError) {
        let traces = step(from: begin.nanoseconds, to: end.nanoseconds, customers: random.integer(0...3))
        try await exporter.export(traces)
        if withMetrics { try await exporter.export(metrics.points(at: end)) }
    }

    /// What ends between two moments.
    private mutating func step(from begin: Int64, to end: Int64, customers: Int) -> [DemoTrace] {
        var traces: [DemoTrace] = []
        let due = pending.filter { $0.time <= end }
        pending.removeAll { $0.time <= end }
        for event in due {
            var trace = scenarios.receipt(order: event.order, cause: event.cause)
            trace.shift(by: event.time - trace.clock)
            metrics.observe(trace)
            traces.append(trace)
        }
        for _ in 0..<customers {
            let moment = begin + Int64(random.fraction() * Double(end - begin))
            if random.chance(0.3) {
                traces += finish(scenarios.checkout(), endingAt: moment)
            } else {
                var trace = scenarios.browse()
                trace.shift(by: moment - trace.clock)
                metrics.observe(trace)
                traces.append(trace)
            }
        }
        return traces
    }

    private mutating func finish(_ checkout: DemoScenarios.Checkout, endingAt moment: Int64) -> [DemoTrace] {
        var trace = checkout.trace
        trace.shift(by: moment - trace.clock)
        metrics.observe(trace)
        metrics.order(isPaid: checkout.published != nil)
        if let link = checkout.published { pending.append((moment + 1_500_000_000, checkout.order, link)) }
        return [trace]
    }
}
