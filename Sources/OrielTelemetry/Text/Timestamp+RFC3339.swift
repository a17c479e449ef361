extension Timestamp {
    /// RFC 3339 in UTC with all nine digits of the nanoseconds: `2026-11-24T15:20:28.000000000Z`.
    public var rfc3339: String { rfc3339(in: .utc, fractionDigits: 9) }

    /// Appends ``rfc3339``, without a string on the way.
    public func appendRFC3339(to bytes: inout [UInt8]) {
        let (seconds, fraction) = secondsAndFraction
        // All years that a timestamp can have are of four digits.
        let time = CivilTime(secondsSince1970: seconds)
        bytes.append(time.year, digits: 4, before: "-")
        bytes.append(time.month, digits: 2, before: "-")
        bytes.append(time.day, digits: 2, before: "T")
        bytes.append(time.hour, digits: 2, before: ":")
        bytes.append(time.minute, digits: 2, before: ":")
        bytes.append(time.second, digits: 2, before: ".")
        bytes.append(fraction, digits: 9, before: "Z")
    }

    /// RFC 3339 in a zone, with its offset (`Z` for UTC) and 0 to 9 digits of the second's fraction, cut off, not rounded.
    public func rfc3339(in zone: CalendarZone, fractionDigits: Int) -> String {
        let (seconds, fraction) = secondsAndFraction
        let (time, offset) = zone.civilTime(secondsSince1970: seconds)
        var text = "\(time.year.padded(4))-\(time.month.padded(2))-\(time.day.padded(2))T"
        text += "\(time.hour.padded(2)):\(time.minute.padded(2)):\(time.second.padded(2))"
        if fractionDigits > 0 { text += ".\(fraction.padded(9).prefix(fractionDigits))" }
        guard zone == .local else { return text + "Z" }
        return text + Timestamp.offsetText(offset)
    }

    /// `+01:00`, as RFC 3339 writes an offset from UTC.
    public static func offsetText(_ seconds: Int) -> String {
        let minutes = abs(seconds) / 60
        return "\(seconds < 0 ? "-" : "+")\((minutes / 60).padded(2)):\((minutes % 60).padded(2))"
    }

    /// Whole seconds since 1970, rounded down, and the nanoseconds above them.
    public var secondsAndFraction: (seconds: Int64, nanoseconds: Int) {
        var seconds = nanoseconds / 1_000_000_000
        var fraction = nanoseconds % 1_000_000_000
        if fraction < 0 {
            fraction += 1_000_000_000
            seconds -= 1
        }
        return (seconds, Int(fraction))
    }

    /// A moment from whole seconds and nanoseconds; `nil` beyond the range of a timestamp.
    init?(seconds: Int64, nanoseconds: Int) {
        // Negative seconds with a fraction are composed from above, so that the lowest second does not overflow on the way.
        let (whole, overflow) = (seconds < 0 && nanoseconds > 0 ? seconds + 1 : seconds).multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, sumOverflow) = whole.addingReportingOverflow(Int64(nanoseconds) - (seconds < 0 && nanoseconds > 0 ? 1_000_000_000 : 0))
        guard !overflow, !sumOverflow else { return nil }
        self.init(nanoseconds: sum)
    }

    /// Reads RFC 3339: a date, `T` (or a space), a time with or without a fraction, and an offset. Digits beyond nanoseconds are cut off.
    ///
    /// `nil` for anything else, for a date that does not exist, and beyond the range of a timestamp.
    public init?(rfc3339 text: some StringProtocol) {
        var scanner = TimeScanner(text)
        guard let time = scanner.dateAndTime(), let offset = scanner.offset(), scanner.isAtEnd else { return nil }
        self.init(seconds: time.civil.secondsSince1970 - Int64(offset), nanoseconds: time.nanoseconds)
    }
}

extension [UInt8] {
    /// Appends a number that is not negative with leading zeros, and what stands behind it.
    fileprivate mutating func append(_ number: Int, digits: Int, before separator: Unicode.Scalar) {
        let end = count + digits
        append(contentsOf: repeatElement(UInt8(ascii: "0"), count: digits))
        var rest = number
        var index = end
        while index > end - digits, rest > 0 {
            index -= 1
            self[index] += UInt8(rest % 10)
            rest /= 10
        }
        append(UInt8(ascii: separator))
    }
}

/// Reads the parts of dates and times, byte by byte.
struct TimeScanner {
    private let bytes: [UInt8]
    private var index = 0

    init(_ text: some StringProtocol) {
        bytes = Array(text.utf8)
    }

    var isAtEnd: Bool { index == bytes.count }

    mutating func skip(_ byte: Character) -> Bool {
        guard index < bytes.count, let ascii = byte.asciiValue, bytes[index] == ascii else { return false }
        index += 1
        return true
    }

    /// Exactly `count` digits.
    mutating func digits(_ count: Int) -> Int? {
        guard index + count <= bytes.count else { return nil }
        var value = 0
        for position in index..<(index + count) {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) else { return nil }
            value = value * 10 + Int(bytes[position] - UInt8(ascii: "0"))
        }
        index += count
        return value
    }

    /// `2026-11-24`.
    mutating func date() -> CivilTime? {
        guard let year = digits(4), skip("-"), let month = digits(2), skip("-"), let day = digits(2) else { return nil }
        let civil = CivilTime(year: year, month: month, day: day)
        return civil.isValid ? civil : nil
    }

    /// `14:00`, `14:00:05` or `14:00:05.25` on the date of `civil`.
    mutating func timeOfDay(on civil: CivilTime) -> (civil: CivilTime, nanoseconds: Int)? {
        var civil = civil
        guard let hour = digits(2), skip(":"), let minute = digits(2) else { return nil }
        civil.hour = hour
        civil.minute = minute
        var nanoseconds = 0
        if skip(":") {
            guard let second = digits(2) else { return nil }
            civil.second = second
            if skip(".") || skip(",") {
                guard let fraction = fraction() else { return nil }
                nanoseconds = fraction
            }
        }
        return civil.isValid ? (civil, nanoseconds) : nil
    }

    /// A date and a time with seconds, as RFC 3339 demands.
    mutating func dateAndTime() -> (civil: CivilTime, nanoseconds: Int)? {
        guard let date = date(), skip("T") || skip("t") || skip(" ") else { return nil }
        let start = index
        guard let time = timeOfDay(on: date), index - start >= 8 else { return nil }
        return time
    }

    /// `Z` or `±hh:mm`, in seconds ahead of UTC.
    mutating func offset() -> Int? {
        if skip("Z") || skip("z") { return 0 }
        let isNegative = skip("-")
        guard isNegative || skip("+"), let hours = digits(2), skip(":"), let minutes = digits(2), hours < 24, minutes < 60 else { return nil }
        let seconds = hours * 3_600 + minutes * 60
        return isNegative ? -seconds : seconds
    }

    /// One digit at least; those beyond nine are dropped.
    private mutating func fraction() -> Int? {
        var value = 0
        var count = 0
        while index < bytes.count, let digit = digits(1) {
            if count < 9 { value = value * 10 + digit }
            count += 1
        }
        guard count > 0 else { return nil }
        for _ in min(count, 9)..<9 { value *= 10 }
        return value
    }
}
