import Glibc
import Synchronization

/// Measures calls by the CPU time of the thread, which other processes disturb less than the time that passes.
///
/// What is compared is measured in turns, so that a busy minute of the machine meets all of it, and of each the best round counts.
struct Measurement {
    /// How often each is measured.
    var rounds: Int
    /// Calls of a round.
    var calls: Int
    /// Runs before each round and is not measured: lets the libraries catch up.
    var pause: () -> Void = {}

    /// The nanoseconds of one call of each of `bodies`, which make as many calls as they are told.
    func costs(_ bodies: [(Int) -> Void]) -> [Double] {
        for body in bodies { body(calls) }
        var best = [Double](repeating: .infinity, count: bodies.count)
        for _ in 0..<rounds {
            for (position, body) in bodies.enumerated() {
                pause()
                let start = Clock.thread.nanoseconds
                body(calls)
                best[position] = min(best[position], Double(Clock.thread.nanoseconds - start) / Double(calls))
            }
        }
        return best
    }

    /// The same when so many threads make calls at the same time: the mean over the threads, each by its own CPU time.
    ///
    /// On a busy machine threads often run one after the other and do not meet. So only the third of the rounds counts in which they ran at the same time most,
    /// and of it the median.
    ///
    /// - Precondition: there are at least three rounds.
    func costs(threads: Int, _ bodies: [@Sendable (Int) -> Void]) -> [Double] {
        var all = [[Round]](repeating: [], count: bodies.count)
        for _ in 0..<rounds {
            for (position, body) in bodies.enumerated() {
                pause()
                all[position].append(Round(threads: threads, calls: calls, body))
            }
        }
        return all.map { rounds in
            let met = rounds.sorted { $0.overlap > $1.overlap }.prefix(rounds.count / 3)
            return met.map(\.cost).sorted()[met.count / 2]
        }
    }
}

/// What threads did at the same time.
private struct Round {
    /// The nanoseconds of one call.
    var cost: Double
    /// How many threads ran at a time, in the mean.
    var overlap: Double

    init(threads: Int, calls: Int, _ body: @escaping @Sendable (Int) -> Void) {
        let missing = Missing(threads)
        let times = Mutex<[Times]>([])
        let running = (0..<threads).compactMap { _ in
            RunningThread {
                missing.arrive()
                let begin = Clock.wall.nanoseconds
                let used = Clock.thread.nanoseconds
                body(calls)
                let own = Times(begin: begin, end: Clock.wall.nanoseconds, used: Clock.thread.nanoseconds - used)
                times.withLock { $0.append(own) }
            }
        }
        precondition(running.count == threads, "the system has no thread to give")
        for thread in running { thread.join() }
        let all = times.withLock { $0 }
        let used = Double(all.reduce(0) { $0 + $1.used })
        let passed = (all.map(\.end).max() ?? 0) - (all.map(\.begin).min() ?? 0)
        cost = used / Double(threads * calls)
        overlap = used / Double(max(passed, 1))
    }

    /// Of one thread: when it began and ended, and its CPU time.
    private struct Times {
        var begin: Int64
        var end: Int64
        var used: Int64
    }
}

/// The system's clocks, in nanoseconds.
enum Clock {
    /// CPU time of the calling thread.
    case thread
    /// CPU time of all threads.
    case process
    /// The time that passes.
    case wall

    var nanoseconds: Int64 {
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

/// Waits for what goes on in the background.
enum Rest {
    /// Returns when the process has used hardly any CPU time for some milliseconds, or after ten seconds.
    static func wait() {
        let start = Clock.wall.nanoseconds
        var quiet = 0
        while quiet < 4, Clock.wall.nanoseconds - start < 10_000_000_000 {
            let used = Clock.process.nanoseconds
            usleep(1000)
            // What is left is the price of looking.
            quiet = Clock.process.nanoseconds - used < 60_000 ? quiet + 1 : 0
        }
    }
}

/// Where threads wait for each other to begin at the same time.
private final class Missing: Sendable {
    private let count: Atomic<Int>

    init(_ threads: Int) { count = Atomic(threads) }

    func arrive() {
        count.subtract(1, ordering: .acquiringAndReleasing)
        while count.load(ordering: .acquiring) > 0 { sched_yield() }
    }
}

/// A thread of the system.
private struct RunningThread {
    private let thread: pthread_t

    private final class Body: Sendable {
        let run: @Sendable () -> Void

        init(run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// `nil` when the system has none to give.
    init?(_ run: @escaping @Sendable () -> Void) {
        var created = pthread_t()
        let body = unsafe Unmanaged.passRetained(Body(run: run))
        let code = unsafe pthread_create(
            &created, nil,
            { context in
                // The thread takes over the reference that its maker retained for it.
                if let context = unsafe context { unsafe Unmanaged<Body>.fromOpaque(context).takeRetainedValue().run() }
                return nil
            }, body.toOpaque())
        guard code == 0 else {
            unsafe body.release()
            return nil
        }
        thread = created
    }

    func join() { pthread_join(thread, nil) }
}
