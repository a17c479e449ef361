public import OrielTelemetry

/// The series samples of a request.
public struct DecodedMetrics: Sendable {
    /// Float samples of gauges, cumulative sums and histograms, summaries, and `target_info`.
    public var samples = SampleBatch()
    /// Native histogram samples of cumulative exponential histograms.
    public var histograms = HistogramBatch()
    public var exemplars = ExemplarBatch()
    /// Points of delta temporality, which a store must sum.
    public var deltas = DeltaBatch()
    /// Type, unit and help of the metrics that had points; each distinct one once.
    public var families: [MetricFamily] = []
    /// What was not taken, or taken with remarks. Counts OTLP data points, not samples.
    public var rejections = OTLPRejections()

    public init() {}

    var rowCount: Int { samples.count + histograms.count + deltas.samples.count + deltas.histograms.count }

    mutating func reject(_ fault: OTLPPointFault, _ content: Range<Int>, in bytes: Span<UInt8>) {
        rejections.reject("\(bytes.rowPath(content, root: .metricsData)): \(fault.rawValue)")
    }

    /// Appends a sample of the `position`th series of an entry. A stale delta is nothing that could be added and leaves no sample.
    mutating func appendSample(
        _ value: Double, _ entry: Int, _ position: Int, time: Int64, start: Int64, isDelta: Bool, isStale: Bool, cache: inout OTLPSeriesCache
    ) {
        if !isDelta {
            samples.streamIndexes.append(cache.batchIndex(entry, position, .samples, in: &samples.streams))
            samples.times.append(time)
            samples.values.append(value)
        } else if !isStale {
            deltas.samples.streamIndexes.append(cache.batchIndex(entry, position, .deltaSamples, in: &deltas.samples.streams))
            deltas.samples.times.append(time)
            deltas.samples.values.append(value)
            deltas.sampleStartTimes.append(Timestamp(nanoseconds: start).milliseconds)
        }
    }
}

extension OTLPDecoder {
    /// Decodes an `ExportMetricsServiceRequest` (or `MetricsData`, which has the same form) into Prometheus series; ``OTLPMetricMapping``
    /// tells how.
    /// - Parameter receiveTime: the time of points that have none.
    /// - Complexity: O(*n*) in the bytes, and in the labels of series that this decoder has not seen lately.
    public mutating func metrics(_ bytes: Span<UInt8>, receiveTime: Timestamp) throws(OTLPError) -> DecodedMetrics {
        try checkSize(bytes)
        var decoded = DecodedMetrics()
        do throws(WireError) {
            try metricTranslator.decode(bytes, receiveTime: receiveTime, into: &decoded)
        } catch {
            throw OTLPDecoder.located(error, root: .metricsData, in: bytes)
        }
        return decoded
    }

    /// Decodes an `ExportMetricsServiceRequest` in JSON.
    /// - Parameter receiveTime: the time of points that have none.
    public mutating func metrics(json text: Span<UInt8>, receiveTime: Timestamp) throws(OTLPError) -> DecodedMetrics {
        try checkSize(text)
        let bytes = try OTLPJSON.protobuf(fromJSON: text, message: .metricsData)
        return try metrics(bytes.span, receiveTime: receiveTime)
    }
}
