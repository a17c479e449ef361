import OrielOTLP
import OrielTelemetry
import Testing

/// Walks ``OTLPMetricMapping/table``: for each row a request is changed in that field alone. What is kept or derived must change the
/// result, and for a kept field the new value must be
/// found in it; what is dropped must change nothing.
@Suite struct MetricMappingTests {
    /// A request with one metric of each kind, all fields set, and what a row changes in it.
    private struct Request {
        var resource = Resource(
            attributes: [Attribute("service.name", "shop"), Attribute("os.type", "linux")], droppedAttributesCount: 1,
            entityReferences: [[0x12, 1, 0x61]], schemaURL: "r1")
        var scope = InstrumentationScope(name: "lib", version: "1", attributes: [Attribute("a", 1)], droppedAttributesCount: 1, schemaURL: "s1")
        var name = "m"
        var description = "help"
        var unit = "s"
        var metadata = [Attribute("k", 1)]
        var temporality = OTLPMetric.Temporality.cumulative
        var isMonotonic = true
        var exemplar = OTLPExemplar(
            time: Timestamp(milliseconds: 90_000), value: .double(0.25), traceID: TraceID(high: 1, low: 1), spanID: SpanID(rawValue: 1),
            filteredAttributes: [Attribute("f", 1)])
        var gauge = OTLPNumberPoint(
            attributes: [Attribute("l", 1)], startTime: Timestamp(milliseconds: 1000), time: Timestamp(milliseconds: 100_000), value: .double(1.5))
        var histogram = OTLPHistogramPoint(
            attributes: [Attribute("l", 1)], startTime: Timestamp(milliseconds: 1000), time: Timestamp(milliseconds: 100_000), count: 10, sum: 2.5,
            bucketCounts: [3, 7], explicitBounds: [0.5], min: 0.125, max: 0.875)
        var exponential = OTLPExponentialHistogramPoint(
            attributes: [Attribute("l", 1)], startTime: Timestamp(milliseconds: 1000), time: Timestamp(milliseconds: 100_000), count: 12, sum: 2.5,
            scale: 1, zeroCount: 2, zeroThreshold: 0.001, positive: .init(offset: 1, bucketCounts: [4]), negative: .init(offset: 1, bucketCounts: [6]),
            min: 0.125, max: 0.875)
        var summary = OTLPSummaryPoint(
            attributes: [Attribute("l", 1)], startTime: Timestamp(milliseconds: 1000), time: Timestamp(milliseconds: 100_000), count: 10, sum: 2.5,
            quantiles: [.init(quantile: 0.5, value: 0.25)])
        /// Which metric is sent.
        var kind = "gauge"

        var metric: OTLPMetric {
            var number = gauge
            number.exemplars = [exemplar]
            var histogram = histogram
            histogram.exemplars = [exemplar]
            var exponential = exponential
            exponential.exemplars = [exemplar]
            let points: OTLPMetric.Points =
                switch kind {
                case "sum": .sum([number], temporality: temporality, isMonotonic: isMonotonic)
                case "histogram": .histogram([histogram], temporality: temporality)
                case "exponential": .exponentialHistogram([exponential], temporality: temporality)
                case "summary": .summary([summary])
                default: .gauge([number])
                }
            return OTLPMetric(name: name, description: description, unit: unit, points: points, metadata: metadata)
        }

        /// Everything that a request becomes, as text.
        func result() throws -> String {
            var decoder = OTLPDecoder()
            let bytes = OTLPEncoder.metrics([OTLPScopeGroup(resource: resource, scope: scope, rows: [metric])])
            let decoded = try decoder.metrics(bytes.span, receiveTime: MetricRequest.now)
            var text = "rejected \(decoded.rejections.count)\n"
            for sample in try decoded.samples.plain() { text += "\(sample.series) \(sample.time) \(sample.value)\n" }
            for (sample, start) in zip(try decoded.deltas.samples.plain(), decoded.deltas.sampleStartTimes) {
                text += "delta \(sample.series) \(start) \(sample.time) \(sample.value)\n"
            }
            for (batch, starts) in [(decoded.histograms, []), (decoded.deltas.histograms, decoded.deltas.histogramStartTimes)] {
                for row in 0..<batch.count {
                    let name = try batch.streams.seriesText(Int(batch.streamIndexes[row]))
                    text += "native \(name) \(starts) \(batch.times[row]) \(try batch.histogram(at: row))\n"
                }
            }
            let exemplars = decoded.exemplars
            for row in 0..<exemplars.count {
                text += "exemplar \(try exemplars.streams.seriesText(Int(exemplars.streamIndexes[row]))) \(exemplars.times[row])"
                text += " \(exemplars.values[row]) \(exemplars.traceIDs[row]) \(SpanID(rawValue: exemplars.spanIDs[row]))"
                text += " \(exemplars.attributes.attributes(of: row))\n"
            }
            for family in decoded.families { text += "family \(family)\n" }
            return text
        }
    }

    /// A row's field, how to change it, and what must then be found in the result.
    private struct Change: Sendable {
        var kind: String
        var found: String?
        var apply: @Sendable (inout Request) -> Void

        init(_ kind: String, finds found: String? = nil, _ apply: @escaping @Sendable (inout Request) -> Void) {
            self.kind = kind
            self.found = found
            self.apply = apply
        }
    }

    private static let changes: [String: Change] = [
        "Resource.attributes": Change("gauge", finds: "windows") {
            $0.resource = Resource(attributes: [Attribute("service.name", "shop"), Attribute("os.type", "windows")])
        },
        "Resource.dropped_attributes_count": Change("gauge") { $0.resource.droppedAttributesCount = 7 },
        "Resource.entity_refs": Change("gauge") { $0.resource.entityReferences = [] },
        "ResourceMetrics.schema_url": Change("gauge") { $0.resource.schemaURL = "r2" },
        "InstrumentationScope.name": Change("gauge", finds: "otel_scope_name=\"other\"") { $0.scope.name = "other" },
        "InstrumentationScope.version": Change("gauge", finds: "otel_scope_version=\"77\"") { $0.scope.version = "77" },
        "InstrumentationScope.attributes": Change("gauge", finds: "otel_scope_a=\"78\"") { $0.scope.attributes = [Attribute("a", 78)] },
        "InstrumentationScope.dropped_attributes_count": Change("gauge") { $0.scope.droppedAttributesCount = 7 },
        "ScopeMetrics.schema_url": Change("gauge", finds: "otel_scope_schema_url=\"s2\"") { $0.scope.schemaURL = "s2" },
        "Metric.name": Change("gauge", finds: "other_seconds{") { $0.name = "other" },
        "Metric.description": Change("gauge", finds: "help: \"new\"") { $0.description = "new" },
        "Metric.unit": Change("gauge", finds: "m_bytes") { $0.unit = "By" },
        "Metric.metadata": Change("gauge") { $0.metadata = [] },
        "Metric.gauge": Change("summary") { $0.kind = "gauge" },
        "Metric.sum": Change("gauge") { $0.kind = "sum" },
        "Metric.histogram": Change("gauge") { $0.kind = "histogram" },
        "Metric.exponential_histogram": Change("gauge") { $0.kind = "exponential" },
        "Metric.summary": Change("gauge") { $0.kind = "summary" },
        "Sum.aggregation_temporality": Change("sum") { $0.temporality = .delta },
        "Sum.is_monotonic": Change("sum") { $0.isMonotonic = false },
        "Histogram.aggregation_temporality": Change("histogram") { $0.temporality = .delta },
        "ExponentialHistogram.aggregation_temporality": Change("exponential") { $0.temporality = .delta },
        "NumberDataPoint.attributes": Change("gauge", finds: "l=\"71\"") { $0.gauge.attributes = [Attribute("l", 71)] },
        "NumberDataPoint.start_time_unix_nano": Change("sum delta") { $0.gauge.startTime = Timestamp(milliseconds: 5000) },
        "NumberDataPoint.time_unix_nano": Change("gauge", finds: "987654") { $0.gauge.time = Timestamp(milliseconds: 987_654) },
        "NumberDataPoint.as_double": Change("gauge", finds: "987.5") { $0.gauge.value = .double(987.5) },
        "NumberDataPoint.as_int": Change("gauge", finds: "987.0") { $0.gauge.value = .int(987) },
        "NumberDataPoint.exemplars": Change("gauge", finds: "0.3125") { $0.exemplar.value = .double(0.3125) },
        "NumberDataPoint.flags": Change("gauge") { $0.gauge.flags = 1 },
        "HistogramDataPoint.attributes": Change("histogram", finds: "l=\"71\"") { $0.histogram.attributes = [Attribute("l", 71)] },
        "HistogramDataPoint.start_time_unix_nano": Change("histogram delta") { $0.histogram.startTime = Timestamp(milliseconds: 5000) },
        "HistogramDataPoint.time_unix_nano": Change("histogram", finds: "987654") { $0.histogram.time = Timestamp(milliseconds: 987_654) },
        "HistogramDataPoint.count": Change("histogram", finds: "987.0") { $0.histogram.count = 987 },
        "HistogramDataPoint.sum": Change("histogram", finds: "987.5") { $0.histogram.sum = 987.5 },
        "HistogramDataPoint.bucket_counts": Change("histogram", finds: "987.0") { $0.histogram.bucketCounts = [987, 7] },
        "HistogramDataPoint.explicit_bounds": Change("histogram", finds: "le=\"0.75\"") { $0.histogram.explicitBounds = [0.75] },
        "HistogramDataPoint.exemplars": Change("histogram", finds: "0.3125") { $0.exemplar.value = .double(0.3125) },
        "HistogramDataPoint.flags": Change("histogram") { $0.histogram.flags = 1 },
        "HistogramDataPoint.min": Change("histogram") { $0.histogram.min = 0.0625 },
        "HistogramDataPoint.max": Change("histogram") { $0.histogram.max = nil },
        "ExponentialHistogramDataPoint.attributes": Change("exponential", finds: "l=\"71\"") { $0.exponential.attributes = [Attribute("l", 71)] },
        "ExponentialHistogramDataPoint.start_time_unix_nano": Change("exponential delta") { $0.exponential.startTime = Timestamp(milliseconds: 5000) },
        "ExponentialHistogramDataPoint.time_unix_nano": Change("exponential", finds: "987654") { $0.exponential.time = Timestamp(milliseconds: 987_654) },
        "ExponentialHistogramDataPoint.count": Change("exponential", finds: "count: 987.0") { $0.exponential.count = 987 },
        "ExponentialHistogramDataPoint.sum": Change("exponential", finds: "sum: 987.5") { $0.exponential.sum = 987.5 },
        "ExponentialHistogramDataPoint.scale": Change("exponential", finds: "schema: 3") { $0.exponential.scale = 3 },
        "ExponentialHistogramDataPoint.zero_count": Change("exponential", finds: "zeroCount: 987.0") { $0.exponential.zeroCount = 987 },
        "ExponentialHistogramDataPoint.zero_threshold": Change("exponential", finds: "zeroThreshold: 0.25") { $0.exponential.zeroThreshold = 0.25 },
        "ExponentialHistogramDataPoint.positive": Change("exponential", finds: "positiveBuckets: [987.0]") { $0.exponential.positive.bucketCounts = [987] },
        "ExponentialHistogramDataPoint.negative": Change("exponential", finds: "negativeBuckets: [987.0]") { $0.exponential.negative.bucketCounts = [987] },
        "ExponentialHistogramDataPoint.exemplars": Change("exponential", finds: "0.3125") { $0.exemplar.value = .double(0.3125) },
        "ExponentialHistogramDataPoint.flags": Change("exponential") { $0.exponential.flags = 1 },
        "ExponentialHistogramDataPoint.min": Change("exponential") { $0.exponential.min = 0.0625 },
        "ExponentialHistogramDataPoint.max": Change("exponential") { $0.exponential.max = nil },
        "Buckets.offset": Change("exponential", finds: "offset: 43") { $0.exponential.positive.offset = 42 },
        "Buckets.bucket_counts": Change("exponential", finds: "[4.0, 987.0]") { $0.exponential.positive.bucketCounts = [4, 987] },
        "SummaryDataPoint.attributes": Change("summary", finds: "l=\"71\"") { $0.summary.attributes = [Attribute("l", 71)] },
        "SummaryDataPoint.start_time_unix_nano": Change("summary") { $0.summary.startTime = Timestamp(milliseconds: 5000) },
        "SummaryDataPoint.time_unix_nano": Change("summary", finds: "987654") { $0.summary.time = Timestamp(milliseconds: 987_654) },
        "SummaryDataPoint.count": Change("summary", finds: "987.0") { $0.summary.count = 987 },
        "SummaryDataPoint.sum": Change("summary", finds: "987.5") { $0.summary.sum = 987.5 },
        "SummaryDataPoint.quantile_values": Change("summary", finds: "quantile=\"0.75\"") { $0.summary.quantiles.append(.init(quantile: 0.75, value: 1)) },
        "SummaryDataPoint.flags": Change("summary") { $0.summary.flags = 1 },
        "ValueAtQuantile.quantile": Change("summary", finds: "quantile=\"0.625\"") { $0.summary.quantiles[0].quantile = 0.625 },
        "ValueAtQuantile.value": Change("summary", finds: "987.5") { $0.summary.quantiles[0].value = 987.5 },
        "Exemplar.time_unix_nano": Change("gauge", finds: "987654") { $0.exemplar.time = Timestamp(milliseconds: 987_654) },
        "Exemplar.as_double": Change("gauge", finds: "987.5") { $0.exemplar.value = .double(987.5) },
        "Exemplar.as_int": Change("gauge", finds: "987.0") { $0.exemplar.value = .int(987) },
        "Exemplar.span_id": Change("gauge", finds: "000000000000abcd") { $0.exemplar.spanID = SpanID(rawValue: 0xABCD) },
        "Exemplar.trace_id": Change("gauge", finds: "000000000000abcd0000000000000001") { $0.exemplar.traceID.high = 0xABCD },
        "Exemplar.filtered_attributes": Change("gauge", finds: "987") { $0.exemplar.filteredAttributes = [Attribute("f", 987)] },
    ]

    @Test func everyRowHoldsAndEveryFieldHasARow() throws {
        #expect(Set(OTLPMetricMapping.table.map(\.field)) == Set(MetricMappingTests.changes.keys))
        #expect(OTLPMetricMapping.table.count == MetricMappingTests.changes.count)
    }

    @Test(arguments: OTLPMetricMapping.table) func aRowHolds(_ row: OTLPMetricMapping.Row) throws {
        let change = try #require(MetricMappingTests.changes[row.field])
        var request = Request()
        let kind = change.kind.split(separator: " ")
        request.kind = String(kind[0])
        if kind.count > 1 { request.temporality = .delta }
        let before = try request.result()
        #expect(before.hasPrefix("rejected 0\n"))
        change.apply(&request)
        let after = try request.result()
        switch row.disposition {
        case .dropped: #expect(before == after)
        case .derived: #expect(before != after)
        case .kept:
            let found = try #require(change.found)
            #expect(!before.contains(found) && after.contains(found), "\(after)")
        }
    }

    @Test func startTimesOfCumulativePointsAreDropped() throws {
        for kind in ["sum", "histogram", "exponential"] {
            var request = Request()
            request.kind = kind
            let before = try request.result()
            request.gauge.startTime = Timestamp(milliseconds: 7)
            request.histogram.startTime = Timestamp(milliseconds: 7)
            request.exponential.startTime = Timestamp(milliseconds: 7)
            #expect(try request.result() == before)
        }
    }
}
