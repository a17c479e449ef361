extension JSONReader {
    // MARK: Strings

    /// Reads a string's place; ``append(_:in:to:)`` and ``string(_:in:)`` give its text.
    public mutating func stringToken(in bytes: Span<UInt8>) throws(JSONError) -> StringToken {
        try expect(UInt8(ascii: "\""), "a string", in: bytes)
        let start = offset
        var hasEscapes = false
        while offset < bytes.count {
            let byte = bytes[offset]
            if byte == UInt8(ascii: "\"") {
                offset &+= 1
                return StringToken(range: start..<(offset &- 1), hasEscapes: hasEscapes)
            }
            guard byte >= 0x20 else { throw JSONError(.controlCharacter, offset: offset) }
            if byte == UInt8(ascii: "\\") {
                hasEscapes = true
                try skipEscape(in: bytes)
            } else {
                offset &+= 1
            }
        }
        throw JSONError(.truncated, offset: bytes.count)
    }

    /// Reads a string.
    public mutating func string(in bytes: Span<UInt8>) throws(JSONError) -> String {
        string(try stringToken(in: bytes), in: bytes)
    }

    /// The text of a string that was read.
    public func string(_ token: StringToken, in bytes: Span<UInt8>) -> String {
        guard token.hasEscapes else { return String(repairing: bytes.extracting(token.range)) }
        var text: [UInt8] = []
        append(token, in: bytes, to: &text)
        return String(repairing: text.span)
    }

    /// Whether the text of a string that was read is `literal`, which must be ASCII.
    public func matches(_ token: StringToken, _ literal: StaticString, in bytes: Span<UInt8>) -> Bool {
        let count = literal.utf8CodeUnitCount
        if token.hasEscapes {
            var text: [UInt8] = []
            append(token, in: bytes, to: &text)
            return text.count == count && (0..<count).allSatisfy { unsafe text[$0] == literal.utf8Start[$0] }
        }
        guard token.range.count == count else { return false }
        for index in 0..<count {
            // Safe: the index is below the literal's length.
            let expected = unsafe literal.utf8Start[index]
            if bytes[token.range.lowerBound &+ index] != expected { return false }
        }
        return true
    }

    /// Appends the UTF-8 of a string that was read; a surrogate without its partner becomes U+FFFD.
    public func append(_ token: StringToken, in bytes: Span<UInt8>, to text: inout [UInt8]) {
        guard token.hasEscapes else {
            text.append(bytes, token.range)
            return
        }
        var position = token.range.lowerBound
        let end = token.range.upperBound
        while position < end {
            let byte = bytes[position]
            guard byte == UInt8(ascii: "\\") else {
                text.append(byte)
                position &+= 1
                continue
            }
            // `stringToken(in:)` checked every escape, so the bytes read here exist.
            let escape = bytes[position &+ 1]
            position &+= 2
            switch escape {
            case UInt8(ascii: "b"): text.append(0x08)
            case UInt8(ascii: "f"): text.append(0x0C)
            case UInt8(ascii: "n"): text.append(0x0A)
            case UInt8(ascii: "r"): text.append(0x0D)
            case UInt8(ascii: "t"): text.append(0x09)
            case UInt8(ascii: "u"):
                var code = codeUnit(at: position, in: bytes)
                position &+= 4
                if (0xD800..<0xDC00).contains(code), position &+ 6 <= end, bytes[position] == UInt8(ascii: "\\"), bytes[position &+ 1] == UInt8(ascii: "u") {
                    let low = codeUnit(at: position &+ 2, in: bytes)
                    if (0xDC00..<0xE000).contains(low) {
                        code = 0x10000 &+ (code &- 0xD800) << 10 &+ (low &- 0xDC00)
                        position &+= 6
                    }
                }
                text.append(contentsOf: String(UnicodeScalar(code) ?? "\u{FFFD}").utf8)
            default: text.append(escape)
            }
        }
    }

    private mutating func skipEscape(in bytes: Span<UInt8>) throws(JSONError) {
        let start = offset
        guard offset &+ 1 < bytes.count else { throw JSONError(.truncated, offset: bytes.count) }
        switch bytes[offset &+ 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"),
            UInt8(ascii: "t"):
            offset &+= 2
        case UInt8(ascii: "u"):
            guard offset &+ 6 <= bytes.count else { throw JSONError(.truncated, offset: bytes.count) }
            for index in 2..<6 where Hexadecimal.nibble(bytes[offset &+ index]) == nil {
                throw JSONError(.invalidEscape, offset: start)
            }
            offset &+= 6
        default: throw JSONError(.invalidEscape, offset: start)
        }
    }

    private func codeUnit(at position: Int, in bytes: Span<UInt8>) -> UInt32 {
        var value: UInt32 = 0
        for index in 0..<4 { value = value << 4 | UInt32(Hexadecimal.nibble(bytes[position &+ index]) ?? 0) }
        return value
    }

    // MARK: Numbers and booleans

    /// Reads a boolean.
    public mutating func bool(in bytes: Span<UInt8>) throws(JSONError) -> Bool {
        switch try peek(in: bytes) {
        case UInt8(ascii: "t"):
            try expectLiteral("true", in: bytes)
            return true
        case UInt8(ascii: "f"):
            try expectLiteral("false", in: bytes)
            return false
        case let byte: throw JSONError(.unexpectedByte(byte, expected: "true or false"), offset: offset)
        }
    }

    /// Reads a number's place, checking its grammar.
    public mutating func numberToken(in bytes: Span<UInt8>) throws(JSONError) -> Range<Int> {
        let first = try peek(in: bytes)
        let start = offset
        let isNumber = first == UInt8(ascii: "-") || isDigit(first)
        guard isNumber else { throw JSONError(.unexpectedByte(first, expected: "a number"), offset: offset) }
        if first == UInt8(ascii: "-") { offset &+= 1 }
        let leadingZero = offset < bytes.count && bytes[offset] == UInt8(ascii: "0")
        let integerDigits = skipDigits(in: bytes)
        guard integerDigits > 0, !(leadingZero && integerDigits > 1) else { throw JSONError(.invalidNumber, offset: start) }
        if offset < bytes.count, bytes[offset] == UInt8(ascii: ".") {
            offset &+= 1
            guard skipDigits(in: bytes) > 0 else { throw JSONError(.invalidNumber, offset: start) }
        }
        if offset < bytes.count, bytes[offset] | 0x20 == UInt8(ascii: "e") {
            offset &+= 1
            if offset < bytes.count, bytes[offset] == UInt8(ascii: "+") || bytes[offset] == UInt8(ascii: "-") { offset &+= 1 }
            guard skipDigits(in: bytes) > 0 else { throw JSONError(.invalidNumber, offset: start) }
        }
        return start..<offset
    }

    /// Reads a signed integer: a number without a fraction (`1.0` and `1e3` will do), or a string that holds one, as protobuf's JSON writes
    /// 64-bit integers.
    public mutating func integer(in bytes: Span<UInt8>) throws(JSONError) -> Int64 {
        let (text, start) = try numberText(in: bytes)
        if let value = Int64(text) { return value }
        guard let double = Double(text), let value = Int64(exactly: double) else { throw JSONError(.integerOutOfRange, offset: start) }
        return value
    }

    /// Reads an unsigned integer as ``integer(in:)`` reads a signed one.
    public mutating func unsignedInteger(in bytes: Span<UInt8>) throws(JSONError) -> UInt64 {
        let (text, start) = try numberText(in: bytes)
        if let value = UInt64(text) { return value }
        guard let double = Double(text), let value = UInt64(exactly: double) else { throw JSONError(.integerOutOfRange, offset: start) }
        return value
    }

    /// Reads a number, or a string that holds one or is `NaN`, `Infinity` or `-Infinity`. A number too large for a double is infinite.
    public mutating func double(in bytes: Span<UInt8>) throws(JSONError) -> Double {
        skipWhiteSpace(in: bytes)
        if offset < bytes.count, bytes[offset] == UInt8(ascii: "\"") {
            let start = offset
            let text = try string(in: bytes)
            switch text {
            case "NaN": return .nan
            case "Infinity": return .infinity
            case "-Infinity": return -.infinity
            default:
                guard let value = JSONReader.wholeNumber(text).flatMap(Double.init) else { throw JSONError(.invalidNumber, offset: start) }
                return value
            }
        }
        let range = try numberToken(in: bytes)
        guard let value = Double(String(repairing: bytes.extracting(range))) else { throw JSONError(.invalidNumber, offset: range.lowerBound) }
        return value
    }

    /// The text of a number, or of a string that holds exactly one, and where it begins.
    private mutating func numberText(in bytes: Span<UInt8>) throws(JSONError) -> (String, Int) {
        skipWhiteSpace(in: bytes)
        let start = offset
        if offset < bytes.count, bytes[offset] == UInt8(ascii: "\"") {
            guard let text = JSONReader.wholeNumber(try string(in: bytes)) else { throw JSONError(.invalidNumber, offset: start) }
            return (text, start)
        }
        return (String(repairing: bytes.extracting(try numberToken(in: bytes))), start)
    }

    /// `text` if it is a JSON number from its first byte to its last.
    private static func wholeNumber(_ text: String) -> String? {
        let bytes = Array(text.utf8)
        var reader = JSONReader()
        do {
            let range = try reader.numberToken(in: bytes.span)
            return range == 0..<bytes.count ? text : nil
        } catch {
            // The caller reports the number with its place in the whole text.
            return nil
        }
    }

    private mutating func skipDigits(in bytes: Span<UInt8>) -> Int {
        let start = offset
        while offset < bytes.count, isDigit(bytes[offset]) { offset &+= 1 }
        return offset &- start
    }

    private func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }
}
