#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// What the system knows of the calling thread.
enum ThreadClock {
    /// Nanoseconds of a clock that nobody sets.
    static var wall: UInt64 { read(CLOCK_MONOTONIC) }

    /// Nanoseconds that the thread has computed.
    static var processor: UInt64 { read(CLOCK_THREAD_CPUTIME_ID) }

    private static func read(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        // The pointer is valid for the call.
        _ = unsafe clock_gettime(clock, &time)
        return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
    }

    /// How often the thread gave up the processor to wait for something, such as a lock, and how often it was taken from it.
    static var switches: (voluntary: Int, involuntary: Int) {
        var usage = rusage()
        #if canImport(Darwin)
        let who = RUSAGE_SELF
        #else
        // RUSAGE_THREAD, which the C library's module leaves out.
        let who = __rusage_who_t(1)
        #endif
        _ = unsafe getrusage(who, &usage)
        return (usage.ru_nvcsw, usage.ru_nivcsw)
    }
}
