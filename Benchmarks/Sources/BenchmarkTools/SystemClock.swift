import Glibc

/// The system's clocks, in nanoseconds.
public enum SystemClock: Sendable {
    /// CPU time of the calling thread.
    case thread
    /// CPU time of all threads.
    case process
    /// The time that passes.
    case wall

    /// What it shows now.
    public var nanoseconds: Int64 {
        let clock =
            switch self {
            case .thread: CLOCK_THREAD_CPUTIME_ID
            case .process: CLOCK_PROCESS_CPUTIME_ID
            case .wall: CLOCK_MONOTONIC
            }
        var time = timespec()
        // Cannot fail: the clocks exist and the pointer is valid for the call.
        unsafe clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
