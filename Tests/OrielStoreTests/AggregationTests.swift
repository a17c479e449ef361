import OrielStore
import OrielTelemetry
import Testing

@Suite("Aggregations")
struct AggregationTests {
    @Test("a value lies between the bounds of its bucket", arguments: ExponentialBuckets.schemas)
    func buckets(schema: Int8) {
        let buckets = ExponentialBuckets(schema: schema)
        var values: [Double] = [1, 2, 4, 0.5, 1e-300, 1e300, .leastNonzeroMagnitude, .leastNormalMagnitude, .greatestFiniteMagnitude, 3, 65_536, 65_537]
        for exponent in -40...40 { values.append(contentsOf: [Double(sign: .plus, exponent: exponent, significand: 1.37)]) }
        for value in values {
            let index = buckets.index(of: value)
            #expect(value <= buckets.upperBound(of: index), "\(value) in \(index)")
            #expect(index < buckets.infiniteIndex)
            // Bounds between the least doubles are rounded to these.
            let lower = buckets.upperBound(of: index - 1)
            #expect(value > lower || (value == lower && value < .leastNormalMagnitude), "\(value) in \(index)")
        }
        #expect(buckets.index(of: .infinity) == buckets.infiniteIndex)
    }

    @Test("a quantile lies in the bucket of the value that it estimates")
    func quantiles() throws {
        var distribution = ValueDistribution(schema: 3)
        let buckets = ExponentialBuckets(schema: 3)
        for value in 1...1_000 { distribution.add(1, index: buckets.index(of: Double(value)), isNegative: false) }
        for value in [0.01, 0.5, 0.9, 0.99, 1] {
            let estimate = try #require(distribution.quantile(value))
            #expect(abs(estimate / (value * 1_000) - 1) < 0.1, "\(value): \(estimate)")
        }
        var mixed = ValueDistribution(schema: 0)
        mixed.zeroCount = 2
        mixed.add(1, index: 3, isNegative: true)
        mixed.add(1, index: buckets.infiniteIndex * 8, isNegative: false)
        #expect(try #require(mixed.quantile(0)) == -8)
        #expect(mixed.quantile(0.5) == 0)
        #expect(mixed.quantile(1) == .infinity)
        #expect(ValueDistribution(schema: 0).quantile(0.5) == nil)
    }

    @Test("extremes compare integers and doubles exactly")
    func extremes() {
        func value(_ isMinimum: Bool, _ integer: Int64, _ double: Double) -> NumericValue? {
            var extreme = NumericExtreme(isMinimum: isMinimum)
            extreme.add(integer)
            extreme.add(double)
            return extreme.value
        }
        #expect(value(true, 3, 3.5) == .int(3))
        #expect(value(false, 3, 3.5) == .double(3.5))
        #expect(value(false, 3, 3) == .int(3))
        #expect(value(true, (1 << 53) + 1, 0x1p53) == .double(0x1p53))
        #expect(value(false, (1 << 53) + 1, 0x1p53) == .int((1 << 53) + 1))
        #expect(value(false, .max, 0x1p63) == .double(0x1p63))
        #expect(value(true, .min, -.infinity) == .double(-.infinity))
        #expect(value(true, 1, .nan) == .int(1))
        #expect(value(true, -3, -3.5) == .double(-3.5))
        #expect(value(false, -3, -3.5) == .int(-3))
    }

    @Test("a time lies in its bucket, and arithmetic saturates")
    func timeBuckets() {
        func start(_ time: Int64, _ origin: Int64, _ width: Int64) -> Int64 {
            TimeBuckets(origin: Timestamp(nanoseconds: origin), width: width).start(of: Timestamp(nanoseconds: time)).nanoseconds
        }
        #expect(start(25, 0, 10) == 20)
        #expect(start(20, 0, 10) == 20)
        #expect(start(-1, 0, 10) == -10)
        #expect(start(-10, 3, 10) == -17)
        #expect(start(.min, 0, .max) == .min)
        #expect(start(.max, .min, 10) == -8)
        #expect(start(.min, .max, 10) == -1)
    }
}
