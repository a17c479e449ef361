import OrielTelemetry

extension ArraySlice<UInt8> {
    /// Without the blanks and tabs at both ends, which HTTP allows around a header's value.
    func trimmingBlanks() -> ArraySlice<UInt8> {
        func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        var rest = self
        while let first = rest.first, isBlank(first) { rest = rest.dropFirst() }
        while let last = rest.last, isBlank(last) { rest = rest.dropLast() }
        return rest
    }
}

extension UInt64 {
    /// Reads 1 to 16 hexadecimal digits, of which letters are lower case.
    init?(lowerHexadecimal digits: ArraySlice<UInt8>) {
        guard (1...16).contains(digits.count), !digits.contains(where: { (UInt8(ascii: "A")...UInt8(ascii: "F")).contains($0) }) else { return nil }
        self.init(hexadecimal: digits)
    }
}

extension [UInt8] {
    /// Appends the 32 digits of a trace id.
    mutating func append(_ id: TraceID) {
        id.high.appendHexadecimalDigits(to: &self)
        id.low.appendHexadecimalDigits(to: &self)
    }

    /// Appends the 16 digits of a span id.
    mutating func append(_ id: SpanID) {
        id.rawValue.appendHexadecimalDigits(to: &self)
    }
}
