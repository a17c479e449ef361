import OrielOTLP
import OrielTelemetry

extension MetricSnapshot {
    /// The metrics as OTLP has them, with the names, units and keys that the application gave; with those of the text formats where others
    /// would make other series in Oriel and Prometheus than a scrape does.
    func otlpMetrics(temporality: MetricTemporality) -> [OTLPMetric] {
        families.compactMap { $0.otlpMetric(at: time, temporality.isDelta($0) ? .delta : .cumulative) }
    }
}

/// What ``overflowLabel`` is in OTLP, whose receivers make the label of it.
private let overflowAttribute = Attribute("otel.metric.overflow", .bool(true))

extension MetricSnapshot.Family {
    fileprivate func otlpMetric(at time: Timestamp, _ temporality: OTLPMetric.Temporality) -> OTLPMetric? {
        var numbers: [OTLPNumberPoint] = []
        var histograms: [OTLPHistogramPoint] = []
        var exponentials: [OTLPExponentialHistogramPoint] = []
        for series in series {
            let attributes = otlpAttributes(series)
            let time = series.end.map { max($0, series.start) } ?? time
            switch series.point {
            case .counter(let value, let exemplar):
                numbers.append(
                    OTLPNumberPoint(
                        attributes: attributes, startTime: series.start, time: time, value: OTLPNumber(whole: value),
                        exemplars: exemplar.map { [OTLPExemplar($0)] } ?? []))
            case .gauge(let value):
                numbers.append(OTLPNumberPoint(attributes: attributes, time: time, value: .double(value)))
            case .info:
                numbers.append(OTLPNumberPoint(attributes: attributes, time: time, value: .int(1)))
            case .histogram(let histogram):
                histograms.append(
                    OTLPHistogramPoint(
                        attributes: attributes, startTime: series.start, time: time, count: histogram.count, sum: histogram.sum,
                        bucketCounts: histogram.counts, explicitBounds: histogram.bounds,
                        exemplars: histogram.exemplars.compactMap { $0 }.map { OTLPExemplar($0) }))
            case .exponentialHistogram(let histogram):
                exponentials.append(
                    OTLPExponentialHistogramPoint(
                        attributes: attributes, startTime: series.start, time: time, count: histogram.count, sum: histogram.sum,
                        scale: Int32(clamping: histogram.scale), zeroCount: histogram.zeroCount,
                        positive: .init(offset: Int32(clamping: histogram.positiveOffset), bucketCounts: histogram.positiveCounts),
                        negative: .init(offset: Int32(clamping: histogram.negativeOffset), bucketCounts: histogram.negativeCounts),
                        exemplars: histogram.exemplars.map { OTLPExemplar($0) }))
            }
        }
        let points: OTLPMetric.Points
        var name = instrument?.name ?? name
        switch kind {
        case .counter: points = .sum(numbers, temporality: temporality, isMonotonic: true)
        case .histogram where !exponentials.isEmpty: points = .exponentialHistogram(exponentials, temporality: temporality)
        case .histogram: points = .histogram(histograms, temporality: temporality)
        case .info:
            // The text formats add the ending to the name of the series.
            name += "_info"
            points = .gauge(numbers)
        case .gauge, .unknown, .gaugeHistogram, .summary, .stateSet: points = .gauge(numbers)
        }
        guard points.count > 0 else { return nil }
        return OTLPMetric(name: name, description: help, unit: instrument?.unit ?? otlpUnit, points: points)
    }

    private func otlpAttributes(_ series: MetricSnapshot.Series) -> [Attribute] {
        if series.labels == [overflowLabel] { return [overflowAttribute] }
        return series.labels.map { Attribute(attributeKeys.key(of: $0), .string($0.value)) }
    }

    /// The unit, where a receiver that appends units to names leaves this one's name as it is; else its word or none.
    private var otlpUnit: String {
        if unit.isEmpty || kind == .info { return "" }
        let (namingKind, seriesName) = MetricName.seriesNaming(kind, of: name)
        for candidate in [unit, unitWord] where MetricName.naming.metricName(name, unit: candidate, kind: namingKind) == seriesName { return candidate }
        return ""
    }
}

extension OTLPMetric {
    /// Points of all series.
    var pointCount: Int { points.count }
}

extension OTLPMetric.Points {
    fileprivate var count: Int {
        switch self {
        case .gauge(let points): points.count
        case .sum(let points, _, _): points.count
        case .histogram(let points, _): points.count
        case .exponentialHistogram(let points, _): points.count
        case .summary(let points): points.count
        }
    }
}

extension OTLPNumber {
    /// A whole number as an integer where a double holds it exactly.
    fileprivate init(whole value: Double) {
        if value.rounded(.towardZero) == value, abs(value) < 9_007_199_254_740_992 {
            self = .int(Int64(value))
        } else {
            self = .double(value)
        }
    }
}

extension OTLPExemplar {
    fileprivate init(_ exemplar: Exemplar) {
        self.init(time: exemplar.time, value: .double(exemplar.value), traceID: exemplar.traceID, spanID: exemplar.spanID)
    }
}
