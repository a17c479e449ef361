import OrielTelemetry
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
        let second = Int(Timestamp.now.secondsAndFraction.seconds)
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
        let time = CivilTime(secondsSince1970: Int64(second))
        let clock = [time.hour, time.minute, time.second].map(padded).joined(separator: ":")
        return "\(dayNames[time.weekday]), \(padded(time.day)) \(monthNames[time.month - 1]) \(time.year) \(clock) GMT"
    }

    private static func padded(_ value: Int) -> String {
        value < 10 ? "0\(value)" : "\(value)"
    }

    private static let dayNames = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    private static let monthNames = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
}
