import OrielTelemetry

/// What `oriel delete` prints a line of.
protocol DeletionLine: Decodable {
    static var csvHeader: [String] { get }
    var csvFields: [String] { get }
    static var columns: [Table.Column] { get }
    func cells(_ zone: CalendarZone) -> [String]
}

/// A deletion as the server tells of it: its receipt.
struct DeletionAnswer: DeletionLine {
    var id: String
    var signals: [String]
    var start: Int64Text?
    var end: Int64Text?
    var filter: String
    var requested: Int64Text
    var completed: Int64Text?
    var remainingFiles: Int
    var remainingBytes: Int

    enum CodingKeys: String, CodingKey {
        case id
        case signals
        case start = "start_unix_nano"
        case end = "end_unix_nano"
        case filter
        case requested = "requested_unix_nano"
        case completed = "completed_unix_nano"
        case remainingFiles = "remaining_files"
        case remainingBytes = "remaining_bytes"
    }

    /// What is left to do, in words.
    var state: String {
        if completed != nil { return "gone" }
        if remainingFiles == 0 { return "gone from files; the redo log follows" }
        return "\(remainingFiles) files with \(ByteSize.text(remainingBytes)) left"
    }

    static let columns = [
        Table.Column(title: "ID"), Table.Column(title: "REQUESTED"), Table.Column(title: "SIGNALS"), Table.Column(title: "FROM"), Table.Column(title: "UNTIL"),
        Table.Column(title: "FILTER", minimumWidth: 12), Table.Column(title: "ON DISK"),
    ]

    func cells(_ zone: CalendarZone) -> [String] {
        [
            id, DeletionPrinter.time(requested, zone), signals.joined(separator: ","), DeletionPrinter.time(start, zone), DeletionPrinter.time(end, zone),
            filter,
            completed == nil ? state : "gone \(DeletionPrinter.time(completed, zone))",
        ]
    }

    static let csvHeader = ["id", "signals", "start", "end", "filter", "requested", "completed", "remaining_files", "remaining_bytes"]

    var csvFields: [String] {
        [
            id, signals.joined(separator: " "), DeletionPrinter.exactTime(start), DeletionPrinter.exactTime(end), filter, DeletionPrinter.exactTime(requested),
            DeletionPrinter.exactTime(completed), String(remainingFiles), String(remainingBytes),
        ]
    }
}

/// What a deletion would take.
struct DeletionPlanAnswer: DeletionLine {
    var signals: [String]
    var start: Int64Text?
    var end: Int64Text?
    var filter: String
    var rows: Int64

    enum CodingKeys: String, CodingKey {
        case signals
        case start = "start_unix_nano"
        case end = "end_unix_nano"
        case filter
        case rows
    }

    static let columns = [
        Table.Column(title: "ROWS", isRightAligned: true), Table.Column(title: "SIGNALS"), Table.Column(title: "FROM"), Table.Column(title: "UNTIL"),
        Table.Column(title: "FILTER", minimumWidth: 12),
    ]

    func cells(_ zone: CalendarZone) -> [String] {
        ["\(rows)", signals.joined(separator: ","), DeletionPrinter.time(start, zone), DeletionPrinter.time(end, zone), filter]
    }

    static let csvHeader = ["rows", "signals", "start", "end", "filter"]

    var csvFields: [String] {
        ["\(rows)", signals.joined(separator: " "), DeletionPrinter.exactTime(start), DeletionPrinter.exactTime(end), filter]
    }
}

/// Prints deletions in the chosen form.
struct DeletionPrinter {
    private let format: OutputOptions.Format
    private let rendering: RenderOptions

    init(_ options: OutputOptions) {
        format = options.output
        rendering = options.rendering
    }

    private var zone: CalendarZone { rendering.isUTC ? .utc : .local }

    func show<Line: DeletionLine>(_ elements: [ArraySlice<UInt8>], as type: Line.Type) throws {
        var out = StandardOutput()
        switch format {
        case .json:
            for element in elements { try out.write(element + [UInt8(ascii: "\n")]) }
        case .csv:
            try out.write(CSV.line(Line.csvHeader).utf8)
            for element in elements { try out.write(CSV.line(try AnswerList.decode(type, element).csvFields).utf8) }
        case .table:
            var table = Table(Line.columns)
            for element in elements { table.add(try AnswerList.decode(type, element).cells(zone).map { Table.Cell($0) }) }
            if !elements.isEmpty { try out.lines(table.lines(rendering)) }
        }
        try out.flush()
    }

    /// What would be deleted, for a person who is asked.
    func sentence(_ plan: DeletionPlanAnswer) -> String {
        let from = plan.start.map { " from \(Self.time($0, zone))" } ?? ""
        let until = plan.end.map { " until \(Self.time($0, zone))" } ?? ""
        let always = plan.start == nil && plan.end == nil ? " of any time" : ""
        return TerminalText.safe("\(plan.rows) rows of \(plan.signals.joined(separator: ", "))\(from)\(until)\(always): \(plan.filter)")
    }

    static func time(_ time: Int64Text?, _ zone: CalendarZone) -> String {
        time.map { Timestamp(nanoseconds: $0.value).rfc3339(in: zone, fractionDigits: 3) } ?? ""
    }

    static func exactTime(_ time: Int64Text?) -> String { time.map { Timestamp(nanoseconds: $0.value).rfc3339 } ?? "" }
}
