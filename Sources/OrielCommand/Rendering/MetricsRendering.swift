import OrielTelemetry

/// Metrics and their series.
enum MetricsRendering {
    static func lines(_ metrics: [MetricRow], _ options: RenderOptions) -> [String] {
        let style = options.style
        var table = Table([
            Table.Column(title: "NAME", minimumWidth: 24), Table.Column(title: "TYPE"), Table.Column(title: "UNIT"),
            Table.Column(title: "HELP", minimumWidth: 8),
        ])
        for metric in metrics {
            table.add([
                Table.Cell(metric.name) { style.bold($0) }, Table.Cell(metric.type) { style.cyan($0) }, Table.Cell(metric.unit),
                Table.Cell(metric.help) { style.dim($0) },
            ])
        }
        return table.lines(options)
    }

    /// Series below the name of their metric: labels, last value, and a line of the time between.
    ///
    /// - Parameters:
    ///   - range: What the points cover, in nanoseconds since 1970.
    ///   - steps: Columns of the line.
    static func lines(_ series: [SeriesRow], range: Range<Int64>, steps: Int, _ options: RenderOptions) -> [String] {
        let style = options.style
        var lines: [String] = []
        var index = 0
        while index < series.count {
            let name = series[index].name
            let group = series[index...].prefix { $0.name == name }
            index += group.count
            if !lines.isEmpty { lines.append("") }
            let facts = [group.first?.type ?? "", group.first?.unit ?? ""].filter { !$0.isEmpty && $0 != "unknown" }.joined(separator: ", ")
            lines.append(style.bold(TerminalText.safe(name)) + (facts.isEmpty ? "" : "  " + style.dim(TerminalText.safe(facts))))
            let isCounter = isCounter(name, type: group.first?.type ?? "")
            var table = Table([
                Table.Column(title: "LAST", isRightAligned: true), Table.Column(title: isCounter ? "RATE" : "COURSE"),
                Table.Column(title: "RANGE", isRightAligned: true), Table.Column(title: "LABELS", minimumWidth: 16),
            ])
            for row in group {
                let samples = columns(of: row, range: range, steps: steps)
                let drawn = isCounter ? Sparkline.rates(samples) : samples.map { $0?.value }
                let known = drawn.compactMap { $0 }.filter(\.isFinite)
                let bounds =
                    known.min().flatMap { low in known.max().map { "\(NumberText.short(low)) … \(NumberText.short($0))" + (isCounter ? " /s" : "") } } ?? ""
                table.add([
                    Table.Cell(lastText(row)) { row.stale ? style.dim($0) : style.bold($0) }, Table.Cell(Sparkline.text(drawn)) { style.cyan($0) },
                    Table.Cell(bounds) { style.dim($0) }, Table.Cell(row.labelText + (row.stale ? "  (ended)" : "")),
                ])
            }
            lines += table.lines(options)
        }
        return lines
    }

    /// Whether only the growth of the values says something.
    static func isCounter(_ name: String, type: String) -> Bool {
        switch type {
        case "counter": true
        case "histogram", "summary": ["_bucket", "_count", "_sum"].contains { name.hasSuffix($0) }
        default: name.hasSuffix("_total")
        }
    }

    private static func lastText(_ row: SeriesRow) -> String {
        guard let last = row.last else { return "-" }
        if let value = last.value { return NumberText.short(value.value) }
        guard let histogram = last.histogram else { return "-" }
        let count = histogram.count.value
        return NumberText.short(count) + (count > 0 ? " (ø \(NumberText.short(histogram.sum.value / count)))" : "")
    }

    /// The latest sample in each equal part of the range.
    private static func columns(of row: SeriesRow, range: Range<Int64>, steps: Int) -> [(time: Int64, value: Double)?] {
        var columns: [(time: Int64, value: Double)?] = Array(repeating: nil, count: steps)
        let width = max(1, Double(range.upperBound.subtractingSaturating(range.lowerBound)) / Double(steps))
        for point in row.points ?? [] {
            let position = Double(point.time.value.subtractingSaturating(range.lowerBound)) / width
            guard let number = point.number, position >= 0, position < Double(steps) + 1 else { continue }
            columns[min(steps - 1, Int(position))] = (point.time.value, number)
        }
        return columns
    }

    static let csvHeader = ["name", "type", "unit", "help"]
    static let seriesCSVHeader = ["name", "labels", "type", "unit", "time", "value"]

    static func csvFields(_ metric: MetricRow) -> [String] { [metric.name, metric.type, metric.unit, metric.help] }

    static func csvFields(_ row: SeriesRow) -> [String] {
        let time = row.last.map { Timestamp(nanoseconds: $0.time.value).rfc3339 } ?? ""
        return [row.name, row.labelText, row.type, row.unit, time, row.last?.number.map { "\($0)" } ?? ""]
    }
}
