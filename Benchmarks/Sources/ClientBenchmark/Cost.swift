import BenchmarkTools
import CMallocCounter

/// What one call costs.
struct Cost {
    /// CPU time of the calling thread.
    var nanoseconds: Double
    /// Allocations by the calling thread.
    var mallocs: Double

    /// More than any call costs.
    static let worst = Cost(nanoseconds: .infinity, mallocs: .infinity)

    static func - (left: Cost, right: Cost) -> Cost {
        Cost(nanoseconds: left.nanoseconds - right.nanoseconds, mallocs: left.mallocs - right.mallocs)
    }

    static func / (cost: Cost, divisor: Double) -> Cost {
        Cost(nanoseconds: cost.nanoseconds / divisor, mallocs: cost.mallocs / divisor)
    }

    /// The better of both in each respect.
    mutating func improve(by other: Cost) {
        nanoseconds = min(nanoseconds, other.nanoseconds)
        mallocs = min(mallocs, other.mallocs)
    }
}

/// CPU time and allocations of the calling thread up to now.
struct ThreadUsage {
    private let nanoseconds: Int64
    private let mallocs: UInt

    static var now: ThreadUsage { ThreadUsage(nanoseconds: SystemClock.thread.nanoseconds, mallocs: malloc_counter_calls()) }

    /// What each of `count` calls since then cost.
    func cost(of count: Int) -> Cost {
        let now = ThreadUsage.now
        return Cost(nanoseconds: Double(now.nanoseconds - nanoseconds) / Double(count), mallocs: Double(now.mallocs - mallocs) / Double(count))
    }
}
