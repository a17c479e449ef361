import OrielTelemetry

/// A list of traces.
enum TracesRendering {
    static func lines(_ traces: [TraceSummaryAnswer], _ options: RenderOptions) -> [String] {
        let style = options.style
        let longest = traces.map(\.duration.value).max() ?? 0
        if let width = options.width, width < 110 { return narrowLines(traces, options) }
        // The bar is a luxury of wide terminals.
        let hasBar = (options.width ?? 0) >= 120
        var columns = [Table.Column(title: "STARTED"), Table.Column(title: "DURATION", isRightAligned: true)]
        if hasBar { columns.append(Table.Column(title: "")) }
        columns += [
            Table.Column(title: "SPANS", isRightAligned: true), Table.Column(title: "ERRORS", isRightAligned: true), Table.Column(title: "TRACE"),
            Table.Column(title: "SERVICE", minimumWidth: 10), Table.Column(title: "NAME", minimumWidth: 16),
        ]
        var table = Table(columns)
        for trace in traces {
            let failed = trace.errorCount > 0
            var cells = [
                Table.Cell(Timestamp(nanoseconds: trace.start.value).rfc3339(in: options.isUTC ? .utc : .local, fractionDigits: 3)) { style.dim($0) },
                Table.Cell(DurationText.short(trace.duration.value)),
            ]
            if hasBar { cells.append(Table.Cell(bar(trace.duration.value, longest)) { failed ? style.red($0) : style.cyan($0) }) }
            cells += [
                Table.Cell(String(trace.spanCount)), Table.Cell(failed ? String(trace.errorCount) : "") { style.boldRed($0) }, Table.Cell(trace.traceID),
                Table.Cell(service(of: trace)) { style.named(service(of: trace), $0) }, Table.Cell(name(of: trace)) { failed ? style.red($0) : $0 },
            ]
            table.add(cells)
        }
        return table.lines(options)
    }

    /// The same for terminals that are too narrow: without the year and what can be looked up with `oriel trace`.
    private static func narrowLines(_ traces: [TraceSummaryAnswer], _ options: RenderOptions) -> [String] {
        let style = options.style
        let zone: CalendarZone = options.isUTC ? .utc : .local
        let offset = options.isUTC ? "UTC" : Timestamp.offsetText(zone.civilTime(secondsSince1970: (traces.first?.start.value ?? 0) / 1_000_000_000).offset)
        var table = Table([
            Table.Column(title: "STARTED \(offset)"), Table.Column(title: "DURATION", isRightAligned: true), Table.Column(title: "TRACE"),
            Table.Column(title: "SERVICE, NAME", minimumWidth: 12),
        ])
        for trace in traces {
            let failed = trace.errorCount > 0
            let time = Timestamp(nanoseconds: trace.start.value).rfc3339(in: zone, fractionDigits: 0)
            table.add([
                Table.Cell(String(time.dropFirst(5).prefix(14)).replacing("T", with: " ")) { style.dim($0) },
                Table.Cell(DurationText.short(trace.duration.value)),
                Table.Cell(trace.traceID),
                Table.Cell((failed ? "✗ " : "") + service(of: trace) + ": " + name(of: trace)) { failed ? style.red($0) : $0 },
            ])
        }
        return table.lines(options)
    }

    private static func service(of trace: TraceSummaryAnswer) -> String { trace.rootService.isEmpty ? trace.services.first ?? "" : trace.rootService }

    private static func name(of trace: TraceSummaryAnswer) -> String { trace.rootName.isEmpty ? "(its root span is missing)" : trace.rootName }

    /// A bar of up to eight columns, in steps of an eighth of one.
    private static func bar(_ value: Int64, _ longest: Int64) -> String {
        guard longest > 0 else { return "" }
        let eighths = max(1, Int((Double(value) / Double(longest) * 64).rounded()))
        let partial = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]
        return String(repeating: "█", count: eighths / 8) + partial[eighths % 8]
    }

    static let csvHeader = ["trace_id", "start_time", "duration_nano", "root_service", "root_name", "span_count", "error_count", "services"]

    static func csvFields(_ trace: TraceSummaryAnswer) -> [String] {
        [
            trace.traceID, Timestamp(nanoseconds: trace.start.value).rfc3339, String(trace.duration.value), trace.rootService, trace.rootName,
            String(trace.spanCount), String(trace.errorCount), trace.services.joined(separator: " "),
        ]
    }
}
