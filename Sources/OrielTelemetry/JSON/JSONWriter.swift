/// Writes JSON text (RFC 8259) at the end of a byte array, without white space. Commas and colons are its own business.
///
///     var writer = JSONWriter()
///     writer.object { writer in
///         writer.key("name"); writer.string("shop")
///         writer.key("sizes"); writer.array { $0.integer(1) }
///     }
public struct JSONWriter: Sendable {
    /// What was written.
    public var bytes: [UInt8]
    private var needsComma = false

    /// Writes behind `bytes`.
    public init(bytes: [UInt8] = []) {
        self.bytes = bytes
    }

    /// Begins a new text in the same memory.
    public mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        needsComma = false
    }

    /// The text so far.
    public var text: String { String(decoding: bytes, as: UTF8.self) }

    // MARK: Structure

    public mutating func beginObject() { open(UInt8(ascii: "{")) }

    public mutating func endObject() { close(UInt8(ascii: "}")) }

    public mutating func beginArray() { open(UInt8(ascii: "[")) }

    public mutating func endArray() { close(UInt8(ascii: "]")) }

    /// An object whose members `body` writes.
    public mutating func object<Failure: Error>(_ body: (inout JSONWriter) throws(Failure) -> Void) throws(Failure) {
        beginObject()
        try body(&self)
        endObject()
    }

    /// An array whose elements `body` writes.
    public mutating func array<Failure: Error>(_ body: (inout JSONWriter) throws(Failure) -> Void) throws(Failure) {
        beginArray()
        try body(&self)
        endArray()
    }

    /// A member's key; its value comes next.
    public mutating func key(_ key: String) {
        separate()
        appendQuoted(key)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    /// A member's key as UTF-8.
    public mutating func key(_ key: Span<UInt8>) {
        separate()
        appendQuoted(key)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    /// A member with text, its key and the text as UTF-8 that is repaired where it is not valid.
    public mutating func member(_ key: Span<UInt8>, _ text: Span<UInt8>) {
        guard key.isPlainInJSON, text.isPlainInJSON else {
            self.key(key)
            string(text)
            return
        }
        separate()
        bytes.append(UInt8(ascii: "\""))
        bytes.append(key)
        bytes.append(contentsOf: "\":\"".utf8)
        bytes.append(text)
        bytes.append(UInt8(ascii: "\""))
    }

    // MARK: Values

    public mutating func string(_ value: String) {
        separate()
        appendQuoted(value)
    }

    /// A string given as UTF-8, repaired where it is not valid.
    public mutating func string(_ value: Span<UInt8>) {
        separate()
        appendQuoted(value)
    }

    public mutating func integer(_ value: some FixedWidthInteger) {
        separate()
        appendDigits(value)
    }

    /// An integer in quotes, as protobuf's JSON mapping writes 64-bit ones: readers with doubles only would round them.
    public mutating func quotedInteger(_ value: some FixedWidthInteger) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        appendDigits(value)
        bytes.append(UInt8(ascii: "\""))
    }

    /// The shortest number that reads back as the same value; -0 is `-0.0`, since many readers lose the sign of `-0`. What JSON has no numbers for is written as protobuf does: `"NaN"`,
    /// `"Infinity"`, `"-Infinity"`.
    ///
    /// - Parameter keepsFraction: Whether a whole number is written as `3.0`, so that readers which tell integers from doubles see what it is.
    public mutating func double(_ value: Double, keepsFraction: Bool = false) {
        separate()
        if !keepsFraction, let whole = Int64(exactly: value), whole.magnitude < 1 << 53, whole != 0 || value.sign == .plus {
            // Most numbers are counts.
            appendDigits(ofMagnitude: whole.magnitude, isNegative: whole < 0)
        } else if value.isFinite {
            var digits = value.description
            if !keepsFraction, value != 0 || value.sign == .plus, digits.hasSuffix(".0") { digits.removeLast(2) }
            bytes.append(contentsOf: digits.utf8)
        } else {
            bytes.append(contentsOf: (value.isNaN ? "\"NaN\"" : value < 0 ? "\"-Infinity\"" : "\"Infinity\"").utf8)
        }
    }

    public mutating func bool(_ value: Bool) {
        separate()
        bytes.append(contentsOf: (value ? "true" : "false").utf8)
    }

    public mutating func null() {
        separate()
        bytes.append(contentsOf: "null".utf8)
    }

    /// Bytes as a base64 string (RFC 4648 section 4, with padding).
    public mutating func base64(_ value: Span<UInt8>) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        Base64.append(value, to: &bytes)
        bytes.append(UInt8(ascii: "\""))
    }

    /// Bytes as a string of lower-case hexadecimal digits.
    public mutating func hexadecimal(_ value: Span<UInt8>) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        for index in 0..<value.count {
            bytes.append(Hexadecimal.digit(value[index] >> 4))
            bytes.append(Hexadecimal.digit(value[index] & 0xF))
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// A moment as ``Timestamp/rfc3339``.
    public mutating func string(_ time: Timestamp) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        time.appendRFC3339(to: &bytes)
        bytes.append(UInt8(ascii: "\""))
    }

    public mutating func string(_ id: TraceID) { string(id.hexadecimal) }

    public mutating func string(_ id: SpanID) { string(id.hexadecimal) }

    /// A value that is JSON text already, or whole members of an object.
    public mutating func raw(_ json: Span<UInt8>) {
        separate()
        bytes.append(json)
    }

    /// Writes the comma that is due before a value, or before several, of which the text is put together elsewhere.
    public mutating func beginRaw() { separate() }

    // MARK: Plumbing

    private mutating func open(_ bracket: UInt8) {
        separate()
        bytes.append(bracket)
        needsComma = false
    }

    private mutating func close(_ bracket: UInt8) {
        bytes.append(bracket)
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
    }

    private mutating func appendDigits<Integer: FixedWidthInteger>(_ value: Integer) {
        guard Integer.bitWidth <= UInt64.bitWidth else {
            bytes.append(contentsOf: String(value).utf8)
            return
        }
        appendDigits(ofMagnitude: UInt64(truncatingIfNeeded: value.magnitude), isNegative: value < 0)
    }

    /// Takes a third of the time that a string takes.
    private mutating func appendDigits(ofMagnitude magnitude: UInt64, isNegative: Bool) {
        if isNegative { bytes.append(UInt8(ascii: "-")) }
        var low = bytes.count
        var rest = magnitude
        repeat {
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            bytes.append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: digit))
            rest = quotient
        } while rest > 0
        var high = bytes.count - 1
        while low < high {
            bytes.swapAt(low, high)
            low += 1
            high -= 1
        }
    }

    private mutating func appendQuoted(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        // Most texts hold nothing to escape, and are copied as a whole.
        let start = bytes.count
        bytes.append(contentsOf: text.utf8)
        if bytes.span.extracting(start...).needsJSONEscapes {
            bytes.removeLast(bytes.count - start)
            for byte in text.utf8 { appendEscaped(byte) }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func appendQuoted(_ text: Span<UInt8>) {
        guard text.isASCII else {
            appendQuoted(String(repairing: text))
            return
        }
        bytes.append(UInt8(ascii: "\""))
        if text.needsJSONEscapes {
            for index in 0..<text.count { appendEscaped(text[index]) }
        } else {
            bytes.append(text)
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func appendEscaped(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): bytes.append(contentsOf: [UInt8(ascii: "\\"), UInt8(ascii: "\"")])
        case UInt8(ascii: "\\"): bytes.append(contentsOf: [UInt8(ascii: "\\"), UInt8(ascii: "\\")])
        case 0x0A: bytes.append(contentsOf: "\\n".utf8)
        case 0x0D: bytes.append(contentsOf: "\\r".utf8)
        case 0x09: bytes.append(contentsOf: "\\t".utf8)
        case 0..<0x20:
            bytes.append(contentsOf: "\\u00".utf8)
            bytes.append(Hexadecimal.digit(byte >> 4))
            bytes.append(Hexadecimal.digit(byte & 0xF))
        default: bytes.append(byte)
        }
    }
}
