/// Makes text safe for a terminal: what is logged may come from an attacker, and escape sequences can do more than colour.
enum TerminalText {
    /// Appends text with what is invisible or acts on the terminal escaped as `\u{1B}`: controls of ASCII and of ISO 8859 (C0, DEL, C1), separators of lines and paragraphs, and marks
    /// that change the direction of writing.
    ///
    /// - Parameters:
    ///   - newline: what stands for a line feed; `nil` for `\n`.
    ///   - isQuoted: whether quotation marks and backslashes are escaped too.
    static func append(_ text: String, newline: String?, isQuoted: Bool = false, to bytes: inout [UInt8]) {
        let quotation = UInt8(ascii: "\"")
        let backslash = UInt8(ascii: "\\")
        if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F && (!isQuoted || ($0 != quotation && $0 != backslash)) }) {
            bytes.append(contentsOf: text.utf8)
            return
        }
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": bytes.append(contentsOf: (newline ?? "\\n").utf8)
            case "\t": bytes.append(contentsOf: "\\t".utf8)
            case "\r": bytes.append(contentsOf: "\\r".utf8)
            case "\"" where isQuoted: bytes.append(contentsOf: "\\\"".utf8)
            case "\\" where isQuoted: bytes.append(contentsOf: "\\\\".utf8)
            case let scalar where acts(scalar): bytes.append(contentsOf: "\\u{\(String(scalar.value, radix: 16, uppercase: true))}".utf8)
            default: bytes.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
            }
        }
    }

    private static func acts(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F...0x9F, 0x61C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069, 0xFEFF, 0xFFF9...0xFFFB, 0xE0000...0xE007F: true
        default: false
        }
    }
}
