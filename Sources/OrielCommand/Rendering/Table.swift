/// Rows under a heading, each column as wide as its widest cell; the flexible column gives way when the terminal is too narrow.
struct Table {
    struct Column {
        var title: String
        var isRightAligned = false
        /// Whether the column may be cut, down to this many columns.
        var minimumWidth: Int?
    }

    struct Cell {
        var text: String
        /// Colours the text after it was fitted.
        var paint: @Sendable (String) -> String = { $0 }

        init(_ text: String, _ paint: @escaping @Sendable (String) -> String = { $0 }) {
            self.text = TerminalText.safe(text)
            self.paint = paint
        }
    }

    let columns: [Column]
    private(set) var rows: [[Cell]] = []

    init(_ columns: [Column]) {
        self.columns = columns
    }

    mutating func add(_ cells: [Cell]) {
        rows.append(cells)
    }

    func lines(_ options: RenderOptions) -> [String] {
        var widths = columns.map { TerminalText.width($0.title) }
        for row in rows {
            for (index, cell) in row.enumerated() { widths[index] = max(widths[index], TerminalText.width(cell.text)) }
        }
        if let limit = options.width {
            var excess = widths.reduce(0, +) + 2 * (columns.count - 1) - limit
            for (index, column) in columns.enumerated().reversed() where excess > 0 {
                guard let minimum = column.minimumWidth else { continue }
                let cut = min(excess, max(0, widths[index] - minimum))
                widths[index] -= cut
                excess -= cut
            }
        }
        let heading = zip(columns, widths).map { column, width in align(column.title, width, column) }.joined(separator: "  ")
        return [options.style.dim(Table.trimmed(heading))]
            + rows.map { row in
                var line = ""
                for (index, cell) in row.enumerated() {
                    let fitted = align(cell.text, widths[index], columns[index])
                    // Spaces at the end of a line would only wrap.
                    let text = index == row.count - 1 ? Table.trimmed(fitted) : fitted
                    line += (index == 0 ? "" : "  ") + cell.paint(text)
                }
                return row.last?.text.isEmpty == true ? Table.trimmed(line) : line
            }
    }

    private func align(_ text: String, _ width: Int, _ column: Column) -> String {
        column.isRightAligned ? TerminalText.alignRight(TerminalText.truncate(text, to: width), width) : TerminalText.fit(text, width)
    }

    static func trimmed(_ text: String) -> String {
        var text = text
        while text.hasSuffix(" ") { text.removeLast() }
        return text
    }
}
