import ArgumentParser
import OrielTelemetry

/// `oriel traces`: a list of traces.
struct TracesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "traces",
        abstract: "List traces, newest first.",
        discussion: """
            A trace is shown when one of its spans passes all conditions on spans; --min-duration and --max-duration are about the whole trace.

            Examples:
              oriel traces --since 15m
              oriel traces --service checkout --status error
              oriel traces --min-duration 500ms --attribute 'http.response.status_code>=500'
              oriel traces --output json | jq -r .trace_id
            """)

    @OptionGroup var range: RangeOptions

    @Option(name: [.short, .long], help: "Name of the service of a span.")
    var service: String?

    @Option(help: "Name of a span.")
    var name: String?

    @Option(help: "Status of a span: error, ok or unset.")
    var status: String?

    @Option(help: ArgumentHelp("Traces that last at least so long, such as 250ms.", valueName: "duration"))
    var minDuration: String?

    @Option(help: ArgumentHelp("Traces that last at most so long.", valueName: "duration"))
    var maxDuration: String?

    @Option(help: "Text in the name or the status message of a span, in any case of letters.")
    var text: String?

    @Option(
        name: [.short, .long],
        help: ArgumentHelp("Condition on an attribute of a span: key=value, !=, >, >=, <, <=, or a key. May be repeated.", valueName: "condition"))
    var attribute: [String] = []

    @Option(name: [.customShort("n", allowingJoined: true), .long], help: "How many traces at most.")
    var limit = 20

    @OptionGroup var source: SourceOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard (1...1_000_000).contains(limit) else { throw ValidationError("--limit must be from 1 to 1000000") }
    }

    func run() async throws {
        var target = QueryTarget("traces")
        target.add(try range.resolve(output, now: .now))
        target.add("service", service)
        target.add("name", name)
        target.add("status", status)
        target.add("min_duration", minDuration)
        target.add("max_duration", maxDuration)
        target.add("text", text)
        target.add("attribute", attribute)
        let request = target
        try await source.withService { service in
            let elements = try await service.list("traces", request, limit: limit)
            var out = StandardOutput()
            switch output.output {
            case .json:
                for element in elements { try out.write(element + [UInt8(ascii: "\n")]) }
            case .csv, .table:
                let traces = try elements.map { try AnswerList.decode(TraceSummaryAnswer.self, $0) }
                if output.output == .table {
                    if !traces.isEmpty { try out.lines(TracesRendering.lines(traces, output.rendering)) }
                } else {
                    try out.write(CSV.line(TracesRendering.csvHeader).utf8)
                    for trace in traces { try out.write(CSV.line(TracesRendering.csvFields(trace)).utf8) }
                }
            }
            try out.flush()
            if elements.isEmpty { throw CommandFailure("no trace passes in this range", .nothingFound) }
        }
    }
}
