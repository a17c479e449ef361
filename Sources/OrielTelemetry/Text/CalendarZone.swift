#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// The zone in which times without an offset are read and in which times are shown.
public enum CalendarZone: Hashable, Sendable {
    case utc
    /// The zone of the process: `TZ`, else the system's.
    case local

    /// The date and time in this zone, and by how many seconds the zone is ahead of UTC then.
    public func civilTime(secondsSince1970 seconds: Int64) -> (time: CivilTime, offset: Int) {
        guard self == .local else { return (CivilTime(secondsSince1970: seconds), 0) }
        var moment = time_t(seconds)
        var fields = unsafe tm()
        // Safe: both pointers are valid for the call, and the reentrant form keeps nothing.
        guard unsafe localtime_r(&moment, &fields) != nil else { return (CivilTime(secondsSince1970: seconds), 0) }
        let offset = unsafe Int(fields.tm_gmtoff)
        return (CivilTime(secondsSince1970: seconds + Int64(offset)), offset)
    }

    /// The moment of a date and time in this zone. Of a time that occurs twice (clocks set back) the system's choice; one that is skipped moves on by the gap.
    public func secondsSince1970(_ time: CivilTime) -> Int64 {
        guard self == .local else { return time.secondsSince1970 }
        var fields = unsafe tm()
        unsafe fields.tm_year = Int32(clamping: time.year - 1_900)
        unsafe fields.tm_mon = Int32(clamping: time.month - 1)
        unsafe fields.tm_mday = Int32(clamping: time.day)
        unsafe fields.tm_hour = Int32(clamping: time.hour)
        unsafe fields.tm_min = Int32(clamping: time.minute)
        unsafe fields.tm_sec = Int32(clamping: time.second)
        unsafe fields.tm_isdst = -1
        // Safe: the pointer is valid for the call.
        return unsafe Int64(mktime(&fields))
    }
}
