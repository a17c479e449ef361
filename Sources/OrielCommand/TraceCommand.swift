import ArgumentParser
import OrielTelemetry

/// `oriel trace ID`: one trace as a waterfall.
struct TraceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trace",
        abstract: "Show a trace: its spans as a waterfall, with their errors, events and log records.",
        discussion: """
            ID is a trace id of 32 hexadecimal digits, or the first 8 or more of one that started within --since.

            Examples:
              oriel trace 0af7651916cd43dd8448eb211c80319c
              oriel trace 0af76519 --attributes
              oriel trace 0af7651916cd43dd8448eb211c80319c --output json | jq '.spans | length'
            """)

    @Argument(help: ArgumentHelp("The trace's id, or its first digits.", valueName: "id"))
    var id: String

    @Flag(help: "Show all attributes of each span.")
    var attributes = false

    @OptionGroup var range: RangeOptions
    @OptionGroup var source: SourceOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        try TraceIDText.check(id)
    }

    func run() async throws {
        let window = try range.resolve(output, now: .now, defaultSince: "24h")
        try await source.withService { service in
            let traceID = try await TraceIDText.complete(id, service, window)
            var out = StandardOutput()
            var body = try await service.answer(QueryTarget("traces/\(traceID)").text)
            switch output.output {
            case .json:
                body.append(UInt8(ascii: "\n"))
                try out.write(body)
            case .csv:
                let trace = try AnswerList.decode(TraceAnswer.self, body)
                try out.write(CSV.line(TraceRendering.csvHeader).utf8)
                for span in trace.spans { try out.write(CSV.line(TraceRendering.csvFields(span, traceID: trace.traceID)).utf8) }
            case .table:
                let trace = try AnswerList.decode(TraceAnswer.self, body)
                try out.lines(TraceRendering(trace, output.rendering, showsAttributes: attributes).lines())
            }
            try out.flush()
        }
    }
}
