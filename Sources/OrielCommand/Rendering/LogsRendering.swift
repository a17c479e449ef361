import OrielStore
import OrielTelemetry

/// Log records, one after another.
enum LogsRendering {
    /// A record as a line; the further lines of its body follow, indented.
    static func lines(_ log: LogRow, _ options: RenderOptions) -> [String] {
        let style = options.style
        let time = Timestamp(nanoseconds: log.time.value).rfc3339(in: options.isUTC ? .utc : .local, fractionDigits: 3)
        let severity = TerminalText.fit(TerminalText.safe(log.severityName.isEmpty ? "-" : log.severityName), 5)
        let body = bodyLines(log)
        var line = style.dim(time) + " " + style.severity(log.severityNumber, severity) + " "
        line += style.named(log.service, TerminalText.safe(log.service.isEmpty ? "-" : log.service)) + "  "
        line += log.severityNumber >= 17 ? style.bold(body.first ?? "") : body.first ?? ""
        let attributes = attributeText(log.attributes)
        if !attributes.isEmpty { line += "  " + style.dim(attributes) }
        if let trace = log.traceID { line += "  " + style.dim("trace=" + TerminalText.safe(trace)) }
        return [line] + body.dropFirst().map { "    " + $0 }
    }

    /// The body, else the name of the event, line by line.
    static func bodyLines(_ log: LogRow) -> [String] {
        let text = log.body.value.text
        let shown = text.isEmpty ? log.eventName : text
        var lines = shown.split(separator: "\n", omittingEmptySubsequences: false).map { TerminalText.safe(String($0)) }
        while let last = lines.last, lines.count > 1, last.isEmpty { lines.removeLast() }
        return lines
    }

    /// `key=value key="two words"`.
    static func attributeText(_ attributes: [AttributeRow]) -> String {
        attributes.map { attribute in
            let value = TerminalText.safe(attribute.value.value.text)
            let needsQuotes = value.isEmpty || value.contains(" ") || value.contains("\"")
            return TerminalText.safe(attribute.key) + "=" + (needsQuotes ? "\"" + value.replacing("\"", with: "\\\"") + "\"" : value)
        }.joined(separator: " ")
    }

    static let csvHeader = ["time", "severity", "severity_number", "service", "body", "event_name", "trace_id", "span_id", "attributes"]

    static func csvFields(_ log: LogRow) -> [String] {
        var writer = JSONWriter()
        writer.object { writer in
            for attribute in log.attributes {
                writer.key(attribute.key)
                writer.value(attribute.value.value)
            }
        }
        return [
            Timestamp(nanoseconds: log.time.value).rfc3339, log.severityName, String(log.severityNumber), log.service, log.body.value.text, log.eventName,
            log.traceID ?? "", log.spanID ?? "", writer.text,
        ]
    }
}
