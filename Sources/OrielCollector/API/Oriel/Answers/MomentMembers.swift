import OrielTelemetry

/// Writes moments of samples as the members `time` and `time_unix_nano`, as ``JSONWriter/time(_:_:)`` does: the text of the moment before is kept, and of one on the same day only the
/// digits are replaced that differ.
struct MomentMembers: Sendable {
    private var milliseconds: Int64 = .min
    /// The members of `milliseconds`.
    private var text: [UInt8] = []
    /// The day of `milliseconds` since 1970; `nil` when its text has not the usual length.
    private var day: Int64?

    private static let millisecondsOfADay: Int64 = 86_400_000
    /// Milliseconds whose nanoseconds have 19 digits: from 2001 to 2262.
    private static let usual = 1_000_000_000_000...(Int64.max / 1_000_000)
    /// Where the time of the day begins, behind `"time":"2026-11-30T`.
    private static let clock = 19
    /// Where the nanoseconds begin, behind `12:00:00.000000000Z","time_unix_nano":"`.
    private static let nanoseconds = 58

    mutating func write(milliseconds: Int64, to writer: inout JSONWriter) {
        if milliseconds != self.milliseconds || text.isEmpty { replace(milliseconds) }
        writer.raw(text.span)
    }

    private mutating func replace(_ milliseconds: Int64) {
        self.milliseconds = milliseconds
        let day = milliseconds / Self.millisecondsOfADay
        guard Self.usual.contains(milliseconds) else {
            self.day = nil
            return rewrite()
        }
        guard day == self.day else {
            self.day = day
            return rewrite()
        }
        let (seconds, fraction) = (milliseconds - day * Self.millisecondsOfADay).quotientAndRemainder(dividingBy: 1_000)
        let (minutes, second) = seconds.quotientAndRemainder(dividingBy: 60)
        let (hour, minute) = minutes.quotientAndRemainder(dividingBy: 60)
        put(hour, digits: 2, at: Self.clock)
        put(minute, digits: 2, at: Self.clock + 3)
        put(second, digits: 2, at: Self.clock + 6)
        put(fraction, digits: 3, at: Self.clock + 9)
        put(milliseconds, digits: 13, at: Self.nanoseconds)
    }

    private mutating func rewrite() {
        var writer = JSONWriter(bytes: text)
        text = []
        writer.removeAll()
        writer.time("time", Timestamp(milliseconds: milliseconds))
        text = writer.bytes
    }

    private mutating func put(_ value: Int64, digits: Int, at place: Int) {
        var rest = UInt64(bitPattern: value)
        for index in (place..<(place + digits)).reversed() {
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            text[index] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: digit)
            rest = quotient
        }
    }
}
