/// The 16-byte identifier of a trace, as W3C Trace Context and OpenTelemetry define it.
///
/// Ordered as its bytes are, so that a sorted list of ids can be searched by prefix.
public struct TraceID: Hashable, Comparable, Sendable {
    /// The first eight bytes, big-endian.
    public var high: UInt64
    /// The last eight bytes, big-endian.
    public var low: UInt64

    @inlinable
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// The all-zero id: "no trace".
    public static let zero = TraceID(high: 0, low: 0)

    /// Whether this is the all-zero id, which OpenTelemetry defines as invalid.
    @inlinable
    public var isZero: Bool { high | low == 0 }

    @inlinable
    public static func < (left: TraceID, right: TraceID) -> Bool {
        left.high == right.high ? left.low < right.low : left.high < right.high
    }

    /// Reads 32 hexadecimal digits of either case; anything else is `nil`.
    public init?(hexadecimal text: some StringProtocol) {
        let digits = Array(text.utf8)
        guard digits.count == 32, let high = UInt64(hexadecimal: digits[..<16]), let low = UInt64(hexadecimal: digits[16...]) else {
            return nil
        }
        self.init(high: high, low: low)
    }

    /// 32 lower-case hexadecimal digits.
    public var hexadecimal: String { high.hexadecimalDigits + low.hexadecimalDigits }
}

extension TraceID: CustomStringConvertible {
    public var description: String { hexadecimal }
}
