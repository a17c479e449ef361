/// Durations of requests in nanoseconds, and their quantiles.
struct LatencyRecorder: Sendable {
    private var values: [Int64] = []

    var count: Int { values.count }

    mutating func record(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        values.append(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }

    mutating func merge(_ other: LatencyRecorder) {
        values.append(contentsOf: other.values)
    }

    /// The quantiles, in milliseconds: the smallest value that is at least as long as the given part of all.
    ///
    /// Complexity: O(*n* log *n*).
    func quantiles(_ quantiles: [Double]) -> [Double] {
        let sorted = values.sorted()
        guard !sorted.isEmpty else { return quantiles.map { _ in 0 } }
        return quantiles.map { quantile in
            let rank = Int((quantile * Double(sorted.count)).rounded(.up)) - 1
            return Double(sorted[min(max(rank, 0), sorted.count - 1)]) / 1e6
        }
    }
}
