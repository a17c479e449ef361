import ArgumentParser
import OrielTelemetry

/// `oriel metrics`: what metrics there are, and the series of one.
struct MetricsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "metrics",
        abstract: "List metrics, or show the series of one with their last values and a sparkline.",
        discussion: """
            A sparkline of a counter shows how fast it grows, of anything else its values.

            Examples:
              oriel metrics
              oriel metrics 'http_*'
              oriel metrics http_requests_total --label method=GET --since 6h
            """)

    @Argument(help: ArgumentHelp("Name of a metric whose series are shown; with a * in it the names that match.", valueName: "name"))
    var name: String?

    @OptionGroup var range: RangeOptions

    @Option(name: [.short, .long], help: ArgumentHelp("Condition on a label: name=value or name!=value. May be repeated.", valueName: "condition"))
    var label: [String] = []

    @Option(name: [.short, .long], help: "Text in the name or the help text of a metric.")
    var text: String?

    @Option(name: [.customShort("n", allowingJoined: true), .long], help: "How many metrics or series at most.")
    var limit = 1_000

    @OptionGroup var source: SourceOptions
    @OptionGroup var output: OutputOptions

    /// Columns of a sparkline.
    private static let steps = 40

    func validate() throws {
        guard (1...100_000).contains(limit) else { throw ValidationError("--limit must be from 1 to 100000") }
        if name == nil, !label.isEmpty { throw ValidationError("--label chooses among the series of a metric: give its name too") }
    }

    func run() async throws {
        let now = Timestamp.now
        let window = try range.resolve(output, now: now)
        try await source.withService { service in
            if let name, !name.contains("*") {
                try await showSeries(name, service, window, now: now)
            } else {
                try await showMetrics(service, window)
            }
        }
    }

    private func showMetrics(_ service: any QueryService, _ window: (start: Timestamp, end: Timestamp?)) async throws {
        var target = QueryTarget("metrics")
        target.add(window)
        target.add("name", name)
        target.add("text", text)
        let elements = try await service.list("metrics", target, limit: limit)
        var out = StandardOutput()
        if output.output == .json {
            for element in elements { try out.write(element + [UInt8(ascii: "\n")]) }
        } else {
            let metrics = try elements.map { try AnswerList.decode(MetricRow.self, $0) }
            if output.output == .table {
                if !metrics.isEmpty { try out.lines(MetricsRendering.lines(metrics, output.rendering)) }
            } else {
                try out.write(CSV.line(MetricsRendering.csvHeader).utf8)
                for metric in metrics { try out.write(CSV.line(MetricsRendering.csvFields(metric)).utf8) }
            }
        }
        try out.flush()
        if elements.isEmpty { throw CommandFailure("no metric has samples in this range", .nothingFound) }
    }

    private func showSeries(
        _ name: String, _ service: any QueryService, _ window: (start: Timestamp, end: Timestamp?), now: Timestamp
    ) async throws {
        var target = QueryTarget("series")
        target.add((window.start, window.end ?? now.advanced(by: 1)))
        target.add("name", name)
        target.add("label", label)
        target.add("points", String(Self.steps))
        let elements = try await service.list("series", target, limit: limit)
        var out = StandardOutput()
        if output.output == .json {
            for element in elements { try out.write(element + [UInt8(ascii: "\n")]) }
        } else {
            let series = try elements.map { try AnswerList.decode(SeriesRow.self, $0) }
            if output.output == .table {
                let end = min(window.end ?? now, now)
                let range = window.start.nanoseconds..<max(window.start.nanoseconds, end.nanoseconds)
                try out.lines(MetricsRendering.lines(series, range: range, steps: Self.steps, output.rendering))
            } else {
                try out.write(CSV.line(MetricsRendering.seriesCSVHeader).utf8)
                for row in series { try out.write(CSV.line(MetricsRendering.csvFields(row)).utf8) }
            }
        }
        try out.flush()
        if elements.isEmpty {
            throw CommandFailure("no series of \(name) has samples in this range; `oriel metrics` lists the metrics that have", .nothingFound)
        }
    }
}
