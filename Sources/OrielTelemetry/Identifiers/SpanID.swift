/// The 8-byte identifier of a span. Zero means "none": no parent, or a log record outside any span.
public struct SpanID: Hashable, Comparable, Sendable {
    /// The eight bytes, big-endian.
    public var rawValue: UInt64

    @inlinable
    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// The all-zero id.
    public static let zero = SpanID(rawValue: 0)

    /// Whether this is the all-zero id.
    @inlinable
    public var isZero: Bool { rawValue == 0 }

    @inlinable
    public static func < (left: SpanID, right: SpanID) -> Bool { left.rawValue < right.rawValue }

    /// Reads 16 hexadecimal digits of either case; anything else is `nil`.
    public init?(hexadecimal text: some StringProtocol) {
        guard let value = UInt64(hexadecimal: Array(text.utf8)[...]), text.utf8.count == 16 else { return nil }
        self.init(rawValue: value)
    }

    /// 16 lower-case hexadecimal digits.
    public var hexadecimal: String { rawValue.hexadecimalDigits }
}

extension SpanID: CustomStringConvertible {
    public var description: String { hexadecimal }
}
