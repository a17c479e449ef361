import OrielOTLP
import OrielOTLPMessages
import OrielTelemetry
import Testing

@Suite struct MetricTranslationTests {
    private let time = MetricRequest.time
    private var milliseconds: Int64 { time.milliseconds }

    @Test func aResourceBecomesJobInstancePromotedLabelsAndTargetInfo() throws {
        var request = MetricRequest(.gauge([OTLPNumberPoint(attributes: [Attribute("service.version", "mine")], time: time, value: .double(1.5))]))
        request.resource = Resource(attributes: [
            Attribute("service.name", "shop"), Attribute("service.namespace", "eu"), Attribute("service.instance.id", "i-1"),
            Attribute("service.version", "7"), Attribute("host.name", "h1"), Attribute("os.type", "linux"),
        ])
        let options = OTLPMetricOptions(promotedResourceAttributes: ["service.version", "host.name"])
        let decoded = try request.decoded(options)
        #expect(
            try decoded.samples.plain() == [
                PlainSample(#"m{host_name="h1",instance="i-1",job="eu/shop",service_version="mine"}"#, milliseconds, 1.5),
                PlainSample(#"target_info{host_name="h1",instance="i-1",job="eu/shop",os_type="linux",service_version="7"}"#, milliseconds, 1),
            ])
        #expect(decoded.families.map(\.name) == ["m", "target_info"])
        #expect(decoded.families.map(\.kind) == [.gauge, .info])
    }

    @Test func targetInfoIsWrittenOnceAResourceAtItsLatestTime() throws {
        let resource = Resource(attributes: [Attribute("service.name", "shop"), Attribute("os.type", "linux")])
        let groups = [1, 3, 2].map { second in
            OTLPScopeGroup(
                resource: resource, scope: InstrumentationScope(name: "s\(second)"),
                rows: [OTLPMetric(name: "m", points: .gauge([OTLPNumberPoint(time: Timestamp(milliseconds: Int64(second) * 1000), value: .int(1))]))])
        }
        var decoder = OTLPDecoder()
        let bytes = OTLPEncoder.metrics(groups)
        let samples = try decoder.metrics(bytes.span, receiveTime: MetricRequest.now).samples.plain()
        #expect(samples.filter { $0.series.hasPrefix("target_info") }.map(\.time) == [3000])
        #expect(samples.count == 4)
    }

    /// A decoder is a value: what one copy learns of series does not disturb another, though both write into one memory of them.
    @Test func copiesOfADecoderDoNotDisturbEachOther() throws {
        func request(_ names: [String]) -> [UInt8] {
            OTLPEncoder.metrics([
                OTLPScopeGroup(
                    resource: Resource(), scope: InstrumentationScope(),
                    rows: names.map { OTLPMetric(name: $0, points: .gauge([OTLPNumberPoint(time: time, value: .int(1))])) })
            ])
        }
        var first = OTLPDecoder()
        let known = request(["a"])
        _ = try first.metrics(known.span, receiveTime: MetricRequest.now)
        var second = first
        for names in [["b", "a"], ["a", "c", "b"], ["d"], ["e", "d", "c", "b", "a"]] {
            let bytes = request(names)
            #expect(try first.metrics(bytes.span, receiveTime: MetricRequest.now).samples.plain().map(\.series) == names)
            let reversed = request(names.reversed() + ["only \(names.count)"])
            #expect(try second.metrics(reversed.span, receiveTime: MetricRequest.now).samples.plain().map(\.series).dropLast() == names.reversed())
        }
    }

    @Test func aScopeBecomesLabels() throws {
        var request = MetricRequest(.gauge([OTLPNumberPoint(time: time, value: .int(1))]))
        request.scope = InstrumentationScope(name: "lib", version: "1.2", attributes: [Attribute("a.b", 5)], schemaURL: "https://s")
        #expect(
            try request.decoded().samples.plain().map(\.series) == [
                #"m{otel_scope_a_b="5",otel_scope_name="lib",otel_scope_schema_url="https://s",otel_scope_version="1.2"}"#
            ])
    }

    @Test func anExplicitHistogramIsExpanded() throws {
        let point = OTLPHistogramPoint(
            attributes: [Attribute("route", "/a")], time: time, count: 7, sum: 12.5, bucketCounts: [1, 2, 0, 4], explicitBounds: [0.005, 1, 1e21],
            exemplars: [
                OTLPExemplar(time: time, value: .double(0.5), traceID: TraceID(high: 1, low: 2), spanID: SpanID(rawValue: 3)),
                OTLPExemplar(time: time, value: .int(1), filteredAttributes: [Attribute("user", 9)]),
                OTLPExemplar(time: time, value: .double(1e300)),
            ], min: 0.001, max: 2e300)
        let decoded = try MetricRequest(named: "latency", unit: "s", description: "how long", .histogram([point], temporality: .cumulative)).decoded()
        #expect(
            try decoded.samples.plain() == [
                PlainSample(#"latency_seconds_bucket{le="0.005",route="/a"}"#, milliseconds, 1),
                PlainSample(#"latency_seconds_bucket{le="1",route="/a"}"#, milliseconds, 3),
                PlainSample(#"latency_seconds_bucket{le="1000000000000000000000",route="/a"}"#, milliseconds, 3),
                PlainSample(#"latency_seconds_bucket{le="+Inf",route="/a"}"#, milliseconds, 7),
                PlainSample(#"latency_seconds_count{route="/a"}"#, milliseconds, 7),
                PlainSample(#"latency_seconds_sum{route="/a"}"#, milliseconds, 12.5),
            ])
        #expect(decoded.families == [MetricFamily(name: "latency_seconds", kind: .histogram, unit: "s", help: "how long")])
        let exemplars = decoded.exemplars
        #expect(exemplars.columnBatch.hasConsistentCounts)
        #expect(
            try exemplars.streamIndexes.map { try exemplars.streams.seriesText(Int($0)) } == [
                #"latency_seconds_bucket{le="1",route="/a"}"#, #"latency_seconds_bucket{le="1",route="/a"}"#,
                #"latency_seconds_bucket{le="+Inf",route="/a"}"#,
            ])
        #expect(exemplars.values == [0.5, 1, 1e300])
        #expect(exemplars.traceIDs[0] == TraceID(high: 1, low: 2) && exemplars.spanIDs[0] == 3)
        #expect(exemplars.attributes.attributes(of: 1) == [Attribute("user", 9)])
    }

    @Test func aHistogramWithoutSumOrBucketsHasNoSamplesOfThem() throws {
        let point = OTLPHistogramPoint(time: time, count: 7)
        let decoded = try MetricRequest(.histogram([point], temporality: .cumulative)).decoded()
        #expect(try decoded.samples.values() == [#"m_bucket{le="+Inf"}"#: 7, "m_count": 7])
    }

    @Test func aSummaryBecomesQuantiles() throws {
        let point = OTLPSummaryPoint(
            time: time, count: 4, sum: 10, quantiles: [.init(quantile: 0, value: 1), .init(quantile: 0.99, value: 5), .init(quantile: 1, value: 6)])
        let decoded = try MetricRequest(.summary([point])).decoded()
        #expect(
            try decoded.samples.values() == [
                #"m{quantile="0"}"#: 1, #"m{quantile="0.99"}"#: 5, #"m{quantile="1"}"#: 6, "m_count": 4, "m_sum": 10,
            ])
        #expect(decoded.families.map(\.kind) == [.summary])
    }

    @Test func anExponentialHistogramBecomesANativeOne() throws {
        let point = OTLPExponentialHistogramPoint(
            time: time, count: 20, sum: 3.5, scale: 2, zeroCount: 2, zeroThreshold: 0.01,
            positive: .init(offset: -3, bucketCounts: [1, 0, 0, 2, 3, 0, 0, 0, 4]), negative: .init(offset: 5, bucketCounts: [8]))
        let decoded = try MetricRequest(.exponentialHistogram([point], temporality: .cumulative)).decoded()
        #expect(decoded.histograms.times == [milliseconds])
        let histogram = try decoded.histograms.histogram(at: 0)
        #expect(histogram.schema == 2 && histogram.count == 20 && histogram.sum == 3.5)
        #expect(histogram.zeroCount == 2 && histogram.zeroThreshold == 0.01 && !histogram.isFloat)
        // OTLP's indexes -3, 0, 1, 5 are Prometheus' -2, 1, 2, 6; a gap of two is filled, one of three is not.
        #expect(histogram.positiveSpans == [.init(offset: -2, length: 5), .init(offset: 3, length: 1)])
        #expect(histogram.positiveBuckets == [1, 0, 0, 2, 3, 4])
        #expect(histogram.negativeSpans == [.init(offset: 6, length: 1)] && histogram.negativeBuckets == [8])
    }

    @Test(arguments: [UInt64(1), 2, 3, 4, 5]) func scalingDownKeepsEveryObservationInItsBucket(_ seed: UInt64) throws {
        var random = RandomMessages(seed: seed)
        let scale = Int32(random.count(9...13))
        let offset = Int32(random.count(-700...700))
        let counts = random.list(1...200) { $0.chance(40) ? 0 : UInt64($0.count(1...9)) }
        let point = OTLPExponentialHistogramPoint(
            time: time, count: counts.reduce(0, +), scale: scale, positive: .init(offset: offset, bucketCounts: counts))
        let decoded = try MetricRequest(.exponentialHistogram([point], temporality: .cumulative)).decoded()
        let histogram = try decoded.histograms.histogram(at: 0)
        #expect(histogram.schema == 8)
        var actual: [Int: Double] = [:]
        var index = 0
        var bucket = 0
        for span in histogram.positiveSpans {
            index += Int(span.offset)
            for _ in 0..<span.length {
                if histogram.positiveBuckets[bucket] != 0 { actual[index] = histogram.positiveBuckets[bucket] }
                index += 1
                bucket += 1
            }
        }
        // By definition: OTLP's bucket i is (base^i, base^(i+1)]; its upper end 2^((i+1)/2^scale) lies in Prometheus' bucket j of schema 8
        // with (j-1)/256 < (i+1)/2^scale <= j/256.
        var expected: [Int: Double] = [:]
        for (position, count) in counts.enumerated() where count > 0 {
            let upper = Double(Int(offset) + position + 1) * 256 / Double(1 << Int(scale))
            expected[Int(upper.rounded(.up)), default: 0] += Double(count)
        }
        #expect(actual == expected, "seed \(seed)")
    }

    @Test func hostileExponentialHistogramsAreRejectedOrBounded() throws {
        func decoded(_ scale: Int32, _ offset: Int32, _ counts: [UInt64]) throws -> DecodedMetrics {
            let point = OTLPExponentialHistogramPoint(
                time: time, count: 1, scale: scale, positive: .init(offset: offset, bucketCounts: counts), negative: .init(offset: offset, bucketCounts: counts)
            )
            return try MetricRequest(.exponentialHistogram([point], temporality: .cumulative)).decoded()
        }
        #expect(try decoded(-5, 0, [1]).rejections.count == 1)
        #expect(try decoded(.min, 0, [1]).rejections.count == 1)
        #expect(try decoded(0, .max, [1]).rejections.count == 1)
        #expect(try decoded(.max, .max, [1]).histograms.count == 1)
        #expect(try decoded(.max, .min, [1, 1, 1]).histograms.count == 1)
        #expect(try decoded(8, .min, [1, 0, 0, 0, 0, 1]).histograms.count == 1)
        let large = try decoded(0, 0, [.max, .max]).histograms.histogram(at: 0)
        #expect(large.isFloat && large.positiveBuckets == [Double(UInt64.max), Double(UInt64.max)])
    }

    @Test func aPointWithoutRecordedValueIsAStaleMarker() throws {
        let flags = OTLPPointFlags.noRecordedValue
        let gauge = try MetricRequest(.gauge([OTLPNumberPoint(time: time, value: nil, flags: flags)])).decoded()
        #expect(gauge.samples.values.map(\.isStaleMarker) == [true])
        let histogram = try MetricRequest(
            .histogram([OTLPHistogramPoint(time: time, count: 0, bucketCounts: [0, 0], explicitBounds: [1], flags: flags)], temporality: .cumulative)
        ).decoded()
        #expect(histogram.samples.values.map(\.isStaleMarker) == [true, true, true, true])
        let summary = try MetricRequest(.summary([OTLPSummaryPoint(time: time, count: 0, sum: 0, flags: flags)])).decoded()
        #expect(summary.samples.values.map(\.isStaleMarker) == [true, true])
        let native = try MetricRequest(
            .exponentialHistogram([OTLPExponentialHistogramPoint(time: time, count: 0, flags: flags)], temporality: .cumulative)
        ).decoded()
        #expect(try native.histograms.histogram(at: 0).sum.isStaleMarker)
    }

    @Test func deltaPointsGoTheirOwnWayWithoutTheSandboxsLabels() throws {
        let start = Timestamp(milliseconds: 1_700_000_000_000)
        var request = MetricRequest(
            named: "calls", .sum([OTLPNumberPoint(startTime: start, time: time, value: .int(5))], temporality: .delta, isMonotonic: true))
        request.resource = Resource(attributes: [
            Attribute("service.name", "fn"), Attribute("service.instance.id", "i"), Attribute("faas.instance", "f"), Attribute("host.name", "h"),
        ])
        let options = OTLPMetricOptions(promotedResourceAttributes: ["service.instance.id", "faas.instance", "host.name"])
        let sum = try request.decoded(options)
        #expect(sum.samples.count == 0)
        #expect(try sum.deltas.samples.plain() == [PlainSample(#"calls_total{host_name="h",job="fn"}"#, milliseconds, 5)])
        #expect(sum.deltas.sampleStartTimes == [start.milliseconds])

        let histogram = try MetricRequest(
            .histogram(
                [OTLPHistogramPoint(startTime: start, time: time, count: 3, sum: 2, bucketCounts: [1, 2], explicitBounds: [1])], temporality: .delta)
        ).decoded()
        #expect(
            try histogram.deltas.samples.values() == [#"m_bucket{le="1"}"#: 1, #"m_bucket{le="+Inf"}"#: 3, "m_count": 3, "m_sum": 2])
        let native = try MetricRequest(
            .exponentialHistogram(
                [OTLPExponentialHistogramPoint(startTime: start, time: time, count: 1, positive: .init(offset: 0, bucketCounts: [1]))], temporality: .delta)
        ).decoded()
        #expect(native.deltas.histograms.count == 1 && native.deltas.histogramStartTimes == [start.milliseconds])
        #expect(native.histograms.count == 0)
    }

    @Test func invalidPointsAreRejectedAndTheOthersKept() throws {
        let good = OTLPNumberPoint(attributes: [Attribute("n", 1)], time: time, value: .int(1))
        var tooLate = WireWriter()
        tooLate.messageField(1) { writer in
            writer.messageField(2) { writer in
                writer.messageField(2) { writer in
                    writer.stringField(1, "m")
                    writer.messageField(5) { writer in
                        writer.messageField(1) { writer in
                            writer.fixed64Field(3, UInt64(Int64.max) + 1)
                            writer.doubleField(4, 1)
                        }
                        writer.messageField(1) { writer in
                            writer.fixed64Field(3, 5_000_000)
                            writer.doubleField(4, 1)
                        }
                    }
                }
            }
        }
        var decoder = OTLPDecoder()
        let late = try decoder.metrics(tooLate.bytes.span, receiveTime: MetricRequest.now)
        #expect(late.samples.times == [5] && late.rejections.count == 1)
        #expect(late.rejections.message.hasPrefix("resource_metrics[0].scope_metrics[0].metrics[0].gauge.data_points[0]: time_unix_nano"))

        #expect(try MetricRequest(.gauge([OTLPNumberPoint(time: time, value: nil), good])).decoded().rejections.count == 1)
        #expect(try MetricRequest(.sum([good], temporality: .unspecified, isMonotonic: true)).decoded().rejections.count == 1)
        for (counts, bounds) in [([1], [1]), ([1, 2, 3], [1]), ([1, 2, 3], [2, 1]), ([1, 2, 3], [1, 1]), ([1, 2], [.infinity]), ([1, 2], [.nan])]
            as [([UInt64], [Double])]
        {
            let point = OTLPHistogramPoint(time: time, count: 1, bucketCounts: counts, explicitBounds: bounds)
            let decoded = try MetricRequest(.histogram([point], temporality: .cumulative)).decoded()
            #expect(decoded.rejections.count == 1 && decoded.samples.count == 0, "\(counts) \(bounds)")
        }
    }

    @Test func aPointWithoutTimeGetsTheTimeOfReceipt() throws {
        let decoded = try MetricRequest(.gauge([OTLPNumberPoint(time: Timestamp(nanoseconds: 0), value: .int(1))])).decoded()
        #expect(decoded.samples.times == [MetricRequest.now.milliseconds])
    }

    @Test func aPointWhoseLabelsWouldExplodeIsRejected() throws {
        let point = OTLPHistogramPoint(
            attributes: [Attribute("big", .string(String(repeating: "x", count: 100_000)))], time: time, count: 1,
            bucketCounts: [UInt64](repeating: 0, count: 1001), explicitBounds: (0..<1000).map(Double.init))
        let decoded = try MetricRequest(.histogram([point], temporality: .cumulative)).decoded()
        #expect(decoded.rejections.count == 1 && decoded.samples.count == 0)
    }

    @Test func repeatedNumbersAreReadUnpackedToo() throws {
        var writer = WireWriter()
        writer.messageField(1) { writer in
            writer.messageField(2) { writer in
                writer.messageField(2) { writer in
                    writer.messageField(9) { writer in
                        writer.varintField(2, 2)
                        writer.messageField(1) { writer in
                            for count in [1, 2, 3] as [UInt64] { writer.fixed64Field(6, count) }
                            for bound in [1.0, 2.0] { writer.doubleField(7, bound) }
                            writer.fixed64Field(3, 5_000_000)
                            writer.fixed64Field(4, 6)
                        }
                    }
                    writer.stringField(1, "h")
                }
            }
        }
        var decoder = OTLPDecoder()
        let decoded = try decoder.metrics(writer.bytes.span, receiveTime: MetricRequest.now)
        #expect(
            try decoded.samples.values() == [#"h_bucket{le="1"}"#: 1, #"h_bucket{le="2"}"#: 3, #"h_bucket{le="+Inf"}"#: 6, "h_count": 6])
    }
}
