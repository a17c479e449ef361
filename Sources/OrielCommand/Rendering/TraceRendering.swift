import OrielStore
import OrielTelemetry

/// A trace as a waterfall.
struct TraceRendering {
    private let trace: TraceAnswer
    private let options: RenderOptions
    /// Whether spans show all their attributes.
    private let showsAttributes: Bool
    private let start: Int64
    private let end: Int64

    init(_ trace: TraceAnswer, _ options: RenderOptions, showsAttributes: Bool = false) {
        self.trace = trace
        self.options = options
        self.showsAttributes = showsAttributes
        start = trace.spans.map(\.start.value).min() ?? 0
        end = max(start, trace.spans.map(\.end).max() ?? 0)
    }

    private var style: Style { options.style }
    private var total: Int64 { max(1, end.subtractingSaturating(start)) }

    func lines() -> [String] {
        let tree = SpanTree(trace.spans)
        var logs: [String: [LogRow]] = [:]
        let known = Set(trace.spans.compactMap(\.spanID))
        for log in trace.logs { logs[log.spanID.flatMap { known.contains($0) ? $0 : nil } ?? "", default: []].append(log) }

        let width = options.width ?? 140
        let labels = tree.nodes.map { $0.guides + TerminalText.safe(trace.spans[$0.span].name) }
        let serviceWidth = min(24, trace.spans.map { TerminalText.width(TerminalText.safe($0.service)) }.max() ?? 0)
        let labelWidth = min(labels.map(TerminalText.width).max() ?? 0, max(20, width * 2 / 5))
        // Between the columns two spaces each, for the duration eight columns, for the mark two.
        let barWidth = max(12, width - serviceWidth - labelWidth - 2 - 2 - 2 - 8 - 2)

        var lines = heading(tree)
        for (node, label) in zip(tree.nodes, labels) {
            let span = trace.spans[node.span]
            var line = style.named(span.service, TerminalText.fit(TerminalText.safe(span.service), serviceWidth)) + "  "
            line += paintedLabel(TerminalText.fit(label, labelWidth), guides: node.guides, span) + "  "
            let bar = bar(span, barWidth)
            line += (span.isError ? style.red(bar) : style.named(span.service, bar)) + "  "
            line += TerminalText.alignRight(DurationText.short(span.duration.value), 8)
            if span.isError { line += " " + style.boldRed("✗") }
            if node.isOrphan { line += " " + style.dim("(its parent \(span.parentSpanID ?? "") is missing)") }
            lines.append(Table.trimmed(line))
            let inset = String(repeating: " ", count: serviceWidth + 2) + style.dim(node.innerGuides)
            for text in details(of: span, span.spanID.flatMap { logs[$0] } ?? []) {
                lines.append(inset + cut(text, to: width - serviceWidth - 2 - TerminalText.width(node.innerGuides)))
            }
        }
        if let stray = logs[""], !stray.isEmpty {
            lines += ["", style.bold("Log records outside these spans")]
            for log in stray { lines += LogsRendering.lines(log, options).map { "  " + $0 } }
        }
        if !trace.hasAllLogs { lines += ["", style.dim("More log records than are shown here: oriel logs --trace-id \(trace.traceID)")] }
        if trace.next != nil { lines.append(style.dim("\(trace.spans.count) of \(trace.spanCount) spans are shown.")) }
        return lines
    }

    private func heading(_ tree: SpanTree) -> [String] {
        let root = tree.nodes.first.map { trace.spans[$0.span] }
        let services = Set(trace.spans.map(\.service)).count
        let errors = trace.spans.filter(\.isError).count
        let time = Timestamp(nanoseconds: start).rfc3339(in: options.isUTC ? .utc : .local, fractionDigits: 3)
        var facts = [time, DurationText.short(total), count(trace.spanCount, "span"), count(services, "service")]
        if !trace.logs.isEmpty { facts.append(count(trace.logs.count, "log")) }
        var summary = facts.joined(separator: " · ")
        if errors > 0 { summary += " · " + style.boldRed(count(errors, "error")) }
        return [style.bold(TerminalText.safe(root?.name ?? "")) + "  " + style.dim("trace \(trace.traceID)"), summary, ""]
    }

    private func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }

    private func paintedLabel(_ label: String, guides: String, _ span: SpanRow) -> String {
        let name = String(label.dropFirst(guides.count))
        return style.dim(String(label.prefix(guides.count))) + (span.isError ? style.red(name) : name)
    }

    /// The span's place in the trace; at least a thin mark.
    private func bar(_ span: SpanRow, _ width: Int) -> String {
        let scale = Double(width) / Double(total)
        let from = min(Double(width), max(0, Double(span.start.value.subtractingSaturating(start)) * scale))
        let length = Double(max(0, span.duration.value)) * scale
        let first = min(width - 1, Int(from))
        let cells = min(width - first, Int((from - Double(first) + length).rounded()))
        let mark = cells >= 1 ? String(repeating: "█", count: cells) : length * 2 >= 0.5 ? "▌" : "▏"
        return String(repeating: " ", count: first) + mark + String(repeating: " ", count: max(0, width - first - max(1, cells)))
    }

    /// What stands below a span: its error, its attributes when wanted, its events and log records in the order of time.
    private func details(of span: SpanRow, _ logs: [LogRow]) -> [Detail] {
        var details: [Detail] = []
        if span.isError, !span.status.message.isEmpty {
            details.append(Detail(text: "✗ " + TerminalText.safe(span.status.message)) { style.red($0) })
        }
        if showsAttributes {
            details.append(Detail(text: "kind=\(span.kind)") { style.dim($0) })
            for attribute in span.attributes { details.append(Detail(text: LogsRendering.attributeText([attribute])) { style.dim($0) }) }
        }
        var timed: [(time: Int64, details: [Detail])] = []
        for event in span.events {
            let text = "◆ \(offset(event.time.value)) \(TerminalText.safe(event.name))  \(LogsRendering.attributeText(event.attributes))"
            timed.append((event.time.value, [Detail(text: Table.trimmed(text)) { event.name == "exception" ? style.red($0) : style.dim($0) }]))
        }
        for log in logs {
            let body = LogsRendering.bodyLines(log)
            let severity = log.severityName.isEmpty ? "" : TerminalText.safe(log.severityName) + " "
            let attributes = LogsRendering.attributeText(log.attributes)
            let text = "• \(offset(log.time.value)) \(severity)\(body.first ?? "")\(attributes.isEmpty ? "" : "  " + attributes)"
            let number = log.severityNumber
            let paint: (String) -> String = { number >= 13 ? style.severity(number, $0) : $0 }
            timed.append((log.time.value, [Detail(text: text, paint: paint)] + body.dropFirst().map { Detail(text: "    " + $0, paint: paint) }))
        }
        // Sorted stably: what happened at the same time keeps its order.
        let sorted = timed.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }
        return details + sorted.flatMap(\.element.details)
    }

    private struct Detail {
        var text: String
        var paint: (String) -> String

        init(text: String, paint: @escaping (String) -> String) {
            self.text = text
            self.paint = paint
        }
    }

    private func cut(_ detail: Detail, to width: Int) -> String {
        detail.paint(options.width == nil ? detail.text : TerminalText.truncate(detail.text, to: max(20, width)))
    }

    /// How long after the trace's start.
    private func offset(_ time: Int64) -> String {
        let difference = time.subtractingSaturating(start)
        return (difference < 0 ? "" : "+") + DurationText.short(difference)
    }

    static let csvHeader = ["trace_id", "span_id", "parent_span_id", "service", "name", "kind", "start_time", "duration_nano", "status", "status_message"]

    static func csvFields(_ span: SpanRow, traceID: String) -> [String] {
        [
            traceID, span.spanID ?? "", span.parentSpanID ?? "", span.service, span.name, span.kind, Timestamp(nanoseconds: span.start.value).rfc3339,
            String(span.duration.value), span.status.code, span.status.message,
        ]
    }
}
