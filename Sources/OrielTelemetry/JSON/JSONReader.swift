/// A position in a JSON text (RFC 8259). It is asked for what the caller expects next, so no tree is built and nothing is allocated but the
/// strings asked for.
///
/// The bytes are passed to each call instead of being held, so that the reader is a plain value; all calls of one reader must pass the same
/// bytes. Text that is no
/// valid UTF-8 is passed through as it is: ``string(in:)`` repairs it.
///
///     var reader = JSONReader()
///     try reader.beginObject(in: bytes)
///     while let key = try reader.nextKey(in: bytes) {
///         if reader.matches(key, "limit", in: bytes) { limit = try reader.integer(in: bytes) } else { try reader.skipValue(in: bytes) }
///     }
///     try reader.finish(in: bytes)
public struct JSONReader: Sendable {
    /// The next byte to read.
    public internal(set) var offset: Int
    /// How many objects and arrays may be open at once. ``skipValue(in:)`` needs no stack and has no limit.
    public let maximumDepth: Int
    private var depth = 0
    /// Whether the innermost container was just opened, so that no comma is due.
    private var isFirst = true

    public init(offset: Int = 0, maximumDepth: Int = 128) {
        self.offset = offset
        self.maximumDepth = maximumDepth
    }

    /// What a value is, told by its first byte.
    public enum Kind: Hashable, Sendable {
        case object
        case array
        case string
        case number
        case bool
        case null
    }

    /// Where a string lies in the text, without its quotes.
    @frozen
    public struct StringToken: Hashable, Sendable {
        public var range: Range<Int>
        /// Whether it holds escapes, so that its bytes are not the text itself.
        public var hasEscapes: Bool

        @usableFromInline
        init(range: Range<Int>, hasEscapes: Bool) {
            self.range = range
            self.hasEscapes = hasEscapes
        }
    }

    // MARK: Structure

    /// The kind of the next value, which is not consumed.
    public mutating func peekKind(in bytes: Span<UInt8>) throws(JSONError) -> Kind {
        switch try peek(in: bytes) {
        case UInt8(ascii: "{"): return .object
        case UInt8(ascii: "["): return .array
        case UInt8(ascii: "\""): return .string
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return .bool
        case UInt8(ascii: "n"): return .null
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
        case let byte: throw JSONError(.unexpectedByte(byte, expected: "a value"), offset: offset)
        }
    }

    /// Enters an object; ``nextKey(in:)`` walks it.
    public mutating func beginObject(in bytes: Span<UInt8>) throws(JSONError) {
        try expect(UInt8(ascii: "{"), "an object", in: bytes)
        try enter()
    }

    /// Enters an array; ``nextElement(in:)`` walks it.
    public mutating func beginArray(in bytes: Span<UInt8>) throws(JSONError) {
        try expect(UInt8(ascii: "["), "an array", in: bytes)
        try enter()
    }

    /// The next key of the object, whose value must then be read or skipped; `nil` at the object's end, which is consumed.
    public mutating func nextKey(in bytes: Span<UInt8>) throws(JSONError) -> StringToken? {
        guard try continues(until: UInt8(ascii: "}"), in: bytes) else { return nil }
        let key = try stringToken(in: bytes)
        try expect(UInt8(ascii: ":"), "\":\"", in: bytes)
        return key
    }

    /// Whether the array has another element, which must then be read or skipped; at the array's end, which is consumed, `false`.
    public mutating func nextElement(in bytes: Span<UInt8>) throws(JSONError) -> Bool {
        try continues(until: UInt8(ascii: "]"), in: bytes)
    }

    /// Checks that nothing but white space is left.
    public mutating func finish(in bytes: Span<UInt8>) throws(JSONError) {
        skipWhiteSpace(in: bytes)
        guard offset >= bytes.count else { throw JSONError(.trailingBytes, offset: offset) }
    }

    /// Consumes `null` if that is next.
    public mutating func skipNull(in bytes: Span<UInt8>) throws(JSONError) -> Bool {
        guard try peek(in: bytes) == UInt8(ascii: "n") else { return false }
        try expectLiteral("null", in: bytes)
        return true
    }

    /// Steps over a value of any kind and depth, checking its grammar.
    ///
    /// Complexity: O(*n*), no recursion.
    public mutating func skipValue(in bytes: Span<UInt8>) throws(JSONError) {
        // For each open container whether it is an object; empty as long as the value is a scalar, so that skipping one allocates nothing.
        var open: [Bool] = []
        let outerIsFirst = isFirst
        repeat {
            if let isObject = open.last {
                let goesOn = isObject ? try nextKeyOfSkipped(in: bytes) : try continuesSkipped(until: UInt8(ascii: "]"), in: bytes)
                guard goesOn else {
                    open.removeLast()
                    isFirst = false
                    continue
                }
            }
            switch try peekKind(in: bytes) {
            case .object:
                offset &+= 1
                open.append(true)
                isFirst = true
            case .array:
                offset &+= 1
                open.append(false)
                isFirst = true
            case .string: _ = try stringToken(in: bytes)
            case .number: _ = try numberToken(in: bytes)
            case .bool: _ = try bool(in: bytes)
            case .null: try expectLiteral("null", in: bytes)
            }
        } while !open.isEmpty
        isFirst = outerIsFirst
    }

    // MARK: Plumbing shared with the scalar readers

    mutating func skipWhiteSpace(in bytes: Span<UInt8>) {
        while offset < bytes.count {
            switch bytes[offset] {
            case 0x20, 0x0A, 0x0D, 0x09: offset &+= 1
            default: return
            }
        }
    }

    /// The next byte that is no white space; `offset` stands on it.
    mutating func peek(in bytes: Span<UInt8>) throws(JSONError) -> UInt8 {
        skipWhiteSpace(in: bytes)
        guard offset < bytes.count else { throw JSONError(.truncated, offset: bytes.count) }
        return bytes[offset]
    }

    mutating func expect(_ byte: UInt8, _ expected: String, in bytes: Span<UInt8>) throws(JSONError) {
        let found = try peek(in: bytes)
        guard found == byte else { throw JSONError(.unexpectedByte(found, expected: expected), offset: offset) }
        offset &+= 1
    }

    mutating func expectLiteral(_ literal: StaticString, in bytes: Span<UInt8>) throws(JSONError) {
        skipWhiteSpace(in: bytes)
        let length = literal.utf8CodeUnitCount
        for index in 0..<length {
            guard offset &+ index < bytes.count else { throw JSONError(.truncated, offset: bytes.count) }
            // Safe: the index is below the literal's length.
            let expected = unsafe literal.utf8Start[index]
            guard bytes[offset &+ index] == expected else {
                throw JSONError(.unexpectedByte(bytes[offset &+ index], expected: "\(literal)"), offset: offset &+ index)
            }
        }
        offset &+= length
    }

    private mutating func enter() throws(JSONError) {
        depth += 1
        guard depth <= maximumDepth else { throw JSONError(.nestingTooDeep(limit: maximumDepth), offset: offset - 1) }
        isFirst = true
    }

    private mutating func continues(until end: UInt8, in bytes: Span<UInt8>) throws(JSONError) -> Bool {
        if try continuesSkipped(until: end, in: bytes) { return true }
        depth -= 1
        return false
    }

    private mutating func continuesSkipped(until end: UInt8, in bytes: Span<UInt8>) throws(JSONError) -> Bool {
        let byte = try peek(in: bytes)
        if byte == end {
            offset &+= 1
            isFirst = false
            return false
        }
        if isFirst {
            isFirst = false
        } else {
            try expect(UInt8(ascii: ","), end == UInt8(ascii: "]") ? "\",\" or \"]\"" : "\",\" or \"}\"", in: bytes)
        }
        return true
    }

    private mutating func nextKeyOfSkipped(in bytes: Span<UInt8>) throws(JSONError) -> Bool {
        guard try continuesSkipped(until: UInt8(ascii: "}"), in: bytes) else { return false }
        _ = try stringToken(in: bytes)
        try expect(UInt8(ascii: ":"), "\":\"", in: bytes)
        return true
    }
}
