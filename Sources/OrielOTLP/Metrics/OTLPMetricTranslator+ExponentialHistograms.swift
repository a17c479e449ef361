import OrielTelemetry

extension OTLPMetricTranslator {
    /// A point of an exponential histogram: one native histogram sample.
    mutating func appendExponentialHistogram(
        _ content: Range<Int>, metric: Int, in bytes: Span<UInt8>, receiveTime: Timestamp, into decoded: inout DecodedMetrics
    ) throws(WireError) -> OTLPPointFault? {
        var start: UInt64 = 0
        var time: UInt64 = 0
        var count: UInt64 = 0
        var sum: Double?
        var scale: UInt64 = 0
        var zeroCount: UInt64 = 0
        var zeroThreshold = 0.0
        var flags: UInt64 = 0
        var positiveOffset: UInt64 = 0
        var negativeOffset: UInt64 = 0
        point.begin(metric: metric)
        var reader = WireReader(start: content.lowerBound, end: content.upperBound)
        while true {
            let fieldStart = reader.offset
            guard let tag = try reader.nextTag(in: bytes) else { break }
            switch tag.rawValue {
            case 1 << 3 | 2:
                _ = try reader.lengthDelimited(in: bytes)
                point.key.append(bytes, fieldStart..<reader.offset)
            case 2 << 3 | 1: start = try reader.fixed64(in: bytes)
            case 3 << 3 | 1: time = try reader.fixed64(in: bytes)
            case 4 << 3 | 1: count = try reader.fixed64(in: bytes)
            case 5 << 3 | 1: sum = Double(bitPattern: try reader.fixed64(in: bytes))
            case 6 << 3: scale = try reader.varint(in: bytes)
            case 7 << 3 | 1: zeroCount = try reader.fixed64(in: bytes)
            case 8 << 3 | 2:
                try OTLPMetricTranslator.buckets(try reader.lengthDelimited(in: bytes), in: bytes, offset: &positiveOffset, counts: &point.counts)
            case 9 << 3 | 2:
                try OTLPMetricTranslator.buckets(
                    try reader.lengthDelimited(in: bytes), in: bytes, offset: &negativeOffset, counts: &point.negativeCounts)
            case 10 << 3: flags = try reader.varint(in: bytes)
            case 11 << 3 | 2: point.exemplars.append(try reader.lengthDelimited(in: bytes))
            case 12 << 3 | 1, 13 << 3 | 1: _ = try reader.fixed64(in: bytes)
            case 14 << 3 | 1: zeroThreshold = Double(bitPattern: try reader.fixed64(in: bytes))
            default:
                guard !(1...14).contains(tag.number) else { throw WireError(.unexpectedWireType, offset: reader.offset) }
                try reader.skip(tag, in: bytes)
            }
        }
        guard let startTime = Int64(exactly: start) else { return .startTime }
        let entry = try series(metric: metric) { (_) throws(WireError) in
            OTLPPointSeries(attributes: try OTLPMetricTranslator.attributes(1, of: content, in: bytes), variants: [OTLPPointSeries.Variant()])
        }
        if let fault = cache.series[entry].fault { return fault }

        let isStale = flags & UInt64(OTLPPointFlags.noRecordedValue) != 0
        let isDelta = cache.metrics[metric].isDelta
        var histogram = NativeHistogram()
        if isStale {
            histogram.sum = .staleMarker
        } else {
            let sourceScale = Int32(truncatingIfNeeded: Int64(zigzag: scale))
            guard sourceScale >= NativeHistogram.minimumSchema else { return .scale }
            let schema = min(sourceScale, NativeHistogram.maximumSchema)
            // More steps than an index has bits change nothing.
            let shift = min(Int64(sourceScale) - Int64(schema), 63)
            histogram.schema = Int8(schema)
            histogram.count = Double(count)
            histogram.sum = sum ?? 0
            histogram.zeroCount = Double(zeroCount)
            histogram.zeroThreshold = zeroThreshold > 0 ? zeroThreshold : NativeHistogram.defaultZeroThreshold
            // Above 2^53 a double is no exact integer, and the integer form would have to say so.
            histogram.isFloat = max(count, zeroCount) > 1 << 53
            guard
                let positive = NativeHistogram.buckets(
                    offset: Int32(truncatingIfNeeded: Int64(zigzag: positiveOffset)), counts: point.counts, shift: shift),
                let negative = NativeHistogram.buckets(
                    offset: Int32(truncatingIfNeeded: Int64(zigzag: negativeOffset)), counts: point.negativeCounts, shift: shift)
            else { return .bucketIndex }
            (histogram.positiveSpans, histogram.positiveBuckets) = positive
            (histogram.negativeSpans, histogram.negativeBuckets) = negative
            if histogram.positiveBuckets.contains(where: { $0 > 0x1p53 }) || histogram.negativeBuckets.contains(where: { $0 > 0x1p53 }) {
                histogram.isFloat = true
            }
        }
        guard let milliseconds = self.time(time, metric: metric, receiveTime: receiveTime) else { return .time }
        if !isDelta {
            let stream = cache.batchIndex(entry, 0, .histograms, in: &decoded.histograms.streams)
            decoded.histograms.append(histogram, stream: Int(stream), time: milliseconds)
        } else if !isStale {
            let stream = cache.batchIndex(entry, 0, .deltaHistograms, in: &decoded.deltas.histograms.streams)
            decoded.deltas.histograms.append(histogram, stream: Int(stream), time: milliseconds)
            decoded.deltas.histogramStartTimes.append(Timestamp(nanoseconds: startTime).milliseconds)
        }
        try appendExemplars(entry, time: milliseconds, in: bytes, into: &decoded) { _ in 0 }
        return nil
    }

    /// Reads a `Buckets` message; of several pieces the last offset counts and the counts are appended, as protobuf merges.
    private static func buckets(
        _ content: Range<Int>, in bytes: Span<UInt8>, offset: inout UInt64, counts: inout [UInt64]
    ) throws(WireError) {
        var reader = WireReader(start: content.lowerBound, end: content.upperBound)
        while let tag = try reader.nextTag(in: bytes) {
            switch tag.rawValue {
            case 1 << 3: offset = try reader.varint(in: bytes)
            case 2 << 3 | 2: try reader.packedVarint(in: bytes, into: &counts)
            case 2 << 3: counts.append(try reader.varint(in: bytes))
            default:
                guard !(1...2).contains(tag.number) else { throw WireError(.unexpectedWireType, offset: reader.offset) }
                try reader.skip(tag, in: bytes)
            }
        }
    }
}

extension NativeHistogram {
    /// The finest resolution that Prometheus has; finer OTLP scales are scaled down.
    static let maximumSchema: Int32 = 8
    /// The coarsest one; there is no way to make a coarser OTLP scale finer.
    static let minimumSchema: Int32 = -4
    /// What Prometheus takes for an OTLP point without a threshold.
    static let defaultZeroThreshold = 1e-128
    /// Gaps of up to this many empty buckets are filled: a span costs more than they do.
    private static let fillableGap: Int64 = 2

    /// Spans and absolute counts of consecutive OTLP buckets. OTLP's bucket i, (base^i, base^(i+1)], is Prometheus' bucket i + 1; `shift`
    /// halves the resolution that many times.
    ///
    /// `nil` when an index does not fit.
    static func buckets(offset: Int32, counts: [UInt64], shift: Int64) -> (spans: [BucketSpan], buckets: [Double])? {
        var spans: [BucketSpan] = []
        var buckets: [Double] = []
        // The index behind the last bucket written.
        var next: Int64 = 0
        for (position, count) in counts.enumerated() where count != 0 {
            let index = (Int64(offset) + Int64(position)) >> shift + 1
            guard index >= Int64(Int32.min), index <= Int64(Int32.max) else { return nil }
            if let last = spans.indices.last, index - next <= fillableGap {
                if index == next - 1 {
                    buckets[buckets.count - 1] += Double(count)
                    continue
                }
                for _ in next..<index { buckets.append(0) }
                spans[last].length += UInt32(index - next + 1)
            } else {
                let gap = spans.isEmpty ? index : index - next
                guard let gap = Int32(exactly: gap) else { return nil }
                spans.append(BucketSpan(offset: gap, length: 1))
            }
            buckets.append(Double(count))
            next = index + 1
        }
        return (spans, buckets)
    }
}
