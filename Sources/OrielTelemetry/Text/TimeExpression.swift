/// Moments as people write them.
///
/// | Text | Meaning |
/// |---|---|
/// | `2026-11-24T14:00:00Z`, `2026-11-24T15:00:00.25+01:00` | RFC 3339 |
/// | `2026-11-24`, `2026-11-24 14:00`, `14:00` | in the given zone; a time alone is today's |
/// | `1763992800`, `1763992800.5`, `1763992800000` | since 1970: seconds below 10^11, milliseconds below 10^14, microseconds below 10^17, else nanoseconds |
/// | `1h`, `-90m`, `2d ago` | so long before now |
/// | `now`, `today`, `yesterday 14:00`, `monday 09:30` | a day's start, or a time on it; a weekday is the latest one before today |
public enum TimeExpression {
    /// What is accepted, for error messages.
    public static let forms = "RFC 3339, unix seconds/milliseconds/nanoseconds, a duration before now such as 1h, or a day such as \"yesterday 14:00\""

    /// Reads a moment; `nil` when the text is none of the forms, or beyond the years 1677 to 2262.
    public static func timestamp(_ text: some StringProtocol, now: Timestamp, zone: CalendarZone) -> Timestamp? {
        let text = trim(text).lowercased()
        if text == "now" { return now }
        if let time = Timestamp(rfc3339: text) { return time }
        if let time = unixTime(text) { return time }
        if let time = ago(text, now: now) { return time }
        return civil(text, now: now, zone: zone)
    }

    private static func trim(_ text: some StringProtocol) -> Substring {
        var text = Substring(text)
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return text
    }

    private static func unixTime(_ text: String) -> Timestamp? {
        if let number = Int64(text) {
            let factor: Int64 =
                switch number.magnitude {
                case ..<100_000_000_000: 1_000_000_000
                case ..<100_000_000_000_000: 1_000_000
                case ..<100_000_000_000_000_000: 1_000
                default: 1
                }
            let (value, overflow) = number.multipliedReportingOverflow(by: factor)
            return overflow ? nil : Timestamp(nanoseconds: value)
        }
        // Seconds with a fraction, digit by digit: a double would round the nanoseconds.
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let seconds = Int64(parts[0]), seconds.magnitude < 100_000_000_000, (1...9).contains(parts[1].count),
            parts[1].allSatisfy({ $0.isASCII && $0.isNumber }), let fraction = Int64(parts[1] + String(repeating: "0", count: 9 - parts[1].count))
        else { return nil }
        let isNegative = parts[0].hasPrefix("-")
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        guard !overflow else { return nil }
        return Timestamp(nanoseconds: whole).advanced(by: isNegative ? -fraction : fraction)
    }

    private static func ago(_ text: String, now: Timestamp) -> Timestamp? {
        var duration = Substring(text)
        if duration.hasSuffix(" ago") { duration.removeLast(4) }
        if duration.hasPrefix("-") { duration.removeFirst() }
        return DurationText.nanoseconds(duration).map { now.advanced(by: -$0) }
    }

    private static let weekdays = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]

    private static func civil(_ text: String, now: Timestamp, zone: CalendarZone) -> Timestamp? {
        var date = zone.civilTime(secondsSince1970: now.secondsAndFraction.seconds).time
        (date.hour, date.minute, date.second) = (0, 0, 0)
        let words = text.split(separator: " ")
        var timeText: Substring?
        var scanner = TimeScanner(text)
        if let first = words.first, let day = dayOffset(first, weekday: date.weekday) {
            guard words.count <= 2 else { return nil }
            date.day -= day
            date = CivilTime(secondsSince1970: date.secondsSince1970)
            timeText = words.count == 2 ? words[1] : nil
        } else if let day = scanner.date() {
            date = day
            if !scanner.isAtEnd {
                guard scanner.skip("t") || scanner.skip(" "), let time = scanner.timeOfDay(on: date), scanner.isAtEnd else { return nil }
                return Timestamp(seconds: zone.secondsSince1970(time.civil), nanoseconds: time.nanoseconds)
            }
        } else {
            timeText = Substring(text)
        }
        guard let timeText else { return Timestamp(seconds: zone.secondsSince1970(date), nanoseconds: 0) }
        var timeScanner = TimeScanner(timeText)
        guard let time = timeScanner.timeOfDay(on: date), timeScanner.isAtEnd else { return nil }
        return Timestamp(seconds: zone.secondsSince1970(time.civil), nanoseconds: time.nanoseconds)
    }

    /// How many days before today a word means.
    private static func dayOffset(_ word: Substring, weekday: Int) -> Int? {
        switch word {
        case "today": return 0
        case "yesterday": return 1
        default:
            guard let index = weekdays.firstIndex(of: String(word)) else { return nil }
            let days = (weekday - index + 7) % 7
            return days == 0 ? 7 : days
        }
    }
}
