#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Buckets whose bounds grow by a constant factor, numbered as those of Prometheus' native histograms: bucket i of schema s holds the values above
/// 2^((i - 1) * 2^-s) and up to 2^(i * 2^-s), so that a schema above by one has twice as many buckets.
public struct ExponentialBuckets: Hashable, Sendable {
    /// From 16 powers of two a bucket to 256 buckets a power of two.
    public static let schemas: ClosedRange<Int8> = -4...8

    public let schema: Int8
    /// Upper bounds of the buckets between 1 and 2, without 2 itself; only for schemas above 0.
    private let fractions: [Double]
    /// What holds the infinite: the bucket behind that of the greatest finite value.
    public let infiniteIndex: Int32

    /// - Parameter schema: Taken into ``schemas`` when it lies outside.
    public init(schema: Int8) {
        let schema = min(max(schema, ExponentialBuckets.schemas.lowerBound), ExponentialBuckets.schemas.upperBound)
        self.schema = schema
        fractions = schema > 0 ? (0..<(1 << Int(schema))).map { exp2(Double($0) / Double(1 << Int(schema))) } : []
        infiniteIndex = (schema >= 0 ? 1024 << Int32(schema) : 1024 >> Int32(-schema)) + 1
    }

    /// The bucket of a magnitude.
    ///
    /// - Parameter magnitude: Above zero, not NaN.
    public func index(of magnitude: Double) -> Int32 {
        guard magnitude.isFinite else { return infiniteIndex }
        let exponent = Int32(magnitude.exponent)
        let significand = magnitude.significand
        if schema <= 0 {
            // The least power of two at or above the value.
            let power = significand == 1 ? exponent : exponent + 1
            let width = Int32(1) << Int32(-schema)
            return (power + width - 1) >> Int32(-schema)
        }
        var low = 0
        var high = fractions.count
        while low < high {
            let middle = (low &+ high) / 2
            if fractions[middle] < significand { low = middle &+ 1 } else { high = middle }
        }
        return Int32(low) + exponent << Int32(schema)
    }

    /// The greatest value of a bucket; infinite when no double is greater.
    public func upperBound(of index: Int32) -> Double { exp2(Double(index) * exp2(-Double(schema))) }

    /// A number for the bucket of any value, for counting in one table: 0 for zero, `nil` for NaN.
    func code(of value: Double) -> UInt32? {
        if value.isNaN { return nil }
        if value == 0 { return 0 }
        return UInt32(bitPattern: (index(of: value.magnitude) + ExponentialBuckets.codeOffset) << 1 | (value < 0 ? 1 : 0))
    }

    /// What a code stands for; `nil` for zero.
    static func bucket(ofCode code: UInt32) -> (index: Int32, isNegative: Bool)? {
        code == 0 ? nil : (Int32(bitPattern: code >> 1) - codeOffset, code & 1 == 1)
    }

    /// Above the magnitude of every index, so that a code is never 0.
    private static let codeOffset: Int32 = 1 << 20
}

/// How many values lie in which exponential buckets.
public struct ValueDistribution: Hashable, Sendable {
    public struct Bucket: Hashable, Sendable {
        public var index: Int32
        public var count: Int64

        public init(index: Int32, count: Int64) {
            self.index = index
            self.count = count
        }
    }

    public let schema: Int8
    public var zeroCount: Int64 = 0
    /// Of values above zero, ascending, none empty.
    public private(set) var positive: [Bucket] = []
    /// Of values below zero by their magnitude, ascending, none empty.
    public private(set) var negative: [Bucket] = []

    public init(schema: Int8) {
        self.schema = schema
    }

    public var count: Int64 { (positive + negative).reduce(zeroCount) { $0 + $1.count } }

    /// Counts values of one bucket.
    public mutating func add(_ count: Int64, index: Int32, isNegative: Bool) {
        let bucket = [Bucket(index: index, count: count)]
        if isNegative {
            negative = ValueDistribution.merge(negative, bucket)
        } else {
            positive = ValueDistribution.merge(positive, bucket)
        }
    }

    /// Takes over buckets in any order, each index once.
    init(schema: Int8, zeroCount: Int64, positive: [Bucket], negative: [Bucket]) {
        self.schema = schema
        self.zeroCount = zeroCount
        self.positive = positive.sorted { $0.index < $1.index }
        self.negative = negative.sorted { $0.index < $1.index }
    }

    /// Both have the same schema.
    public mutating func merge(_ other: ValueDistribution) {
        assert(schema == other.schema)
        zeroCount += other.zeroCount
        positive = ValueDistribution.merge(positive, other.positive)
        negative = ValueDistribution.merge(negative, other.negative)
    }

    private static func merge(_ left: [Bucket], _ right: [Bucket]) -> [Bucket] {
        var merged: [Bucket] = []
        merged.reserveCapacity(left.count + right.count)
        var next = 0
        for bucket in left {
            while next < right.count, right[next].index < bucket.index {
                merged.append(right[next])
                next += 1
            }
            merged.append(bucket)
            if next < right.count, right[next].index == bucket.index {
                merged[merged.count - 1].count += right[next].count
                next += 1
            }
        }
        merged.append(contentsOf: right[next...])
        return merged
    }

    /// An estimate of a quantile: exact to the bucket, within it values are taken to lie evenly by their logarithm.
    ///
    /// - Parameter quantile: Taken into 0...1.
    /// - Returns: `nil` when there are no values.
    public func quantile(_ quantile: Double) -> Double? {
        let total = count
        guard total > 0, !quantile.isNaN else { return nil }
        let rank = min(max(quantile, 0), 1) * Double(total)
        let buckets = ExponentialBuckets(schema: schema)
        var passed = 0.0
        for bucket in negative.reversed() where bucket.count > 0 {
            if passed + Double(bucket.count) >= rank {
                return -magnitude(bucket.index, 1 - (rank - passed) / Double(bucket.count), buckets)
            }
            passed += Double(bucket.count)
        }
        if zeroCount > 0 {
            if passed + Double(zeroCount) >= rank { return 0 }
            passed += Double(zeroCount)
        }
        var last = 0.0
        for bucket in positive where bucket.count > 0 {
            let share = (rank - passed) / Double(bucket.count)
            last = magnitude(bucket.index, min(share, 1), buckets)
            if share <= 1 { return last }
            passed += Double(bucket.count)
        }
        return last
    }

    private func magnitude(_ index: Int32, _ share: Double, _ buckets: ExponentialBuckets) -> Double {
        if index >= buckets.infiniteIndex { return .infinity }
        return min(.greatestFiniteMagnitude, exp2((Double(index) - 1 + share) * exp2(-Double(schema))))
    }
}
