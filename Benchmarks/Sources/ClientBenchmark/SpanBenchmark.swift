import Oriel
import Tracing

/// Spans of swift-distributed-tracing, on the tracer as a value: the global functions look it up first, with any backend.
struct SpanBenchmark {
    private let options: Options
    private let pipeline: Oriel.DeliveryPipeline
    private let nothing = NoOpTracer()
    private let unsampled = Oriel.Tracer(queues: [], sampler: Oriel.ParentBasedSampler(root: Oriel.AlwaysOffSampler()))
    private let sampled: Oriel.Tracer
    private let path = ["", "orders", "42", "items", "17"].joined(separator: "/")

    init(pipeline: Oriel.DeliveryPipeline, tracer: Oriel.Tracer, options: Options) {
        self.options = options
        self.pipeline = pipeline
        sampled = tracer
    }

    func run(_ report: inout Report) {
        contexts(&report)
        for (kind, tracer, limit) in [("unsampled", unsampled, 150.0), ("sampled", sampled, 500.0)] {
            let aim = Aim(nanoseconds: limit)
            compare("\(kind) span, startSpan and end", tracer, &report, aim, { startAndEnd($0) }, { startAndEnd($0) })
            compare("\(kind) span, withSpan", tracer, &report, aim, { within($0) }, { within($0) })
            nothing.withSpan("parent") { _ in
                tracer.withSpan("parent") { _ in
                    compare("\(kind) span inside a span, startSpan and end", tracer, &report, aim, { startChild($0) }, { startChild($0) })
                    compare("\(kind) span inside a span, withSpan", tracer, &report, aim, { within($0) }, { within($0) })
                }
            }
        }
        attributes(&report)
    }

    // MARK: Calls

    @inline(never)
    private func startAndEnd(_ tracer: some Tracer) { tracer.startSpan("GET /orders", context: .topLevel).end() }

    @inline(never)
    private func startChild(_ tracer: some Tracer) { tracer.startSpan("GET /orders").end() }

    @inline(never)
    private func within(_ tracer: some Tracer) { tracer.withSpan("GET /orders") { _ in } }

    @inline(never)
    private func attributes(_ tracer: some Tracer, _ count: Int) {
        let span = tracer.startSpan("GET /orders", context: .topLevel)
        if count > 0 { span.attributes["http.request.method"] = "GET" }
        if count > 1 { span.attributes["http.response.status_code"] = 200 }
        if count > 2 { span.attributes["url.path"] = path }
        if count > 3 { span.attributes["server.address"] = "shop.example.com" }
        if count > 4 { span.attributes["network.protocol.version"] = "1.1" }
        span.end()
    }

    // MARK: Comparing

    private func compare(
        _ name: String, _ tracer: Oriel.Tracer, _ report: inout Report, _ aim: Aim, _ base: @escaping (NoOpTracer) -> Void,
        _ call: @escaping (Oriel.Tracer) -> Void
    ) {
        guard options.wants(name) else { return }
        let measurement = Measurement(rounds: 40 * options.repetitions, pause: pipeline.catchUp)
        let costs = measurement.costs([{ for _ in 0..<$0 { base(nothing) } }, { for _ in 0..<$0 { call(tracer) } }])
        report.add(name, costs[1], above: costs[0], aim: aim)
    }

    /// What `withSpan` costs with any tracer that tells children of their parent.
    private func contexts(_ report: inout Report) {
        let tracer = ContextTracer()
        let name = "a value in the context, withSpan"
        if options.wants(name) { compareContexts(name, tracer, &report) }
        let inner = "a value in the context inside a span, withSpan"
        guard options.wants(inner) else { return }
        nothing.withSpan("parent") { _ in
            tracer.withSpan("parent") { _ in compareContexts(inner, tracer, &report) }
        }
    }

    private func compareContexts(_ name: String, _ tracer: ContextTracer, _ report: inout Report) {
        let costs = Measurement(rounds: 40 * options.repetitions).costs([{ for _ in 0..<$0 { within(nothing) } }, { for _ in 0..<$0 { within(tracer) } }])
        report.add(name, costs[1], above: costs[0])
    }

    /// Spans with none to five attributes, measured in turns: the differences are what attributes cost.
    private func attributes(_ report: inout Report) {
        guard options.wants("sampled span, an attribute") else { return }
        let measurement = Measurement(rounds: 40 * options.repetitions, pause: pipeline.catchUp)
        let bodies = (0...5).flatMap { count -> [(Int) -> Void] in
            [{ for _ in 0..<$0 { attributes(nothing, count) } }, { for _ in 0..<$0 { attributes(sampled, count) } }]
        }
        let costs = measurement.costs(bodies)
        for count in 1...5 {
            let divisor = Double(count)
            report.add(
                "sampled span, an attribute of \(count)", (costs[2 * count + 1] - costs[1]) / divisor, above: (costs[2 * count] - costs[0]) / divisor,
                aim: Aim(nanoseconds: 100))
        }
    }
}
