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
        guard (8...32).contains(id.utf8.count), id.utf8.allSatisfy({ Hexadecimal.nibble($0) != nil }) else {
            throw ValidationError("\"\(id)\" is no trace id: expected 32 hexadecimal digits, or the first 8 or more of them")
        }
    }

    func run() async throws {
        let window = try range.resolve(output, now: .now, defaultSince: "24h")
        try await source.withService { service in
            let traceID = id.utf8.count == 32 ? id.lowercased() : try await find(id.lowercased(), service, window)
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

    /// The one trace whose id begins so.
    private func find(_ prefix: String, _ service: any QueryService, _ window: (start: Timestamp, end: Timestamp?)) async throws -> String {
        var target = QueryTarget("traces")
        target.add(window)
        let traces = try await service.list("traces", target, limit: 100_000).map { try AnswerList.decode(TraceSummaryAnswer.self, $0) }
        let found = traces.filter { $0.traceID.hasPrefix(prefix) }
        guard let first = found.first else {
            throw CommandFailure(
                "no trace that started since \(window.start.rfc3339) has an id that begins with \(prefix); look further back with --since, or give all 32 digits",
                .nothingFound)
        }
        guard found.count == 1 else {
            let list = found.prefix(10).map { "  \($0.traceID)  \(TerminalText.safe($0.rootName))" }.joined(separator: "\n")
            throw CommandFailure("\(found.count) traces have ids that begin with \(prefix):\n\(list)")
        }
        return first.traceID
    }
}
