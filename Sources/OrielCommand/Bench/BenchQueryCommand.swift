import ArgumentParser
import OrielTelemetry

/// `oriel bench query`: measures how fast the questions of a person on call are answered.
struct BenchQueryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "query",
        abstract: "Measure how fast a store answers: traces, logs and series, by id, by attribute, by text and over all of its time.",
        discussion: """
            Spans, half as many log records and as many samples are sent first (--rows), or the store that is there already is asked (--data, or
            --endpoint with --rows 0). The ids and values to ask for are taken from the store itself, at random times of all that it holds.

            One connection asks one question after another, over HTTP. Questions cover all time: those for a page of something rare have to
            consider every row.

            Examples:
              oriel bench query --rows 1000000
              oriel bench query --data ./store
              oriel bench query --endpoint http://localhost:4318 --rows 0
            """)

    @OptionGroup var options: BenchOptions

    @Option(help: "How often each question is asked, at most.")
    var repetitions = 200

    @Option(help: "Seconds after which a question is not asked again, once it was asked ten times.")
    var seconds = 20

    private var rows: Int { options.rows ?? (options.data == nil ? 1_000_000 : 0) }

    func validate() throws {
        guard (1...1_000_000).contains(repetitions) else { throw ValidationError("--repetitions must be from 1 to 1000000") }
        guard (1...86_400).contains(seconds) else { throw ValidationError("--seconds must be from 1 to 86400") }
    }

    func run() throws {
        let seed = options.chosenSeed()
        var report = BenchReport(command: CommandLine.arguments.joined(separator: " "), seed: seed)
        if let endpoint = options.endpoint {
            try measure(try LoadEndpoint(parsing: endpoint), seed: seed, in: &report)
        } else {
            try measureChild(&report, seed: seed)
        }
        report.show(options.output)
    }

    private func measureChild(_ report: inout BenchReport, seed: UInt64) throws {
        var server = try ChildServer.start(parent: options.folder, data: options.data)
        let watch = ServerWatch(process: server.process, data: server.data)
        defer { watch.stop() }
        let idleMemory = ProcessUsage.anonymousBytes(server.process)
        let disk = DiskUsage.files(in: server.data).values.reduce(0, +)
        report.add("server.start_milliseconds", .number(server.startSeconds * 1000))
        report.add("server.idle_anonymous_bytes", .integer(idleMemory))
        report.add("disk.bytes_before_load", .integer(disk))
        report.line("start", "ready after \(BenchReport.decimal(server.startSeconds * 1000, 0)) ms over \(BenchReport.bytes(disk)) of data")
        try measure(server.endpoint, seed: seed, in: &report) { _ = watch.waitUntilQuiescent(limit: 300) }
        let peak = watch.peakAnonymousBytes
        watch.stop()
        _ = try server.end()
        report.add("server.peak_anonymous_bytes", .integer(peak))
        report.line("memory", "peak \(BenchReport.bytes(peak)) anonymous (\(BenchReport.bytes(idleMemory)) after the start)")
    }

    private func measure(_ endpoint: LoadEndpoint, seed: UInt64, in report: inout BenchReport, settle: () -> Void = {}) throws {
        if rows > 0 {
            let spans = try fill(endpoint, .spans, rows: rows, seed: seed)
            let logs = try fill(endpoint, .logs, rows: max(1, rows / 2), seed: seed)
            let samples = try fill(endpoint, .samples, rows: rows, seed: seed)
            settle()
            report.add("spans", .integer(spans.rows))
            report.add("logs", .integer(logs.rows))
            report.add("samples", .integer(samples.rows))
            report.line(
                "data",
                "\(BenchReport.grouped(spans.rows)) spans, \(BenchReport.grouped(logs.rows)) log records, \(BenchReport.grouped(samples.rows)) samples"
                    + " sent before")
        }
        let progress = ProgressLine("", total: 1)
        progress.show("finding out what the store holds")
        defer { progress.finish() }
        var survey = try StoreSurvey(endpoint, seed: seed)
        let questions = try survey.questions()
        guard !questions.isEmpty else { throw LoadError("the store of \(endpoint) is empty: nothing can be asked for") }
        var client = try StoreClient(endpoint)
        for question in questions {
            progress.show("asking: \(question.name)")
            report.describe(try ask(question, &client), of: question)
        }
    }

    private func ask(_ question: StoreQuestion, _ client: inout StoreClient) throws -> StoreAnswers {
        var answers = StoreAnswers()
        let deadline = ContinuousClock.now + .seconds(seconds)
        for repetition in 0..<repetitions where repetition < 10 || ContinuousClock.now < deadline {
            let target = question.targets[repetition % question.targets.count]
            var cursor: String?
            var duration = Duration.zero
            repeat {
                let start = ContinuousClock.now
                let body = try client.get(target + (cursor.map { "&cursor=" + QueryTarget.encode($0) } ?? ""))
                duration += ContinuousClock.now - start
                answers.bytes += body.count
                let (elements, next) = try AnswerList.elements(question.member, of: body)
                answers.rows += elements.count
                cursor = question.hasPages ? next : nil
            } while cursor != nil
            answers.latencies.record(duration)
        }
        return answers
    }

    private func fill(_ endpoint: LoadEndpoint, _ signal: LoadRun.Signal, rows: Int, seed: UInt64) throws -> LoadRun.Outcome {
        let progress = ProgressLine(signal.rawValue, total: rows)
        defer { progress.finish() }
        return try options.load(signal, to: endpoint, rows: rows, seed: seed).run { progress.advance(by: $0) }
    }
}

/// How a question was answered, several times.
private struct StoreAnswers {
    var latencies = LatencyRecorder()
    /// Of all answers together.
    var bytes = 0
    var rows = 0
}

extension BenchReport {
    fileprivate mutating func describe(_ answers: StoreAnswers, of question: StoreQuestion) {
        let quantiles = answers.latencies.quantiles([0.5, 0.99, 1])
        let count = max(answers.latencies.count, 1)
        for (name, value) in zip(["p50", "p99", "max"], quantiles) { add("\(question.key)_milliseconds.\(name)", .number(value)) }
        add("\(question.key)_repetitions", .integer(count))
        add("\(question.key)_rows", .number(Double(answers.rows) / Double(count)))
        add("\(question.key)_bytes", .integer(answers.bytes / count))
        line(
            question.name,
            "p50 \(BenchReport.decimal(quantiles[0], 2)) ms, p99 \(BenchReport.decimal(quantiles[1], 2)) ms, max \(BenchReport.decimal(quantiles[2], 2)) ms; "
                + "\(BenchReport.decimal(Double(answers.rows) / Double(count))) \(question.member) in \(BenchReport.grouped(answers.bytes / count)) bytes"
                + " an answer, \(BenchReport.grouped(count)) answers")
    }
}
