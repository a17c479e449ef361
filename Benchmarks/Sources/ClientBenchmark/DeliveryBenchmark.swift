import BenchmarkTools
import Logging
import Oriel
import Tracing

/// What the delivery thread does for each record after the calling thread is done: grouping, batching, and an export to nowhere.
struct DeliveryBenchmark {
    private let options: Options
    private let pipeline: Oriel.DeliveryPipeline
    private let tracer: Oriel.Tracer
    private static let records = 20_000
    private static let rounds = 15

    init(pipeline: Oriel.DeliveryPipeline, tracer: Oriel.Tracer, options: Options) {
        self.options = options
        self.pipeline = pipeline
        self.tracer = tracer
    }

    func run(_ report: inout Report) {
        let logger = Logger(label: "delivery", factory: { label in Oriel.LogHandler(label: label, queues: [pipeline.logs]) })
        let route = ["", "orders", "42", "items", "17"].joined(separator: "/")
        measure("delivery of a log record with 4 pairs", &report) {
            logger.info("request handled by the shop", metadata: ["http.route": .string(route), "user.id": "8231", "http.method": "GET", "shop": "berlin"])
        }
        measure("delivery of a span", &report) { tracer.startSpan("GET /orders", context: .topLevel).end() }
    }

    /// CPU time of the process without that of the calling thread.
    private func measure(_ name: String, _ report: inout Report, _ emit: () -> Void) {
        guard options.wants(name) else { return }
        var best = Int64.max
        for _ in 0..<Self.rounds {
            pipeline.catchUp()
            let process = SystemClock.process.nanoseconds
            let thread = SystemClock.thread.nanoseconds
            for _ in 0..<Self.records { emit() }
            pipeline.catchUp()
            best = min(best, SystemClock.process.nanoseconds - process - (SystemClock.thread.nanoseconds - thread))
        }
        report.add(name, Double(best) / Double(Self.records), "ns")
    }
}
