import Glibc
import Synchronization

/// The value of the `Date` header (RFC 9110, 5.6.7), formatted once a second.
final class HTTPDate: Sendable {
    private struct Cached {
        var second: Int = .min
        var text = ""
    }

    private let cached = Mutex(Cached())

    /// The current time as an IMF-fixdate.
    var now: String {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        let second = time.tv_sec
        return cached.withLock { cached in
            if cached.second != second {
                cached.second = second
                cached.text = Self.format(second)
            }
            return cached.text
        }
    }

    /// The IMF-fixdate of a Unix time in seconds.
    static func format(_ second: Int) -> String {
        let day = Int((Double(second) / 86400).rounded(.down))
        let clock = second - day * 86400
        // Days since 1 March of year 0, in eras of 400 years of 146097 days; the leap day then ends a year.
        let shifted = day + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let dayOfMonth = dayOfYear - (153 * marchMonth + 2) / 5 + 1
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        let weekday = ((day % 7) + 11) % 7
        return "\(dayNames[weekday]), \(padded(dayOfMonth)) \(monthNames[month - 1]) \(year) "
            + "\(padded(clock / 3600)):\(padded(clock / 60 % 60)):\(padded(clock % 60)) GMT"
    }

    private static let dayNames = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let monthNames = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    private static func padded(_ value: Int) -> String {
        value < 10 ? "0\(value)" : "\(value)"
    }
}
