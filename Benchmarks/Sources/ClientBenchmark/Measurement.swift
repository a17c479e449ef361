import CMallocCounter
import Glibc

/// What one call costs.
struct Cost {
    /// CPU time of the calling thread.
    var nanoseconds: Double
    var mallocs: Double

    static func - (left: Cost, right: Cost) -> Cost {
        Cost(nanoseconds: left.nanoseconds - right.nanoseconds, mallocs: left.mallocs - right.mallocs)
    }
}

/// Measures calls by the CPU time of the thread, which other processes disturb less than the clock; the best of several rounds counts.
enum Measurement {
    static let rounds = 15

    static func threadNanoseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// The cost of one of the calls that `body` makes.
    ///
    /// - Parameters:
    ///   - count: how many calls a round makes.
    ///   - between: is called between rounds, not measured: to let a delivery catch up.
    static func cost(of count: Int, between: () -> Void = {}, _ body: (Int) -> Void) -> Cost {
        body(max(count / 10, 1))
        var best = Cost(nanoseconds: .infinity, mallocs: .infinity)
        for _ in 0..<rounds {
            between()
            let mallocs = malloc_counter_calls()
            let start = threadNanoseconds()
            body(count)
            let nanoseconds = Double(threadNanoseconds() - start) / Double(count)
            best.nanoseconds = min(best.nanoseconds, nanoseconds)
            best.mallocs = min(best.mallocs, Double(malloc_counter_calls() - mallocs) / Double(count))
        }
        return best
    }
}

/// Prints the table.
struct Report {
    static func line(_ name: String, _ cost: Cost, above base: Cost? = nil, aim: String = "") {
        let difference = base.map { cost - $0 }
        print(
            [
                name.padded(52), number(cost.nanoseconds).padded(9, left: true), number(cost.mallocs).padded(7, left: true),
                (difference.map { number($0.nanoseconds) } ?? "").padded(9, left: true), (difference.map { number($0.mallocs) } ?? "").padded(7, left: true),
                "  " + aim,
            ].joined())
    }

    static func head() {
        print("call".padded(52) + "ns".padded(9, left: true) + "malloc".padded(7, left: true) + "above".padded(9, left: true) + "malloc".padded(7, left: true) + "  aim")
    }

    private static func number(_ value: Double) -> String {
        let tenths = (value * 10).rounded() / 10
        return "\(tenths)"
    }
}

extension String {
    func padded(_ width: Int, left: Bool = false) -> String {
        let space = String(repeating: " ", count: Swift.max(0, width - count))
        return left ? space + self : self + space
    }
}
