import Tracing

/// Spans of swift-distributed-tracing, on tracers whose types the compiler does not know, as `InstrumentationSystem` gives them.
struct SpanRows {
    private let options: Options
    private let peers: Peers
    private let nothing: any Tracer = NoOpTracer()
    private let path = ["", "orders", "42", "items", "17"].joined(separator: "/")

    init(peers: Peers, options: Options) {
        self.peers = peers
        self.options = options
    }

    func measure(_ report: inout Report) {
        let kinds: [(String, Peers.Sampling)] = [("unsampled span, never", .never), ("unsampled span, by the parent", .off), ("sampled span", .on)]
        for (kind, sampling) in kinds {
            compare("\(kind), startSpan and end", sampling, &report) { tracer, calls in
                for _ in 0..<calls { startAndEnd(tracer) }
            }
            compare("\(kind), withSpan", sampling, &report) { tracer, calls in
                for _ in 0..<calls { within(tracer) }
            }
            compare("\(kind), withSpan inside a span", sampling, &report) { tracer, calls in
                tracer.withSpan("parent") { _ in
                    for _ in 0..<calls { within(tracer) }
                }
            }
        }
        attributes(&report)
    }

    // MARK: Calls

    @inline(never)
    private func startAndEnd(_ tracer: any Tracer) { tracer.startSpan("GET /orders", context: .topLevel).end() }

    @inline(never)
    private func within(_ tracer: any Tracer) { tracer.withSpan("GET /orders") { _ in } }

    @inline(never)
    private func attributes(_ tracer: any Tracer, _ count: Int) {
        let span = tracer.startSpan("GET /orders", context: .topLevel)
        if count > 0 { span.attributes["http.request.method"] = "GET" }
        if count > 1 { span.attributes["http.response.status_code"] = 200 }
        if count > 2 { span.attributes["url.path"] = path }
        if count > 3 { span.attributes["server.address"] = "shop.example.com" }
        if count > 4 { span.attributes["network.protocol.version"] = "1.1" }
        span.end()
    }

    // MARK: Comparing

    private var measurement: Measurement { Measurement(rounds: 40 * options.repetitions, calls: 4000, pause: peers.catchUp) }

    private func compare(_ name: String, _ sampling: Peers.Sampling, _ report: inout Report, _ body: @escaping (any Tracer, Int) -> Void) {
        let tracers = peers.tracers(sampling)
        report.compare(name, measurement, nothing: nothing, [.oriel: tracers.oriel, .otel: tracers.otel], body)
    }

    /// Spans with no, one and five attributes, measured in turns: the differences are what attributes cost.
    private func attributes(_ report: inout Report) {
        let name = "sampled span, an attribute"
        guard options.wants(name) else { return }
        let tracers = peers.tracers(.on)
        let counts = [0, 1, 5]
        let bodies = [nothing, tracers.oriel, tracers.otel].flatMap { tracer in
            counts.map { count -> (Int) -> Void in { for _ in 0..<$0 { attributes(tracer, count) } } }
        }
        let costs = measurement.costs(bodies)
        for (position, count) in counts.enumerated().dropFirst() {
            let each = (0..<3).map { (costs[counts.count * $0 + position] - costs[counts.count * $0]) / Double(count) }
            report.add("\(name) of \(count)", each, [.oriel, .otel])
        }
    }
}
