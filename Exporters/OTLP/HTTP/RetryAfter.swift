import OrielTelemetry

/// What the header `Retry-After` says: seconds, or a date.
enum RetryAfter {
    /// How long to wait.
    ///
    /// - Parameters:
    ///   - date: the header `Date`, by which a date is understood where there is one: the clocks of two machines differ.
    static func delay(_ text: String, date: String?, now: Timestamp) -> Duration? {
        if !text.isEmpty, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) {
            // Beyond the range it is as good as for ever.
            return .seconds(min(Int64(text) ?? .max, 31_536_000))
        }
        guard let then = seconds(text) else { return nil }
        let start = date.flatMap { seconds($0) } ?? now.nanoseconds / 1_000_000_000
        return .seconds(max(0, then - start))
    }

    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// `Sun, 06 Nov 1994 08:49:37 GMT`, the form that RFC 9110 demands of who makes dates.
    private static func seconds(_ text: String) -> Int64? {
        let parts = text.split(separator: " ")
        guard parts.count == 6, parts[5] == "GMT", let day = Int(parts[1]), let month = months.firstIndex(of: String(parts[2])), let year = Int(parts[3])
        else { return nil }
        let clock = parts[4].split(separator: ":").compactMap { Int($0) }
        guard clock.count == 3 else { return nil }
        let civil = CivilTime(year: year, month: month + 1, day: day, hour: clock[0], minute: clock[1], second: clock[2])
        return civil.isValid ? civil.secondsSince1970 : nil
    }
}
