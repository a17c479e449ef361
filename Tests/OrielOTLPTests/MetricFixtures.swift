import OrielOTLP
import OrielTelemetry

/// A decoded sample with its labels spelled out, as Prometheus writes them.
struct PlainSample: Hashable {
    var series: String
    var time: Int64
    var value: Double

    init(_ series: String, _ time: Int64, _ value: Double) {
        self.series = series
        self.time = time
        self.value = value
    }
}

extension StreamTable {
    /// `name{label="value",…}` of a stream, or what is wrong with it.
    func seriesText(_ index: Int) throws -> String {
        guard case .series(let labels) = try decoded(index) else { return "no series" }
        let name = labels.first { $0.name == Label.metricName }?.value ?? ""
        let rest = labels.filter { $0.name != Label.metricName }.map { "\($0.name)=\"\($0.value)\"" }
        return rest.isEmpty ? name : "\(name){\(rest.joined(separator: ","))}"
    }
}

extension SampleBatch {
    func plain() throws -> [PlainSample] {
        try (0..<count).map { PlainSample(try streams.seriesText(Int(streamIndexes[$0])), times[$0], values[$0]) }
    }

    /// Values by series.
    func values() throws -> [String: Double] {
        var result: [String: Double] = [:]
        for sample in try plain() { result[sample.series] = sample.value }
        return result
    }
}

/// A request with one metric of a bare resource.
struct MetricRequest {
    var resource = Resource()
    var scope = InstrumentationScope()
    var metric: OTLPMetric

    init(named name: String = "m", unit: String = "", description: String = "", _ points: OTLPMetric.Points) {
        metric = OTLPMetric(name: name, description: description, unit: unit, points: points)
    }

    static let now = Timestamp(nanoseconds: 1_720_000_000_000_000_000)
    static let time = Timestamp(milliseconds: 1_700_000_000_123)

    func decoded(_ options: OTLPMetricOptions = OTLPMetricOptions()) throws -> DecodedMetrics {
        var decoderOptions = OTLPDecoder.Options()
        decoderOptions.metrics = options
        var decoder = OTLPDecoder(options: decoderOptions)
        let groups = [OTLPScopeGroup(resource: resource, scope: scope, rows: [metric])]
        let bytes = OTLPEncoder.metrics(groups)
        let first = try decoder.metrics(bytes.span, receiveTime: MetricRequest.now)
        // The second time everything comes from the decoder's cache, the third from JSON.
        let second = try decoder.metrics(bytes.span, receiveTime: MetricRequest.now)
        let json = OTLPEncoder.metrics(groups, format: .json)
        let third = try decoder.metrics(json: json.span, receiveTime: MetricRequest.now)
        guard first.isSame(as: second), first.isSame(as: third) else { throw Unequal() }
        return first
    }

    struct Unequal: Error {}
}

extension DecodedMetrics {
    func isSame(as other: DecodedMetrics) -> Bool {
        func bits(_ values: [Double]) -> [UInt64] { values.map(\.bitPattern) }
        return samples.streams.descriptors == other.samples.streams.descriptors && samples.streamIndexes == other.samples.streamIndexes
            && samples.times == other.samples.times && bits(samples.values) == bits(other.samples.values)
            && histograms.streams.descriptors == other.histograms.streams.descriptors && histograms.buckets == other.histograms.buckets
            && bits(histograms.sums) == bits(other.histograms.sums) && exemplars.streams.descriptors == other.exemplars.streams.descriptors
            && exemplars.traceIDs == other.exemplars.traceIDs && families == other.families && rejections == other.rejections
            && deltas.samples.streams.descriptors == other.deltas.samples.streams.descriptors
            && bits(deltas.samples.values) == bits(other.deltas.samples.values) && deltas.histograms.buckets == other.deltas.histograms.buckets
    }
}
