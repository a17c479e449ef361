import Logging
import Oriel
import Tracing

/// Lines of swift-log.
struct LogBenchmark {
    private let options: Options
    private let pipelines: [Oriel.DeliveryPipeline]
    private let tracer: Oriel.Tracer
    // Texts as an application has them: made at run time, some longer than what a string keeps in itself.
    private let route = ["", "orders", "42", "items", "17"].joined(separator: "/")
    private let user = ["user", "8231", "berlin"].joined(separator: "-")
    private let status = 200
    private let seconds = 12.75

    /// - Parameter tracer: makes spans that are sampled.
    init(pipelines: [Oriel.DeliveryPipeline], tracer: Oriel.Tracer, options: Options) {
        self.options = options
        self.pipelines = pipelines
        self.tracer = tracer
    }

    func run(_ report: inout Report) {
        let limit = Aim(nanoseconds: 250, mallocs: 0)
        compare("log line, no metadata", &report, aim: Aim(mallocs: 0)) { $0.info("request handled by the shop") }
        compare("log line, 4 pairs, strings", &report, aim: limit, strings)
        compare("log line, 4 pairs, strings and numbers", &report, aim: limit, mixed)
        compare("log line, 10 pairs, strings and numbers", &report, aim: Aim(mallocs: 0), ten)
        tracer.withSpan("parent") { _ in compare("log line, 4 pairs, strings, inside a span", &report, aim: Aim(mallocs: 0), strings) }
        compare("log line, 4 pairs, strings, logger with 2 pairs", &report, metadata: ["service.tier": "gold", "request.id": "8f14e45f"], strings)
        let tenant: Logger.Metadata = ["tenant": "acme"]
        compare("log line, 4 pairs, strings, provider of 1 pair", &report, aim: Aim(mallocs: 0), provider: .init { tenant }, strings)
        compare("log line, 4 pairs, strings, to two queues", &report, aim: Aim(mallocs: 0), queues: 2, strings)
        compare("log line, level disabled", &report, aim: Aim(nanoseconds: 1, mallocs: 0)) {
            $0.debug("request handled by the shop", metadata: ["http.route": .string(route)])
        }
        for threads in [1, 2, 8] { compare("log line, 4 pairs, strings, threads: \(threads)", &report, threads: threads) }
    }

    // MARK: Calls

    @inline(never)
    private func strings(_ logger: Logger) {
        logger.info("request handled by the shop", metadata: ["http.route": .string(route), "user.id": .string(user), "http.method": "GET", "shop": "berlin"])
    }

    @inline(never)
    private func mixed(_ logger: Logger) {
        logger.info(
            "request handled by the shop",
            metadata: [
                "http.route": .string(route), "user.id": .string(user), "http.status": .stringConvertible(status), "duration": .stringConvertible(seconds),
            ])
    }

    @inline(never)
    private func ten(_ logger: Logger) {
        logger.info(
            "request handled by the shop",
            metadata: [
                "http.route": .string(route), "user.id": .string(user), "http.status": .stringConvertible(status), "duration": .stringConvertible(seconds),
                "http.method": "GET", "shop": "berlin", "currency": "EUR", "items": .stringConvertible(status), "retry": .stringConvertible(false),
                "plan": "gold",
            ])
    }

    // MARK: Comparing

    private func compare(
        _ name: String, _ report: inout Report, aim: Aim? = nil, queues: Int = 1, metadata: Logger.Metadata = [:], provider: Logger.MetadataProvider? = nil,
        _ call: @escaping (Logger) -> Void
    ) {
        guard options.wants(name) else { return }
        let measurement = Measurement(rounds: 40 * options.repetitions, pause: { for pipeline in pipelines { pipeline.catchUp() } })
        let (nothing, real) = loggers(queues, metadata, provider)
        let costs = measurement.costs([{ for _ in 0..<$0 { call(nothing) } }, { for _ in 0..<$0 { call(real) } }])
        report.add(name, costs[1], above: costs[0], aim: aim)
    }

    private func compare(_ name: String, _ report: inout Report, threads: Int) {
        guard options.wants(name) else { return }
        let measurement = Measurement(rounds: 10 * options.repetitions, calls: 20_000, pause: { for pipeline in pipelines { pipeline.catchUp() } })
        let (nothing, real) = loggers(1, [:], nil)
        let call = strings
        let costs = measurement.costs(threads: threads, [{ for _ in 0..<$1 { call(nothing) } }, { for _ in 0..<$1 { call(real) } }])
        report.add(name, costs[1], above: costs[0])
    }

    private func loggers(_ queues: Int, _ metadata: Logger.Metadata, _ provider: Logger.MetadataProvider?) -> (nothing: Logger, real: Logger) {
        let nothing = NoOpLogHandler(metadata: metadata, metadataProvider: provider)
        let real = Oriel.LogHandler(label: "benchmark", queues: pipelines.prefix(queues).map(\.logs), metadata: metadata, metadataProvider: provider)
        return (Logger(label: "benchmark", factory: { _ in nothing }), Logger(label: "benchmark", factory: { _ in real }))
    }
}
