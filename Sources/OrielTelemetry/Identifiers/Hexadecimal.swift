/// Hexadecimal digits in ASCII.
public enum Hexadecimal {
    /// The value of a digit of either case, or `nil`.
    @inlinable
    public static func nibble(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit &- UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit &- UInt8(ascii: "a") &+ 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit &- UInt8(ascii: "A") &+ 10
        default: nil
        }
    }

    /// The lower-case digit of a value below 16.
    @inlinable
    public static func digit(_ nibble: UInt8) -> UInt8 {
        nibble < 10 ? nibble &+ UInt8(ascii: "0") : nibble &- 10 &+ UInt8(ascii: "a")
    }
}

extension UInt64 {
    /// Reads 1 to 16 ASCII hexadecimal digits of either case; `nil` on any other byte or length.
    package init?(hexadecimal digits: ArraySlice<UInt8>) {
        guard (1...16).contains(digits.count) else { return nil }
        var value: UInt64 = 0
        for digit in digits {
            guard let nibble = Hexadecimal.nibble(digit) else { return nil }
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
        var shift: UInt64 = 64
        while shift > 0 {
            shift &-= 4
            bytes.append(Hexadecimal.digit(UInt8(truncatingIfNeeded: self >> shift) & 0xF))
        }
    }
}
