/// Counts durations in buckets that are at most 3 % wide.
struct DurationHistogram {
    private static let steps = 32
    private var counts = [UInt32](repeating: 0, count: 64 * steps)
    private(set) var count = 0
    private(set) var longest: UInt64 = 0
    private(set) var total: UInt64 = 0

    mutating func record(_ nanoseconds: UInt64) {
        counts[Self.bucket(nanoseconds)] += 1
        count += 1
        total += nanoseconds
        longest = max(longest, nanoseconds)
    }

    mutating func add(_ other: DurationHistogram) {
        for index in counts.indices { counts[index] += other.counts[index] }
        count += other.count
        total += other.total
        longest = max(longest, other.longest)
    }

    /// Below which a part of the durations lies.
    private func quantile(_ part: Double) -> UInt64 {
        var rest = Int(Double(count) * part)
        for index in counts.indices {
            rest -= Int(counts[index])
            if rest < 0 { return min(Self.upperBound(index), longest) }
        }
        return longest
    }

    private static func bucket(_ value: UInt64) -> Int {
        guard value >= UInt64(steps) else { return Int(value) }
        let power = 63 - value.leadingZeroBitCount
        let step = Int(value >> UInt64(power - 5)) - steps
        return (power - 4) * steps + step
    }

    private static func upperBound(_ index: Int) -> UInt64 {
        guard index >= steps else { return UInt64(index) }
        let power = UInt64(index / steps + 4)
        return (UInt64(index % steps + steps + 1) << (power - 5)) - 1
    }

    /// In nanoseconds.
    struct Summary: Encodable {
        var count: Int
        var mean: UInt64
        var p50: UInt64
        var p99: UInt64
        var p999: UInt64
        var longest: UInt64
    }

    var summary: Summary {
        Summary(
            count: count, mean: count > 0 ? total / UInt64(count) : 0, p50: quantile(0.5), p99: quantile(0.99), p999: quantile(0.999), longest: longest)
    }
}
