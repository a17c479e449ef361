#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

extension Timestamp {
    /// The wall clock (`CLOCK_REALTIME`), about 30 ns a call.
    public static var now: Timestamp {
        var time = timespec()
        // Cannot fail: the clock exists and the pointer is valid for the call.
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(nanoseconds: Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec))
    }
}
