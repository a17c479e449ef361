#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Keeps `SIGPIPE`, which ends a process by default, from a process whose console's reader went away.
package enum BrokenPipe {
    /// Runs `body` with the signal blocked in this thread. One that `body` raised is taken away before the thread's signals are as they were; one that waited already is left.
    package static func withoutSignal<Result>(_ body: () -> Result) -> Result {
        // All pointers are valid for their calls.
        var brokenPipe = sigset_t()
        var before = sigset_t()
        _ = unsafe sigemptyset(&brokenPipe)
        _ = unsafe sigaddset(&brokenPipe, SIGPIPE)
        let waited = isPending
        guard unsafe pthread_sigmask(SIG_BLOCK, &brokenPipe, &before) == 0 else { return body() }
        defer {
            if !waited, isPending {
                var signal: Int32 = 0
                // Does not wait: the signal is there.
                _ = unsafe sigwait(&brokenPipe, &signal)
            }
            _ = unsafe pthread_sigmask(SIG_SETMASK, &before, nil)
        }
        return body()
    }

    private static var isPending: Bool {
        var pending = sigset_t()
        guard unsafe sigpending(&pending) == 0 else { return false }
        return unsafe sigismember(&pending, SIGPIPE) == 1
    }
}
