/// The 128-bit identity of a stream within one store: a hash, keyed with a secret of that store, of what the stream's rows share.
///
/// The high half keeps related streams together when sorted: for metrics it hashes the metric name (32 bits) and the job and
/// instance (32 bits), for spans and log records the service name.
public struct StreamID: Hashable, Comparable, Sendable {
    public var high: UInt64
    public var low: UInt64

    @inlinable
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    @inlinable
    public static func < (left: StreamID, right: StreamID) -> Bool {
        left.high == right.high ? left.low < right.low : left.high < right.high
    }
}

extension StreamID: CustomStringConvertible {
    /// 32 lower-case hexadecimal digits.
    public var description: String { high.hexadecimalDigits + low.hexadecimalDigits }

    /// Reads what ``description`` prints.
    public init?(hexadecimal text: some StringProtocol) {
        guard let id = TraceID(hexadecimal: text) else { return nil }
        self.init(high: id.high, low: id.low)
    }
}
