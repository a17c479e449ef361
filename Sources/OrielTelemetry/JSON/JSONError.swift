/// Why bytes are no JSON text, or not the one that was expected.
public struct JSONError: Error, Hashable, Sendable {
    public enum Reason: Hashable, Sendable {
        /// The text ends inside a value.
        case truncated
        /// A byte that cannot stand here; what could.
        case unexpectedByte(UInt8, expected: String)
        /// A number that breaks JSON's grammar.
        case invalidNumber
        /// An integer with a fraction, or one that does not fit the type.
        case integerOutOfRange
        /// A control character below U+0020 inside a string, where JSON demands an escape.
        case controlCharacter
        /// A backslash before something that is no escape.
        case invalidEscape
        /// Objects and arrays nested deeper than the limit.
        case nestingTooDeep(limit: Int)
        /// Text behind the end of the value.
        case trailingBytes
    }

    public var reason: Reason
    /// Offset of the offending byte from the start of the text.
    public var offset: Int

    public init(_ reason: Reason, offset: Int) {
        self.reason = reason
        self.offset = offset
    }
}

extension JSONError: CustomStringConvertible {
    public var description: String {
        switch reason {
        case .truncated: "the JSON text ends too early, at byte \(offset)"
        case .unexpectedByte(let byte, let expected):
            byte < 0x80 && byte >= 0x20
                ? "unexpected \"\(Character(UnicodeScalar(byte)))\" at byte \(offset), expected \(expected)"
                : "unexpected byte 0x\(String(byte, radix: 16)) at byte \(offset), expected \(expected)"
        case .invalidNumber: "a number that is not valid JSON at byte \(offset)"
        case .integerOutOfRange: "a number at byte \(offset) that is no integer of the expected range"
        case .controlCharacter: "a control character inside a string at byte \(offset), which must be escaped"
        case .invalidEscape: "an unknown escape sequence at byte \(offset)"
        case .nestingTooDeep(let limit): "objects and arrays nested deeper than \(limit) at byte \(offset)"
        case .trailingBytes: "text behind the end of the JSON value at byte \(offset)"
        }
    }
}
