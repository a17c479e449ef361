import BenchmarkTools
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
                let start = SystemClock.thread.nanoseconds
                body(calls)
                best[position] = min(best[position], Double(SystemClock.thread.nanoseconds - start) / Double(calls))
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
        let start = StartLine(runners: threads)
        let times = Mutex<[Times]>([])
        let running = (0..<threads).compactMap { _ in
            RunningThread {
                start.waitForAll()
                let begin = SystemClock.wall.nanoseconds
                let used = SystemClock.thread.nanoseconds
                body(calls)
                let own = Times(begin: begin, end: SystemClock.wall.nanoseconds, used: SystemClock.thread.nanoseconds - used)
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

/// Waits for what goes on in the background.
enum Rest {
    /// Returns when the process has used hardly any CPU time for some milliseconds, or after ten seconds.
    static func wait() {
        let start = SystemClock.wall.nanoseconds
        var quiet = 0
        while quiet < 4, SystemClock.wall.nanoseconds - start < 10_000_000_000 {
            let used = SystemClock.process.nanoseconds
            usleep(1000)
            // What is left is the price of looking.
            quiet = SystemClock.process.nanoseconds - used < 60_000 ? quiet + 1 : 0
        }
    }
}
