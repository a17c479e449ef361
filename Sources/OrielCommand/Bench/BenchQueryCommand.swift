import ArgumentParser
import OrielCompression
import OrielTelemetry

/// `oriel bench query`: sends spans and log records, then measures how fast the questions of a person on call are answered.
struct BenchQueryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "query",
        abstract: "Send spans and log records, then measure a trace by id, the newest logs and a search by service.")

    @OptionGroup var options: BenchOptions

    @Option(help: "How often each question is asked.")
    var repetitions = 200

    func validate() throws {
        guard (1...1_000_000).contains(repetitions) else { throw ValidationError("--repetitions must be from 1 to 1000000") }
    }

    func run() throws {
        let seed = options.chosenSeed()
        var report = BenchReport(command: CommandLine.arguments.joined(separator: " "), seed: seed)
        if let endpoint = options.endpoint {
            try measure(try LoadEndpoint(parsing: endpoint), seed: seed, in: &report)
        } else {
            let server = try ChildServer.start(parent: options.folder)
            let watch = ServerWatch(process: server.process, data: server.data)
            defer { watch.stop() }
            try measure(server.endpoint, seed: seed, in: &report) { _ = watch.waitUntilQuiescent(limit: 300) }
            report.add("server.peak_anonymous_bytes", .integer(watch.peakAnonymousBytes))
            report.line("memory", "peak \(BenchReport.bytes(watch.peakAnonymousBytes)) anonymous")
        }
        report.show(options.output)
    }

    private func measure(_ endpoint: LoadEndpoint, seed: UInt64, in report: inout BenchReport, settle: () -> Void = {}) throws {
        let spans = try fill(endpoint, .spans, rows: options.rows, seed: seed)
        let logs = try fill(endpoint, .logs, rows: options.rows / 2, seed: seed)
        settle()
        report.add("spans", .integer(spans.rows))
        report.add("logs", .integer(logs.rows))
        report.line("data", "\(BenchReport.grouped(spans.rows)) spans, \(BenchReport.grouped(logs.rows)) log records")
        let patcher = TracePatcher(seed: seed)
        let traces = UInt64(max(spans.rows / SpanPayload.spansPerTrace, 1))
        var random = SeededRandom(seed: seed)
        var connection = try BlockingHTTPConnection(endpoint)
        var questions: [(name: String, path: () -> String)] = []
        questions.append(("trace by id", { "/api/oriel/v1/traces/\(patcher.traceID(random.next() % traces).hexadecimal)" }))
        questions.append(("newest logs", { "/api/oriel/v1/logs?limit=100" }))
        questions.append(("service search", { "/api/oriel/v1/traces?service=\(random.pick(Shop.services))&limit=20" }))
        for question in questions {
            var latencies = LatencyRecorder()
            var bytes = 0
            for _ in 0..<repetitions {
                let path = question.path()
                let start = ContinuousClock.now
                let response = try connection.send(method: "GET", path: path)
                latencies.record(ContinuousClock.now - start)
                guard response.status == 200 else {
                    throw LoadError("GET \(path) was answered \(response.status): \(String(decoding: response.body.prefix(400), as: UTF8.self))")
                }
                bytes += response.body.count
            }
            let quantiles = latencies.quantiles([0.5, 0.99, 1])
            let key = question.name.split(separator: " ").joined(separator: "_")
            report.add("\(key)_milliseconds.p50", .number(quantiles[0]))
            report.add("\(key)_milliseconds.p99", .number(quantiles[1]))
            report.add("\(key)_milliseconds.max", .number(quantiles[2]))
            report.add("\(key)_bytes", .integer(bytes / repetitions))
            report.line(
                question.name,
                "p50 \(BenchReport.decimal(quantiles[0], 2)) ms, p99 \(BenchReport.decimal(quantiles[1], 2)) ms, max \(BenchReport.decimal(quantiles[2], 2)) ms; "
                    + "\(BenchReport.grouped(bytes / repetitions)) bytes an answer")
        }
    }

    private func fill(_ endpoint: LoadEndpoint, _ signal: LoadRun.Signal, rows: Int, seed: UInt64) throws -> LoadRun.Outcome {
        var run = LoadRun(
            signal: signal, endpoint: endpoint, rows: rows, connections: options.connections, batchRows: options.batchRows,
            compression: options.compression.encoding)
        run.seed = seed
        let progress = ProgressLine(signal.rawValue, total: rows)
        defer { progress.finish() }
        return try run.run { progress.advance(by: $0) }
    }
}
