extension UInt64 {
    /// Reads 1 to 16 ASCII hexadecimal digits of either case; `nil` on any other byte or length.
    package init?(hexadecimal digits: ArraySlice<UInt8>) {
        guard (1...16).contains(digits.count) else { return nil }
        var value: UInt64 = 0
        for digit in digits {
            let nibble: UInt8
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): nibble = digit &- UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): nibble = digit &- UInt8(ascii: "a") &+ 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): nibble = digit &- UInt8(ascii: "A") &+ 10
            default: return nil
            }
            value = value << 4 | UInt64(nibble)
        }
        self = value
    }

    /// All 16 digits, lower case.
    package var hexadecimalDigits: String {
        var digits: [UInt8] = []
        digits.reserveCapacity(16)
        appendHexadecimalDigits(to: &digits)
        return String(decoding: digits, as: UTF8.self)
    }

    /// Appends all 16 digits, lower case, as ASCII.
    package func appendHexadecimalDigits(to bytes: inout [UInt8]) {
        var shift = 60
        while shift >= 0 {
            let nibble = UInt8(truncatingIfNeeded: self >> UInt64(shift)) & 0xF
            bytes.append(nibble < 10 ? nibble &+ UInt8(ascii: "0") : nibble &- 10 &+ UInt8(ascii: "a"))
            shift -= 4
        }
    }
}
