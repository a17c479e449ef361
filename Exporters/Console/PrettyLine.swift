import OrielTelemetry

/// A row as people like to read it on a terminal:
///
///     16:20:28.512 INFO     shop order placed user.id=u1 items=3 trace=4bf92f3577b34da6a3ce929d0e0e4736
struct PrettyLine {
    /// Sequences of ECMA-48, "select graphic rendition".
    private enum Color: String {
        case dim = "\u{1B}[2m"
        case gray = "\u{1B}[90m"
        case green = "\u{1B}[32m"
        case cyan = "\u{1B}[36m"
        case yellow = "\u{1B}[33m"
        case red = "\u{1B}[31m"
        case boldRed = "\u{1B}[1;31m"
        case reset = "\u{1B}[0m"
    }

    private(set) var bytes: [UInt8] = []
    private let usesColor: Bool

    init(usesColor: Bool) {
        self.usesColor = usesColor
    }

    mutating func log(_ batch: LogBatch, _ row: Int, logger: String) {
        time(Timestamp(nanoseconds: batch.times[row]))
        let number = batch.severityNumbers[row]
        let level = batch.severityTexts.isEmpty(at: row) ? Self.levelName(number) : batch.severityTexts.string(at: row)
        colored(Self.color(number)) { $0.text(level.padded(to: 8)) }
        space()
        if !logger.isEmpty {
            colored(.cyan) { $0.text(logger) }
            space()
        }
        switch batch.body(at: row) {
        case .string(let message): TerminalText.append(message, newline: "\n    | ", to: &bytes)
        case let body: text(Self.json(body))
        }
        colored(.dim) { line in
            line.attributes(batch.attributes, row)
            if !batch.traceIDs[row].isZero { line.pair("trace", batch.traceIDs[row].hexadecimal) }
        }
    }

    mutating func span(_ batch: SpanBatch, _ row: Int, scope: String) {
        time(Timestamp(nanoseconds: batch.startTimes[row]))
        let isError = batch.statusCodes[row] == 2
        colored(isError ? .red : .green) { $0.text("SPAN    ") }
        space()
        if !scope.isEmpty {
            colored(.cyan) { $0.text(scope) }
            space()
        }
        text(batch.names.string(at: row))
        space()
        text("\(Double(batch.durations[row] / 1000) / 1000)ms")
        colored(.dim) { line in
            line.pair("kind", SpanText.kind(batch.kinds[row]))
            line.pair("status", SpanText.status(batch.statusCodes[row]))
            line.pair("status_message", batch.statusMessages.string(at: row))
            line.attributes(batch.attributes, row)
            line.pair("trace", batch.traceIDs[row].hexadecimal)
            line.pair("span", SpanID(rawValue: batch.spanIDs[row]).hexadecimal)
        }
    }

    mutating func metric(_ row: MetricRow) {
        time(row.time)
        colored(.cyan) { $0.text("METRIC  ") }
        space()
        text(row.name)
        switch row.value {
        case .number(let number): text(" \(number)")
        case .histogram(let count, let sum): text(" count \(count) sum \(sum)")
        }
        colored(.dim) { line in
            for label in row.labels { line.pair(label.name, label.value) }
        }
    }

    // MARK: Parts

    private mutating func time(_ time: Timestamp) {
        // Of the date and time only the time: `2026-11-24T16:20:28.512+01:00`.
        let text = time.rfc3339(in: .local, fractionDigits: 3)
        let start = text.firstIndex(of: "T").map { text.index(after: $0) } ?? text.startIndex
        colored(.dim) { $0.text(String(text[start...].prefix(12))) }
        space()
    }

    private mutating func attributes(_ table: AttributeTable, _ row: Int) {
        for attribute in table.attributes(of: row) {
            switch attribute.value {
            case .string(let text): pair(attribute.key, text, isText: true)
            case let value: pair(attribute.key, Self.json(value))
            }
        }
    }

    /// ` key=value`, in quotes where it would not be seen where the value ends. Nothing for an empty value that is no text.
    private mutating func pair(_ key: String, _ value: String, isText: Bool = false) {
        guard isText || !value.isEmpty else { return }
        space()
        TerminalText.append(key, newline: nil, to: &bytes)
        bytes.append(UInt8(ascii: "="))
        let needsQuotes = value.isEmpty || value.utf8.contains { $0 <= 0x20 || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "=") }
        guard isText, needsQuotes else { return TerminalText.append(value, newline: nil, to: &bytes) }
        bytes.append(UInt8(ascii: "\""))
        TerminalText.append(value, newline: nil, isQuoted: true, to: &bytes)
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func text(_ text: String) {
        TerminalText.append(text, newline: nil, to: &bytes)
    }

    private mutating func space() {
        bytes.append(UInt8(ascii: " "))
    }

    private mutating func colored(_ color: Color, _ body: (inout PrettyLine) -> Void) {
        guard usesColor else { return body(&self) }
        let before = bytes.count
        bytes.append(contentsOf: color.rawValue.utf8)
        let start = bytes.count
        body(&self)
        if bytes.count == start {
            bytes.removeLast(start - before)
        } else {
            bytes.append(contentsOf: Color.reset.rawValue.utf8)
        }
    }

    private static func json(_ value: AttributeValue) -> String {
        var writer = JSONWriter()
        writer.value(value)
        return writer.text
    }

    private static func color(_ severity: Int64) -> Color {
        switch severity {
        case 21...: .boldRed
        case 17...: .red
        case 13...: .yellow
        case 10...: .cyan
        case 9...: .green
        default: .gray
        }
    }

    private static func levelName(_ severity: Int64) -> String {
        switch severity {
        case 21...: "FATAL"
        case 17...: "ERROR"
        case 13...: "WARN"
        case 9...: "INFO"
        case 5...: "DEBUG"
        case 1...: "TRACE"
        default: ""
        }
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(width - count, 0))
    }
}
