import ArgumentParser
import OrielTelemetry

/// `oriel bench ingest`: sends realistic telemetry over OTLP and reports what it cost.
struct BenchIngestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ingest",
        abstract: "Send spans, log records or samples over OTLP and report rows a second, CPU, latency, disk and memory.",
        discussion: """
            The telemetry is that of a shop of six services: eight spans and four log records a trace, twelve attributes a span, a hundred thousand
            users, three in a hundred requests failed. It is encoded once; ids, times and numbers are written anew for each request.

            CPU is the user and system time of the server's process from the first request until its merges are done, divided by the rows. Then
            the server is stopped, which moves what is left in its redo log into segment files: that is what a row takes on the disk in the end.

            Without --rate each connection sends as soon as the request before is acknowledged, which shows how much the machine takes. With --rate
            requests are due at fixed times, and the time until they are acknowledged counts from then on, waiting for earlier ones included.

            Examples:
              oriel bench ingest --signal spans --rows 1000000 --connections 4
              oriel bench ingest --signal samples --rows 10000000 --compression zstd --output json
              oriel bench ingest --signal logs --protocol grpc --rows-per-request 100 --rate 50000
              oriel bench ingest --endpoint http://localhost:4318 --rows 100000
            """)

    @Option(help: "What to send: spans, logs or samples.")
    var signal = LoadRun.Signal.spans

    @OptionGroup var options: BenchOptions

    @Option(help: ArgumentHelp("Rows a second to send, on time. Without it as many as are acknowledged.", valueName: "rows"))
    var rate: Int?

    @Option(help: "Pods of each of the six services (spans and logs).")
    var pods = 4

    @Option(help: "Log records that share a trace id, from 1 to 4.")
    var recordsPerTrace = LogPayload.recordsPerTrace

    @Option(help: "Series that the samples belong to, about.")
    var series = 20_000

    @Option(help: "Seconds between two samples of a series.")
    var interval = 15

    private var rows: Int { options.rows ?? 1_000_000 }

    func validate() throws {
        guard rows > 0 else { throw ValidationError("--rows must be at least 1") }
        guard rate ?? 1 > 0 else { throw ValidationError("--rate must be at least 1") }
        guard (1...10_000).contains(pods) else { throw ValidationError("--pods must be from 1 to 10000") }
        guard (1...LogPayload.recordsPerTrace).contains(recordsPerTrace) else {
            throw ValidationError("--records-per-trace must be from 1 to \(LogPayload.recordsPerTrace)")
        }
        guard (1...10_000_000).contains(series) else { throw ValidationError("--series must be from 1 to 10000000") }
        guard (1...86_400).contains(interval) else { throw ValidationError("--interval must be from 1 to 86400") }
    }

    func run() throws {
        let seed = options.chosenSeed()
        var report = BenchReport(command: CommandLine.arguments.joined(separator: " "), seed: seed)
        if let endpoint = options.endpoint {
            let outcome = try send(to: try LoadEndpoint(parsing: endpoint), seed: seed)
            describe(outcome, in: &report)
        } else {
            try measureChild(&report, seed: seed)
        }
        report.show(options.output)
    }

    private func send(to endpoint: LoadEndpoint, seed: UInt64) throws -> LoadRun.Outcome {
        var run = options.load(signal, to: endpoint, rows: rows, seed: seed)
        run.rate = rate
        run.pods = pods
        run.recordsPerTrace = recordsPerTrace
        run.series = series
        run.interval = interval
        let progress = ProgressLine(signal.rawValue, total: rows)
        defer { progress.finish() }
        return try run.run { progress.advance(by: $0) }
    }

    private func measureChild(_ report: inout BenchReport, seed: UInt64) throws {
        var server = try ChildServer.start(parent: options.folder, data: options.data)
        let watch = ServerWatch(process: server.process, data: server.data)
        defer { watch.stop() }
        let idle = ProcessUsage.cpuSeconds(server.process)
        let idleMemory = ProcessUsage.anonymousBytes(server.process)
        let ownBefore = ProcessUsage.ownCPUSeconds
        let before = DiskUsage.files(in: server.data).values.reduce(0, +)
        let outcome = try send(to: server.endpoint, seed: seed)
        let own = ProcessUsage.ownCPUSeconds - ownBefore
        let acknowledged = ProcessUsage.cpuSeconds(server.process) - idle
        let waiting = ProgressLine("", total: 1)
        waiting.show("waiting until the server's merges are done")
        let isQuiescent = watch.waitUntilQuiescent(limit: 300)
        let cpu = ProcessUsage.cpuSeconds(server.process) - idle
        let peak = watch.peakAnonymousBytes
        let resident = ProcessUsage.peakResidentBytes(server.process)
        let atRest = DiskUsage.files(in: server.data).values.reduce(0, +)
        watch.stop()
        waiting.show("waiting until the server has written everything to segment files")
        let stop = ContinuousClock.now
        let whole = try server.end() - idle
        let stopSeconds = (ContinuousClock.now - stop) / .seconds(1)
        waiting.finish()
        describe(outcome, in: &report)
        let rows = Double(max(outcome.rows, 1))
        report.add("server.cpu_microseconds_per_row", .number(cpu / rows * 1e6))
        report.add("server.cpu_microseconds_per_row_until_acknowledged", .number(acknowledged / rows * 1e6))
        report.add("server.quiescent", .text(isQuiescent ? "yes" : "no"))
        report.line(
            "server CPU",
            "\(BenchReport.decimal(cpu / rows * 1e6, 2)) us a row, \(BenchReport.decimal(acknowledged / rows * 1e6, 2)) of it until the last acknowledgement"
                + "; \(BenchReport.decimal(whole / rows * 1e6, 2)) with its clean stop" + (isQuiescent ? "" : " (still busy after 300 s)"))
        report.add("server.cpu_microseconds_per_row_with_stop", .number(whole / rows * 1e6))
        describeDisk(DiskUsage.files(in: server.data), before: before, atRest: atRest, rows: rows, in: &report)
        report.add("server.peak_anonymous_bytes", .integer(peak))
        report.add("server.idle_anonymous_bytes", .integer(idleMemory))
        report.add("server.peak_resident_bytes", .integer(resident))
        report.line(
            "memory",
            "peak \(BenchReport.bytes(peak)) anonymous (\(BenchReport.bytes(idleMemory)) before the load), \(BenchReport.bytes(resident)) with mapped files")
        report.add("server.start_milliseconds", .number(server.startSeconds * 1000))
        report.add("server.stop_milliseconds", .number(stopSeconds * 1000))
        report.line(
            "start, stop",
            "ready after \(BenchReport.decimal(server.startSeconds * 1000, 0)) ms, stopped within \(BenchReport.decimal(stopSeconds * 1000, 0)) ms")
        report.add("generator.cpu_microseconds_per_row", .number(own / rows * 1e6))
        report.line("generator", "\(BenchReport.decimal(own / rows * 1e6, 2)) us CPU a row, templates included")
    }

    private func describeDisk(_ files: [String: Int], before: Int, atRest: Int, rows: Double, in report: inout BenchReport) {
        let total = files.values.reduce(0, +)
        let growth = options.data == nil ? total : total - before
        let segments = files.filter { $0.key.hasSuffix(".seg") }
        let segmentBytes = segments.values.reduce(0, +)
        report.add("disk.bytes_per_row", .number(Double(growth) / rows))
        report.add("disk.bytes", .integer(total))
        report.add("disk.segment_bytes", .integer(segmentBytes))
        report.add("disk.segments", .integer(segments.count))
        report.add("disk.bytes_before_load", .integer(before))
        report.add("disk.bytes_at_rest", .integer(atRest))
        // The redo log's file keeps its size when its rows are in segments, so it weighs on short runs only.
        report.line(
            "disk",
            "\(BenchReport.decimal(Double(growth) / rows, 2)) B a row: \(BenchReport.bytes(segmentBytes)) in \(segments.count) segments and "
                + "\(BenchReport.bytes(total - segmentBytes)) in other files after the stop; \(BenchReport.bytes(atRest)) in all before it"
                + (options.data == nil ? "" : "; \(BenchReport.bytes(before)) before the load"))
    }

    private func describe(_ outcome: LoadRun.Outcome, in report: inout BenchReport) {
        let achieved = Double(outcome.rows) / max(outcome.seconds, 1e-9)
        let latencies = outcome.latencies.quantiles([0.5, 0.99, 1])
        report.add("signal", .text(signal.rawValue))
        report.add("protocol", .text(options.transport.rawValue))
        report.add("compression", .text(options.compression.rawValue))
        report.add("rows_per_request", .number(Double(outcome.rows + outcome.rejected) / Double(max(outcome.requests, 1))))
        report.add("rows", .integer(outcome.rows))
        report.add("rejected", .integer(outcome.rejected))
        report.add("requests", .integer(outcome.requests))
        report.add("retries", .integer(outcome.retries))
        report.add("body_bytes", .integer(outcome.plainBytes))
        report.add("sent_bytes", .integer(outcome.sentBytes))
        report.add("seconds", .number(outcome.seconds))
        report.add("rows_per_second", .number(achieved))
        if let rate { report.add("rows_per_second_wanted", .integer(rate)) }
        report.add("acknowledge_milliseconds.p50", .number(latencies[0]))
        report.add("acknowledge_milliseconds.p99", .number(latencies[1]))
        report.add("acknowledge_milliseconds.max", .number(latencies[2]))
        report.line(
            "sent",
            "\(BenchReport.grouped(outcome.rows)) \(signal.rawValue) in \(BenchReport.grouped(outcome.requests)) requests over \(options.connections) "
                + "\(options.transport.rawValue) connections, "
                + "\(BenchReport.decimal(Double(outcome.plainBytes) / Double(max(outcome.rows, 1)), 0)) B a row"
                + (outcome.sentBytes < outcome.plainBytes ? ", \(BenchReport.bytes(outcome.sentBytes)) compressed" : ""))
        if outcome.rejected > 0 { report.line("rejected", "\(BenchReport.grouped(outcome.rejected)) rows") }
        if outcome.retries > 0 { report.line("retries", "\(BenchReport.grouped(outcome.retries)) requests were sent again, since the server was busy") }
        report.line(
            "rate",
            "\(BenchReport.grouped(Int(achieved))) rows/s for \(BenchReport.decimal(outcome.seconds, 2)) s"
                + (rate.map { " of \(BenchReport.grouped($0)) that were wanted" } ?? ""))
        report.line(
            "acknowledge",
            "p50 \(BenchReport.decimal(latencies[0])) ms, p99 \(BenchReport.decimal(latencies[1])) ms, max \(BenchReport.decimal(latencies[2])) ms"
                + (rate == nil ? "" : ", from when requests were due"))
    }
}
