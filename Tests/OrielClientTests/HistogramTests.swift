import OrielClient
import Testing

#if canImport(Glibc)
import Glibc
#endif

@Suite struct HistogramTests {
    private func exponential(
        _ values: [Double], maximumBuckets: Int = 160, maximumScale: Int = 20
    ) throws -> MetricSnapshot.ExponentialHistogram {
        let registry = quietRegistry()
        let histogram = registry.histogram(
            "h", buckets: .exponential(maximumBuckets: maximumBuckets, maximumScale: maximumScale))
        for value in values { histogram.record(value) }
        guard case .exponentialHistogram(let point) = try #require(registry.snapshot().families.first?.series.first).point else {
            Issue.record("not exponential")
            throw CancellationError()
        }
        return point
    }

    @Test func boundsBelongToTheLowerBucket() throws {
        let registry = quietRegistry()
        let histogram = registry.histogram("h", buckets: .explicit([1, 2.5, 10]))
        for value in [-5, 0, 1, 1.0000001, 2.5, 2.6, 10, 11, 1e300] { histogram.record(value) }
        guard case .histogram(let point) = try #require(registry.snapshot().families.first?.series.first).point else {
            Issue.record("not classic")
            return
        }
        #expect(point.counts == [3, 2, 2, 2])
        #expect(point.count == 9)
    }

    @Test func badBoundsAreRefusedOrRepaired() throws {
        let registry = quietRegistry()
        for bounds in [[2, 1], [1, 1], [.nan], [1, .infinity], Array(repeating: 0, count: 1000)] as [[Double]] {
            #expect(throws: MetricRegistrationError.self) { try registry.registerHistogram("h", buckets: .explicit(bounds)) }
        }
        registry.histogram("h", buckets: .explicit([2, .nan, 1, 2, .infinity])).record(1.5)
        #expect(registry.value("h_bucket{le=\"1\"}") == 0)
        #expect(registry.value("h_bucket{le=\"2\"}") == 1)
        #expect(registry.text().components(of: "h_bucket") == 3)
    }

    @Test func powersOfTwoAreExactAtEveryScale() throws {
        for scale in [-10, -3, -1, 0, 1, 3, 8, 20] {
            for exponent in [-1022, -1000, -5, -1, 0, 1, 2, 7, 1000, 1023] {
                let point = try exponential([exp2(Double(exponent))], maximumScale: scale)
                // The bucket ends at the value: (index + 1) · 2^-scale = exponent, rounded up at coarse scales.
                let expected = scale >= 0 ? (exponent << scale) - 1 : (exponent - 1) >> -scale
                #expect(point.positiveOffset == expected, "2^\(exponent) at scale \(scale)")
                #expect(point.scale == scale)
            }
        }
    }

    @Test(arguments: [1, 2, 3] as [UInt64]) func everyValueIsInItsBucket(seed: UInt64) throws {
        var state = seed
        for _ in 0..<2000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let value = exp2(Double(Int64(bitPattern: state) % 1000) / 37 + 0.0123)
            for scale in [-2, 0, 3, 8] {
                let point = try exponential([value], maximumScale: scale)
                let lower = exp2(Double(point.positiveOffset) * exp2(-Double(scale)))
                let upper = exp2(Double(point.positiveOffset + 1) * exp2(-Double(scale)))
                #expect(value > lower * (1 - 1e-12) && value <= upper * (1 + 1e-12), "\(value) at scale \(scale), seed \(seed)")
            }
        }
    }

    @Test func theScaleGoesDownToFitTheBuckets() throws {
        let values = (0..<1000).map { 0.001 * exp2(Double($0) / 50) }
        let point = try exponential(values)
        #expect(point.positiveCounts.count <= 160)
        #expect(point.count == 1000)
        // 20 octaves in 160 buckets: eight an octave, less one step for the ends.
        #expect(point.scale == 2)
        #expect(abs(point.sum - values.reduce(0, +)) < 1e-6)

        let small = try exponential(values, maximumBuckets: 4)
        #expect(small.positiveCounts.count <= 4)
        #expect(small.count == 1000)
    }

    @Test func theWholeRangeOfDoublesFits() throws {
        let values = [
            Double.leastNonzeroMagnitude, .leastNormalMagnitude, .greatestFiniteMagnitude, -.leastNonzeroMagnitude,
            -.greatestFiniteMagnitude, 1, -1, 0, -0.0,
        ]
        for buckets in [4, 160] {
            let point = try exponential(values + values.reversed(), maximumBuckets: buckets)
            #expect(point.count == 18)
            #expect(point.zeroCount == 4)
            #expect(point.positiveCounts.count <= buckets)
            #expect(point.negativeCounts.count <= buckets)
        }
    }

    #if os(Linux)
    /// Whether the script that runs tests under a sanitizer started this process.
    private static let isSanitized = unsafe getenv("ORIEL_SANITIZER") != nil

    /// What recorders are by default must be affordable for some thousand label sets.
    @Test(.disabled(if: Self.isSanitized, "a sanitizer keeps books of its own about each piece of memory")) func aHistogramWithFewBucketsIsSmall() async {
        await #expect(processExitsWith: .success) {
            let registry = quietRegistry()
            registry.addCollector(ProcessMetrics.collect)
            let before = try #require(registry.value("process_resident_memory_bytes"))
            for number in 0..<1999 {
                let histogram = registry.histogram("h", labels: ["n": "\(number)"], buckets: .exponential())
                for _ in 0..<10 { histogram.record(20) }
            }
            let growth = try #require(registry.value("process_resident_memory_bytes")) - before
            // The text itself is among it.
            print("bytes of a series: \(growth / 1999)")
            #expect(growth / 1999 < 4096)
        }
    }
    #endif

    @Test func exponentialOnesAreOctavesInText() {
        let registry = quietRegistry()
        let histogram = registry.histogram("h", buckets: .exponential())
        for value in [0.3, 0.5, 0.6, 1, 1.5, 2, 3, 100] { histogram.record(value) }
        #expect(
            registry.text() == """
                # TYPE h histogram
                h_bucket{le="0.5"} 2
                h_bucket{le="1"} 4
                h_bucket{le="2"} 6
                h_bucket{le="4"} 7
                h_bucket{le="8"} 7
                h_bucket{le="16"} 7
                h_bucket{le="32"} 7
                h_bucket{le="64"} 7
                h_bucket{le="128"} 8
                h_bucket{le="+Inf"} 8
                h_sum 108.9
                h_count 8

                """)
    }

    @Test func negativeAndZeroValuesHaveBuckets() {
        let registry = quietRegistry()
        let histogram = registry.histogram("h", buckets: .exponential())
        for value in [-3, -0.7, 0, 0, 1.5] { histogram.record(value) }
        #expect(
            registry.text() == """
                # TYPE h histogram
                h_bucket{le="-2"} 1
                h_bucket{le="-1"} 1
                h_bucket{le="-0.5"} 2
                h_bucket{le="0"} 4
                h_bucket{le="2"} 5
                h_bucket{le="+Inf"} 5
                h_sum -2.2
                h_count 5

                """)
        // A sum that may go down is no OpenMetrics sum, and without one there is no count either.
        #expect(
            registry.text(.openMetrics) == """
                # TYPE h histogram
                h_bucket{le="-2.0"} 1
                h_bucket{le="-1.0"} 1
                h_bucket{le="-0.5"} 2
                h_bucket{le="0.0"} 4
                h_bucket{le="2.0"} 5
                h_bucket{le="+Inf"} 5
                # EOF

                """)
    }
}

extension String {
    func components(of part: String) -> Int {
        split(separator: "\n").count { $0.hasPrefix(part) }
    }
}
