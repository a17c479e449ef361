/// What a salvage did, as the server says it.
struct SalvageAnswer: Decodable {
    /// What became of one damaged file.
    struct File: Decodable {
        var signal: String
        var file: String
        var replacement: String
        var kept: String
        var savedRows: Int
        var incompleteRows: Int
        var lostRows: Int
        var losses: [Loss]
        var remade: [String]

        enum CodingKeys: String, CodingKey {
            case signal
            case file
            case replacement
            case kept
            case savedRows = "saved_rows"
            case incompleteRows = "incomplete_rows"
            case lostRows = "lost_rows"
            case losses
            case remade
        }
    }

    /// Rows that are lost, or that lack a column.
    struct Loss: Decodable {
        var column: String?
        var rows: Int
        var start: String
        var end: String
        var reason: String
    }

    var folder: String
    var checkedFiles: Int
    var checkedBytes: Int
    var files: [File]
    var failures: [ExaminationAnswer.Problem]

    enum CodingKeys: String, CodingKey {
        case folder
        case checkedFiles = "checked_files"
        case checkedBytes = "checked_bytes"
        case files
        case failures
    }

    /// - Parameter top: losses of a file that are listed.
    func lines(_ options: RenderOptions, top: Int) -> [String] {
        var lines = ["\(TerminalText.safe(folder)): \(checkedFiles) files, \(ByteSize.text(checkedBytes)) read and checked"]
        if files.isEmpty, failures.isEmpty { lines.append("no file is damaged") }
        for file in files {
            lines.append("")
            lines.append(
                "\(TerminalText.safe(file.file)): \(file.savedRows) rows saved, \(file.incompleteRows) of them without some values, \(file.lostRows) lost")
            lines.append("  now in \(TerminalText.safe(file.replacement)); the damaged file is kept as \(TerminalText.safe(file.kept))")
            if !file.remade.isEmpty { lines.append("  made anew: \(TerminalText.safe(file.remade.joined(separator: ", ")))") }
            guard !file.losses.isEmpty, top > 0 else { continue }
            var table = Table(["ROWS", "LOST", "FROM", "TO", "REASON"].map { Table.Column(title: $0, isRightAligned: $0 == "ROWS") })
            for loss in file.losses.prefix(top) {
                table.add(["\(loss.rows)", loss.column.map { "values of \($0)" } ?? "rows", loss.start, loss.end, loss.reason].map { Table.Cell($0) })
            }
            lines += table.lines(options)
            if file.losses.count > top { lines.append("  and \(file.losses.count - top) more; --output json has all") }
        }
        if !failures.isEmpty {
            lines.append("")
            var table = Table(["NOT REPLACED", "WHERE"].map { Table.Column(title: $0, isRightAligned: false) })
            for failure in failures { table.add([failure.reason, failure.place].map { Table.Cell($0) }) }
            lines += table.lines(options)
        }
        return lines
    }
}
