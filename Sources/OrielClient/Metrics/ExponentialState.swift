/// A base-2 exponential histogram under construction.
///
/// It starts at its finest scale and halves the resolution whenever a value would need more buckets than allowed.
struct ExponentialState: Sendable {
    /// At scale -10 all doubles fall into three buckets, so no capacity asks for less.
    static let scales: ClosedRange<Int> = -10...20
    static let capacities: ClosedRange<Int> = 4...160

    let capacity: Int
    private(set) var scale: Int
    private(set) var sum = 0.0
    /// Values recorded, those of merged states aside.
    private var recorded: UInt64 = 0
    private(set) var zeroCount: UInt64 = 0
    private(set) var positive = ExponentialBuckets()
    private(set) var negative = ExponentialBuckets()

    /// - Parameters: `capacity` and `scale` are taken as the nearest of ``capacities`` and ``scales``.
    init(capacity: Int, scale: Int) {
        self.capacity = min(max(capacity, Self.capacities.lowerBound), Self.capacities.upperBound)
        self.scale = min(max(scale, Self.scales.lowerBound), Self.scales.upperBound)
    }

    /// Counts a finite value.
    /// - Returns: how many were recorded before.
    @discardableResult
    @inline(__always)
    mutating func record(_ value: Double) -> UInt64 {
        let number = recorded
        recorded &+= 1
        sum += value
        if value == 0 {
            zeroCount &+= 1
            return number
        }
        var index = Self.index(of: value.magnitude, scale: scale)
        if value > 0 {
            if !positive.contains(index) {
                let shift = positive.shift(toInclude: index, capacity: capacity)
                downscale(by: shift)
                index >>= shift
            }
            positive.add(1, at: index)
        } else {
            if !negative.contains(index) {
                let shift = negative.shift(toInclude: index, capacity: capacity)
                downscale(by: shift)
                index >>= shift
            }
            negative.add(1, at: index)
        }
        return number
    }

    /// Adds all counts of another histogram of the same capacity.
    mutating func merge(_ other: ExponentialState) {
        var other = other
        while true {
            let shared = min(scale, other.scale)
            downscale(by: scale - shared)
            other.downscale(by: other.scale - shared)
            let shift = max(
                other.positive.isEmpty
                    ? 0 : positive.shift(toInclude: other.positive.low, through: other.positive.high, capacity: capacity),
                other.negative.isEmpty
                    ? 0 : negative.shift(toInclude: other.negative.low, through: other.negative.high, capacity: capacity))
            if shift == 0 { break }
            downscale(by: shift)
        }
        for (offset, count) in other.positive.counts.enumerated() {
            positive.add(count, at: other.positive.low + offset)
        }
        for (offset, count) in other.negative.counts.enumerated() {
            negative.add(count, at: other.negative.low + offset)
        }
        sum += other.sum
        zeroCount &+= other.zeroCount
    }

    private mutating func downscale(by shift: Int) {
        guard shift > 0 else { return }
        positive.downscale(by: shift)
        negative.downscale(by: shift)
        scale -= shift
    }

    /// The index of the bucket of a positive finite number: the largest i with 2^(i·2^-scale) < magnitude. Numbers below the normal range
    /// count as the smallest normal one.
    @inline(__always)
    static func index(of magnitude: Double, scale: Int) -> Int {
        let bits = max(magnitude, Double.leastNormalMagnitude).bitPattern
        let exponent = Int(bits >> 52) - 1023
        let fraction = bits & 0xF_FFFF_FFFF_FFFF
        // Bounds belong to the bucket below, so powers of two need no logarithm, and must not depend on the rounding of one.
        if fraction == 0 {
            return scale > 0 ? (exponent << scale) - 1 : (exponent - 1) >> -scale
        }
        guard scale > 0 else { return exponent >> -scale }
        let position = Int(BinaryLogarithm.ofSignificand(fraction: fraction) * Double(1 << scale))
        return (exponent << scale) + min(position, (1 << scale) - 1)
    }
}
