import OrielTelemetry

/// A row of an answer, as each form of output shows it.
protocol AnswerLine: Decodable {
    static var csvHeader: [String] { get }
    var csvFields: [String] { get }
    static var columns: [Table.Column] { get }
    func cells(_ zone: CalendarZone) -> [String]
}

/// Prints the rows of an answer in the chosen form.
struct AnswerPrinter {
    private let format: OutputOptions.Format
    private let rendering: RenderOptions

    init(_ options: OutputOptions) {
        format = options.output
        rendering = options.rendering
    }

    /// The zone in which people are told times.
    var zone: CalendarZone { rendering.isUTC ? .utc : .local }

    func show<Line: AnswerLine>(_ elements: [ArraySlice<UInt8>], as type: Line.Type) throws {
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

    static func time(_ time: Int64Text?, _ zone: CalendarZone) -> String {
        time.map { Timestamp(nanoseconds: $0.value).rfc3339(in: zone, fractionDigits: 3) } ?? ""
    }

    static func exactTime(_ time: Int64Text?) -> String { time.map { Timestamp(nanoseconds: $0.value).rfc3339 } ?? "" }
}
