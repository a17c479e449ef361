import BenchmarkTools
import Synchronization

/// Measures calls by the CPU time of the thread, which other processes disturb less than the time that passes.
///
/// What is compared is measured in turns, so that a busy minute of the machine meets all of it, and of each the best round counts.
struct Measurement {
    /// How often each is measured.
    var rounds: Int
    /// Calls of a round: few enough that what they emit fits into memory that the delivery has given back, as in the steady state.
    var calls = 4000
    /// Runs before each round and is not measured: lets a delivery catch up.
    var pause: () -> Void = {}

    /// The cost of one call of each of `bodies`, which make as many calls as they are told.
    func costs(_ bodies: [(Int) -> Void]) -> [Cost] {
        for body in bodies { body(calls) }
        var best = [Cost](repeating: .worst, count: bodies.count)
        for _ in 0..<rounds {
            for (position, body) in bodies.enumerated() {
                pause()
                let start = ThreadUsage.now
                body(calls)
                best[position].improve(by: start.cost(of: calls))
            }
        }
        return best
    }

    /// The cost of one call of each of `bodies` when so many threads make calls at the same time: the mean over the threads, each by its own CPU time.
    ///
    /// The median round counts, not the best one: that would be the one in which the threads happened to run one after the other and did not meet. For the same reason a
    /// round should last for several of the system's time slices.
    ///
    /// - Parameter bodies: are given the thread's position and the number of calls.
    func costs(threads: Int, _ bodies: [@Sendable (Int, Int) -> Void]) -> [Cost] {
        var all = [[Cost]](repeating: [], count: bodies.count)
        for _ in 0..<rounds {
            for (position, body) in bodies.enumerated() {
                pause()
                all[position].append(Self.round(threads: threads, calls: calls, body))
            }
        }
        return all.map { costs in
            Cost(nanoseconds: costs.map(\.nanoseconds).sorted()[costs.count / 2], mallocs: costs.map(\.mallocs).sorted()[costs.count / 2])
        }
    }

    private static func round(threads: Int, calls: Int, _ body: @escaping @Sendable (Int, Int) -> Void) -> Cost {
        let start = StartLine(runners: threads)
        let costs = Mutex<[Cost]>([])
        let running = (0..<threads).compactMap { position in
            RunningThread {
                start.waitForAll()
                let usage = ThreadUsage.now
                body(position, calls)
                let cost = usage.cost(of: calls)
                costs.withLock { $0.append(cost) }
            }
        }
        precondition(running.count == threads, "the system has no thread to give")
        for thread in running { thread.join() }
        let all = costs.withLock { $0 }
        return Cost(nanoseconds: all.reduce(0) { $0 + $1.nanoseconds }, mallocs: all.reduce(0) { $0 + $1.mallocs }) / Double(threads)
    }
}
