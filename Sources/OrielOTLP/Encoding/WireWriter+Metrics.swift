import OrielTelemetry

extension WireWriter {
    /// The content of a `Metric`.
    mutating func metric(_ metric: OTLPMetric) {
        text(1, metric.name)
        text(2, metric.description)
        text(3, metric.unit)
        switch metric.points {
        case .gauge(let points):
            messageField(5) { writer in
                for point in points { writer.messageField(1) { $0.numberPoint(point) } }
            }
        case .sum(let points, let temporality, let isMonotonic):
            messageField(7) { writer in
                for point in points { writer.messageField(1) { $0.numberPoint(point) } }
                writer.enumeration(2, temporality.rawValue)
                if isMonotonic { writer.varintField(3, 1) }
            }
        case .histogram(let points, let temporality):
            messageField(9) { writer in
                for point in points { writer.messageField(1) { $0.histogramPoint(point) } }
                writer.enumeration(2, temporality.rawValue)
            }
        case .exponentialHistogram(let points, let temporality):
            messageField(10) { writer in
                for point in points { writer.messageField(1) { $0.exponentialHistogramPoint(point) } }
                writer.enumeration(2, temporality.rawValue)
            }
        case .summary(let points):
            messageField(11) { writer in
                for point in points { writer.messageField(1) { $0.summaryPoint(point) } }
            }
        }
        keyValues(12, metric.metadata)
    }

    private mutating func numberPoint(_ point: OTLPNumberPoint) {
        time(2, point.startTime)
        time(3, point.time)
        switch point.value {
        case .double(let value): doubleField(4, value)
        case .int(let value): fixed64Field(6, UInt64(bitPattern: value))
        case nil: break
        }
        for exemplar in point.exemplars { messageField(5) { $0.exemplar(exemplar) } }
        keyValues(7, point.attributes)
        uint32(8, point.flags)
    }

    private mutating func histogramPoint(_ point: OTLPHistogramPoint) {
        time(2, point.startTime)
        time(3, point.time)
        if point.count != 0 { fixed64Field(4, point.count) }
        if let sum = point.sum { doubleField(5, sum) }
        packed(6, point.bucketCounts)
        packed(7, point.explicitBounds.map(\.bitPattern))
        for exemplar in point.exemplars { messageField(8) { $0.exemplar(exemplar) } }
        keyValues(9, point.attributes)
        uint32(10, point.flags)
        if let min = point.min { doubleField(11, min) }
        if let max = point.max { doubleField(12, max) }
    }

    private mutating func exponentialHistogramPoint(_ point: OTLPExponentialHistogramPoint) {
        keyValues(1, point.attributes)
        time(2, point.startTime)
        time(3, point.time)
        if point.count != 0 { fixed64Field(4, point.count) }
        if let sum = point.sum { doubleField(5, sum) }
        if point.scale != 0 { varintField(6, Int64(point.scale).zigzag) }
        if point.zeroCount != 0 { fixed64Field(7, point.zeroCount) }
        buckets(8, point.positive)
        buckets(9, point.negative)
        uint32(10, point.flags)
        for exemplar in point.exemplars { messageField(11) { $0.exemplar(exemplar) } }
        if let min = point.min { doubleField(12, min) }
        if let max = point.max { doubleField(13, max) }
        if point.zeroThreshold != 0 { doubleField(14, point.zeroThreshold) }
    }

    private mutating func buckets(_ number: UInt32, _ buckets: OTLPExponentialHistogramPoint.Buckets) {
        guard buckets.offset != 0 || !buckets.bucketCounts.isEmpty else { return }
        messageField(number) { writer in
            if buckets.offset != 0 { writer.varintField(1, Int64(buckets.offset).zigzag) }
            guard !buckets.bucketCounts.isEmpty else { return }
            writer.messageField(2) { writer in
                for count in buckets.bucketCounts { writer.varint(count) }
            }
        }
    }

    private mutating func summaryPoint(_ point: OTLPSummaryPoint) {
        time(2, point.startTime)
        time(3, point.time)
        if point.count != 0 { fixed64Field(4, point.count) }
        if point.sum.bitPattern != 0 { doubleField(5, point.sum) }
        for quantile in point.quantiles {
            messageField(6) { writer in
                if quantile.quantile.bitPattern != 0 { writer.doubleField(1, quantile.quantile) }
                if quantile.value.bitPattern != 0 { writer.doubleField(2, quantile.value) }
            }
        }
        keyValues(7, point.attributes)
        uint32(8, point.flags)
    }

    private mutating func exemplar(_ exemplar: OTLPExemplar) {
        time(2, exemplar.time)
        switch exemplar.value {
        case .double(let value): doubleField(3, value)
        case .int(let value): fixed64Field(6, UInt64(bitPattern: value))
        }
        if !exemplar.spanID.isZero { spanIDField(4, exemplar.spanID) }
        if !exemplar.traceID.isZero { traceIDField(5, exemplar.traceID) }
        keyValues(7, exemplar.filteredAttributes)
    }

    /// A packed list of `fixed64` or `double`.
    private mutating func packed(_ number: UInt32, _ values: [UInt64]) {
        guard !values.isEmpty else { return }
        tag(number, .lengthDelimited)
        varint(UInt64(values.count * 8))
        for value in values { fixed64(value) }
    }
}
