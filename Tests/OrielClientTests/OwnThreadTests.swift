import OrielThreads
import Synchronization
import Testing

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

@Suite struct OwnThreadTests {
    private final class Result: Sendable {
        let blocked = Mutex<Set<Int32>>([])
    }

    /// The signals that this thread does not take.
    private static var blocked: Set<Int32> {
        var mask = sigset_t()
        _ = unsafe pthread_sigmask(SIG_BLOCK, nil, &mask)
        return Set((1..<32).filter { unsafe sigismember(&mask, $0) == 1 })
    }

    @Test func signalsForTheProcessAreLeftToItsThreads() throws {
        let before = Self.blocked
        let result = Result()
        let thread = try OwnThread(name: "test") { result.blocked.withLock { $0 = Self.blocked } }
        #expect(Self.blocked == before)
        thread.join()
        let blocked = result.blocked.withLock { $0 }
        #expect(blocked.isSuperset(of: [SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD, SIGPIPE, SIGALRM]))
        // Those that the thread causes itself are for whoever reports crashes.
        #expect(blocked.isDisjoint(with: [SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGABRT]))
    }
}
