import ArgumentParser
import OrielTelemetry

/// `oriel logs`: log records, and new ones as they come.
struct LogsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs",
        abstract: "Show log records, the newest at the bottom.",
        discussion: """
            Examples:
              oriel logs --severity warn --since 15m
              oriel logs --follow --service checkout
              oriel logs --text timeout --attribute 'http.route=/cart'
              oriel logs --words order-8127 --since 7d
              oriel logs --trace-id 0af7651916cd43dd8448eb211c80319c
            """)

    @OptionGroup var range: RangeOptions

    @Option(name: [.short, .long], help: "Name of the service.")
    var service: String?

    @Option(help: "At least this severity: trace, debug, info, warn, error, fatal, or a number from 1 to 24.")
    var severity: String?

    @Option(name: [.short, .long], help: "Text in the body, in any case of letters.")
    var text: String?

    @Option(
        name: [.short, .long],
        help: "Text in the body as whole words, in any case of letters. Much faster than --text when they are rare. May be repeated: all must occur.")
    var words: [String] = []

    @Option(help: ArgumentHelp("Only records of this trace.", valueName: "id"))
    var traceID: String?

    @Option(
        name: [.short, .long], help: ArgumentHelp("Condition on an attribute: key=value, !=, >, >=, <, <=, or a key. May be repeated.", valueName: "condition"))
    var attribute: [String] = []

    @Option(
        name: [.customShort("n", allowingJoined: true), .long],
        help: "How many records at most; with --follow how many of the past. Default: 100, with --follow 10.")
    var limit: Int?

    @Flag(name: [.short, .long], help: "Go on with new records as they come in, until interrupted.")
    var follow = false

    @OptionGroup var source: SourceOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if let limit {
            guard (1...(follow ? 10_000 : 1_000_000)).contains(limit) else { throw ValidationError("--limit must be from 1 to \(follow ? 10_000 : 1_000_000)") }
        }
        if follow, range.end != nil { throw ValidationError("--follow has no end: leave --end out") }
        if let traceID, TraceID(hexadecimal: traceID) == nil { throw ValidationError("--trace-id needs 32 hexadecimal digits") }
    }

    func run() async throws {
        var target = QueryTarget("logs")
        let isRangeGiven = range.since != nil || range.start != nil || range.end != nil
        // A trace's records are looked up wherever they lie, a tail begins with the latest ones.
        if isRangeGiven || !(follow || traceID != nil) { target.add(try range.resolve(output, now: .now)) }
        target.add("service", service)
        target.add("severity", severity)
        target.add("text", text)
        target.add("words", words)
        target.add("trace_id", traceID)
        target.add("attribute", attribute)
        let request = target
        try await source.withService { service in
            guard follow else { return try await show(service, request) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await tail(service, request) }
                group.addTask { try await StandardOutput.readerGone() }
                defer { group.cancelAll() }
                try await group.next()
            }
        }
    }

    private func show(_ service: any QueryService, _ request: QueryTarget) async throws {
        let elements = try await service.list("logs", request, limit: limit ?? 100)
        var out = StandardOutput()
        let printer = LogPrinter(output)
        try printer.begin(&out)
        for element in elements.reversed() { try printer.print(element, &out) }
        try out.flush()
        if elements.isEmpty { throw CommandFailure("no log record passes in this range", .nothingFound) }
    }

    private func tail(_ service: any QueryService, _ request: QueryTarget) async throws {
        var out = StandardOutput()
        let printer = LogPrinter(output)
        try printer.begin(&out)
        try out.flush()
        var progress = TailProgress()
        var delay = Duration.milliseconds(250)
        var isConnected = false
        while true {
            var target = request
            target.add("follow", "true")
            if let cursor = progress.cursor { target.add("cursor", cursor) } else { target.add("limit", String(limit ?? 10)) }
            do {
                try await service.follow(target.text) { line in
                    if !isConnected, progress.cursor != nil { StandardError.write("oriel: connected again\n") }
                    isConnected = true
                    delay = .milliseconds(250)
                    switch try progress.take(line) {
                    case .log(let record): try printer.print(record, &out)
                    case .gap(let text): StandardError.write("oriel: \(TerminalText.safe(text))\n")
                    case .error(let text): throw CommandFailure(text)
                    case .nothing: try out.flush()
                    }
                }
                if isConnected { StandardError.write("oriel: \(service.name) ended the connection; connecting again\n") }
            } catch  where Task.isCancelled {
                return
            } catch let error as HTTPQueryService.Unreachable where isConnected || progress.cursor != nil {
                if isConnected { StandardError.write("oriel: \(service.name): \(error.reason); connecting again\n") }
            } catch let error as CommandFailure where isConnected && error.status == .error {
                StandardError.write("oriel: \(error.description); connecting again\n")
            }
            try out.flush()
            isConnected = false
            try await Task.sleep(for: delay)
            delay = min(delay * 2, .seconds(5))
        }
    }
}

/// Prints records in the chosen form.
private struct LogPrinter {
    private let format: OutputOptions.Format
    private let rendering: RenderOptions

    init(_ options: OutputOptions) {
        format = options.output
        rendering = options.rendering
    }

    func begin(_ out: inout StandardOutput) throws {
        if format == .csv { try out.write(CSV.line(LogsRendering.csvHeader).utf8) }
    }

    func print(_ record: ArraySlice<UInt8>, _ out: inout StandardOutput) throws {
        if format == .json {
            try out.write(record)
            try out.write(CollectionOfOne(UInt8(ascii: "\n")))
            return
        }
        let log = try AnswerList.decode(LogRow.self, record)
        if format == .csv {
            try out.write(CSV.line(LogsRendering.csvFields(log)).utf8)
        } else {
            try out.lines(LogsRendering.lines(log, rendering))
        }
    }
}
