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
        var second = second
        var fields = tm()
        unsafe gmtime_r(&second, &fields)
        let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let day = days[Int(fields.tm_wday) % 7]
        let month = months[Int(fields.tm_mon) % 12]
        return "\(day), \(padded(fields.tm_mday)) \(month) \(Int(fields.tm_year) + 1900) "
            + "\(padded(fields.tm_hour)):\(padded(fields.tm_min)):\(padded(fields.tm_sec)) GMT"
    }

    private static func padded(_ value: Int32) -> String {
        value < 10 ? "0\(value)" : "\(value)"
    }
}
