import OrielTelemetry

/// A pin as the server tells of it.
struct PinAnswer: AnswerLine {
    var id: String
    var signals: [String]
    var start: Int64Text?
    var end: Int64Text?
    var filter: String
    var note: String
    var created: Int64Text
    var rows: Int
    var bytes: Int

    enum CodingKeys: String, CodingKey {
        case id
        case signals
        case start = "start_unix_nano"
        case end = "end_unix_nano"
        case filter
        case note
        case created = "created_unix_nano"
        case rows
        case bytes
    }

    static let columns = [
        Table.Column(title: "ID"), Table.Column(title: "CREATED"), Table.Column(title: "ROWS", isRightAligned: true),
        Table.Column(title: "SIZE", isRightAligned: true), Table.Column(title: "SIGNALS", minimumWidth: 10), Table.Column(title: "FROM"),
        Table.Column(title: "UNTIL"), Table.Column(title: "FILTER", minimumWidth: 12), Table.Column(title: "NOTE", minimumWidth: 12),
    ]

    func cells(_ zone: CalendarZone) -> [String] {
        [
            id, AnswerPrinter.time(created, zone), "\(rows)", ByteSize.text(bytes), signals.joined(separator: ","), AnswerPrinter.time(start, zone),
            AnswerPrinter.time(end, zone), filter, note,
        ]
    }

    static let csvHeader = ["id", "signals", "start", "end", "filter", "note", "created", "rows", "bytes"]

    var csvFields: [String] {
        [
            id, signals.joined(separator: " "), AnswerPrinter.exactTime(start), AnswerPrinter.exactTime(end), filter, note,
            AnswerPrinter.exactTime(created), String(rows), String(bytes),
        ]
    }
}
