import OrielTelemetry

/// A deletion as the server tells of it: its receipt.
struct DeletionAnswer: AnswerLine {
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
            id, AnswerPrinter.time(requested, zone), signals.joined(separator: ","), AnswerPrinter.time(start, zone), AnswerPrinter.time(end, zone),
            filter,
            completed == nil ? state : "gone \(AnswerPrinter.time(completed, zone))",
        ]
    }

    static let csvHeader = ["id", "signals", "start", "end", "filter", "requested", "completed", "remaining_files", "remaining_bytes"]

    var csvFields: [String] {
        [
            id, signals.joined(separator: " "), AnswerPrinter.exactTime(start), AnswerPrinter.exactTime(end), filter, AnswerPrinter.exactTime(requested),
            AnswerPrinter.exactTime(completed), String(remainingFiles), String(remainingBytes),
        ]
    }
}

/// What a deletion would take.
struct DeletionPlanAnswer: AnswerLine {
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
        ["\(rows)", signals.joined(separator: ","), AnswerPrinter.time(start, zone), AnswerPrinter.time(end, zone), filter]
    }

    static let csvHeader = ["rows", "signals", "start", "end", "filter"]

    var csvFields: [String] {
        ["\(rows)", signals.joined(separator: " "), AnswerPrinter.exactTime(start), AnswerPrinter.exactTime(end), filter]
    }
}

extension DeletionPlanAnswer {
    /// What would be deleted, for a person who is asked.
    func sentence(_ zone: CalendarZone) -> String {
        let from = start.map { " from \(AnswerPrinter.time($0, zone))" } ?? ""
        let until = end.map { " until \(AnswerPrinter.time($0, zone))" } ?? ""
        let always = start == nil && end == nil ? " of any time" : ""
        return TerminalText.safe("\(rows) rows of \(signals.joined(separator: ", "))\(from)\(until)\(always): \(filter)")
    }
}
