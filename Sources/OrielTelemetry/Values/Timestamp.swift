/// A moment: nanoseconds since 1970-01-01T00:00:00Z, leap seconds not counted. Covers the years 1677 to 2262.
///
/// Samples of metrics keep milliseconds; ``init(milliseconds:)`` and ``milliseconds`` convert. All arithmetic saturates, since times
/// come from requests.
public struct Timestamp: Hashable, Comparable, Sendable {
    public var nanoseconds: Int64

    @inlinable
    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// Saturates at the ends of the range.
    @inlinable
    public init(milliseconds: Int64) {
        let (value, overflow) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
        self.nanoseconds = overflow ? (milliseconds < 0 ? .min : .max) : value
    }

    /// Whole milliseconds, rounded down.
    @inlinable
    public var milliseconds: Int64 {
        let quotient = nanoseconds / 1_000_000
        return nanoseconds % 1_000_000 < 0 ? quotient - 1 : quotient
    }

    @inlinable
    public static func < (left: Timestamp, right: Timestamp) -> Bool { left.nanoseconds < right.nanoseconds }

    /// This moment moved by `nanoseconds`, saturating.
    @inlinable
    public func advanced(by nanoseconds: Int64) -> Timestamp {
        Timestamp(nanoseconds: self.nanoseconds.addingSaturating(nanoseconds))
    }
}

extension Int64 {
    /// The sum, or the nearest end of the range when it does not fit.
    @inlinable
    public func addingSaturating(_ other: Int64) -> Int64 {
        let (value, overflow) = addingReportingOverflow(other)
        return overflow ? (other < 0 ? .min : .max) : value
    }

    /// The difference, or the nearest end of the range when it does not fit.
    @inlinable
    public func subtractingSaturating(_ other: Int64) -> Int64 {
        let (value, overflow) = subtractingReportingOverflow(other)
        return overflow ? (other < 0 ? .max : .min) : value
    }
}
