public import OrielTelemetry

/// A half-open span of time in nanoseconds: `start` belongs to it, `end` does not.
public struct TimeRange: Hashable, Sendable {
    public var start: Timestamp
    public var end: Timestamp

    /// An end before the start makes an empty range.
    public init(start: Timestamp, end: Timestamp) {
        self.start = start
        self.end = max(start, end)
    }

    /// All of time. The very last nanosecond that a timestamp can express is left out.
    public static let all = TimeRange(start: Timestamp(nanoseconds: .min), end: Timestamp(nanoseconds: .max))

    public var isEmpty: Bool { start >= end }

    @inlinable
    public func contains(_ time: Timestamp) -> Bool { start <= time && time < end }

    public func intersection(_ other: TimeRange) -> TimeRange {
        TimeRange(start: max(start, other.start), end: min(end, other.end))
    }

    /// The times of a signal's rows that lie in the range, in the signal's unit, as `lower..<upper`. Rounds up at both ends, so that a millisecond belongs to the
    /// range when its first nanosecond does.
    public func bounds(for signal: Signal) -> Range<Int64> {
        let unit = signal.nanosecondsPerTimeUnit
        guard unit > 1 else { return start.nanoseconds..<end.nanoseconds }
        return start.nanoseconds.dividedRoundingUp(by: unit)..<end.nanoseconds.dividedRoundingUp(by: unit)
    }
}

extension Int64 {
    func dividedRoundingUp(by divisor: Int64) -> Int64 {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder > 0 ? quotient + 1 : quotient
    }
}
