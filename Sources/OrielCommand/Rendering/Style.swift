/// Colours, or none.
struct Style: Sendable {
    let isColoured: Bool

    static let plain = Style(isColoured: false)

    func bold(_ text: String) -> String { paint(text, "1") }
    func dim(_ text: String) -> String { paint(text, "2") }
    func red(_ text: String) -> String { paint(text, "31") }
    func boldRed(_ text: String) -> String { paint(text, "1;31") }
    func yellow(_ text: String) -> String { paint(text, "33") }
    func green(_ text: String) -> String { paint(text, "32") }
    func cyan(_ text: String) -> String { paint(text, "36") }

    /// A colour that a name keeps: services are told apart by it.
    func named(_ name: String, _ text: String) -> String {
        let palette = ["36", "35", "34", "32", "33", "96", "95", "94"]
        let hash = name.utf8.reduce(UInt32(2_166_136_261)) { ($0 ^ UInt32($1)) &* 16_777_619 }
        return paint(text, palette[Int(hash % UInt32(palette.count))])
    }

    /// The colour of an OpenTelemetry severity number.
    func severity(_ number: Int64, _ text: String) -> String {
        switch number {
        case 21...: boldRed(text)
        case 17...: red(text)
        case 13...: yellow(text)
        case 9...: green(text)
        default: dim(text)
        }
    }

    private func paint(_ text: String, _ code: String) -> String {
        isColoured && !text.isEmpty ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }
}

/// How answers are shown.
struct RenderOptions: Sendable {
    var style: Style
    /// Columns of the terminal; `nil` when the output is none, so that nothing is cut.
    var width: Int?
    /// Whether times are shown in UTC.
    var isUTC: Bool
}
