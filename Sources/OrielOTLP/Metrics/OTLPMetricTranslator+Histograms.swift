import OrielTelemetry

extension OTLPMetricTranslator {
    /// A point of a histogram with explicit bounds: `_bucket` per bound and for `+Inf`, `_count`, and `_sum` when there is one.
    mutating func appendHistogram(
        _ content: Range<Int>, metric: Int, in bytes: Span<UInt8>, receiveTime: Timestamp, into decoded: inout DecodedMetrics
    ) throws(WireError) -> OTLPPointFault? {
        var start: UInt64 = 0
        var time: UInt64 = 0
        var count: UInt64 = 0
        var sum: Double?
        var flags: UInt64 = 0
        point.begin(metric: metric)
        var reader = WireReader(start: content.lowerBound, end: content.upperBound)
        while true {
            let fieldStart = reader.offset
            guard let tag = try reader.nextTag(in: bytes) else { break }
            switch tag.rawValue {
            case 2 << 3 | 1: start = try reader.fixed64(in: bytes)
            case 3 << 3 | 1: time = try reader.fixed64(in: bytes)
            case 4 << 3 | 1: count = try reader.fixed64(in: bytes)
            case 5 << 3 | 1: sum = Double(bitPattern: try reader.fixed64(in: bytes))
            case 6 << 3 | 2: try reader.packedFixed64(in: bytes, into: &point.counts)
            case 6 << 3 | 1: point.counts.append(try reader.fixed64(in: bytes))
            case 7 << 3 | 2: try reader.packedFixed64(in: bytes, into: &point.bounds)
            case 7 << 3 | 1: point.bounds.append(try reader.fixed64(in: bytes))
            case 8 << 3 | 2: point.exemplars.append(try reader.lengthDelimited(in: bytes))
            case 9 << 3 | 2:
                _ = try reader.lengthDelimited(in: bytes)
                point.key.append(bytes, fieldStart..<reader.offset)
            case 10 << 3: flags = try reader.varint(in: bytes)
            case 11 << 3 | 1, 12 << 3 | 1: _ = try reader.fixed64(in: bytes)
            default:
                guard !(2...12).contains(tag.number) else { throw WireError(.unexpectedWireType, offset: reader.offset) }
                try reader.skip(tag, in: bytes)
            }
        }
        let boundCount = point.bounds.count
        guard point.counts.count == boundCount + 1 || (point.counts.isEmpty && boundCount == 0) else { return .bucketCount }
        var previous = -Double.infinity
        for bits in point.bounds {
            let bound = Double(bitPattern: bits)
            guard bound.isFinite, bound > previous else { return .bounds }
            previous = bound
        }
        guard let startTime = Int64(exactly: start) else { return .startTime }
        // A tag is never 0, so this byte ends the attributes.
        point.key.append(0)
        for bits in point.bounds { point.key.append(fixed64: bits) }
        let entry = try series(metric: metric) { (scratch) throws(WireError) in
            var variants = scratch.bounds.map {
                OTLPPointSeries.Variant(suffix: "_bucket", label: Label("le", Double(bitPattern: $0).plainDecimal))
            }
            variants.append(OTLPPointSeries.Variant(suffix: "_bucket", label: Label("le", "+Inf")))
            variants.append(OTLPPointSeries.Variant(suffix: "_count"))
            variants.append(OTLPPointSeries.Variant(suffix: "_sum"))
            return OTLPPointSeries(attributes: try OTLPMetricTranslator.attributes(9, of: content, in: bytes), variants: variants)
        }
        if let fault = cache.series[entry].fault { return fault }
        guard let milliseconds = self.time(time, metric: metric, receiveTime: receiveTime) else { return .time }

        let isStale = flags & UInt64(OTLPPointFlags.noRecordedValue) != 0
        let isDelta = cache.metrics[metric].isDelta
        var cumulative: UInt64 = 0
        for position in 0..<(boundCount + 3) {
            let value: Double
            if position < boundCount {
                cumulative &+= point.counts[position]
                value = Double(cumulative)
            } else if position < boundCount + 2 {
                value = Double(count)
            } else if let sum {
                value = sum
            } else if isStale {
                value = 0
            } else {
                continue
            }
            decoded.appendSample(
                isStale ? .staleMarker : value, entry, position, time: milliseconds, start: startTime, isDelta: isDelta, isStale: isStale,
                cache: &cache)
        }
        let bounds = point.bounds
        try appendExemplars(entry, time: milliseconds, in: bytes, into: &decoded) { value in
            bounds.firstIndex { value <= Double(bitPattern: $0) } ?? bounds.count
        }
        return nil
    }

    /// A point of a summary: one sample a quantile, `_count` and `_sum`.
    mutating func appendSummary(
        _ content: Range<Int>, metric: Int, in bytes: Span<UInt8>, receiveTime: Timestamp, into decoded: inout DecodedMetrics
    ) throws(WireError) -> OTLPPointFault? {
        var start: UInt64 = 0
        var time: UInt64 = 0
        var count: UInt64 = 0
        var sum = 0.0
        var flags: UInt64 = 0
        point.begin(metric: metric)
        var reader = WireReader(start: content.lowerBound, end: content.upperBound)
        while true {
            let fieldStart = reader.offset
            guard let tag = try reader.nextTag(in: bytes) else { break }
            switch tag.rawValue {
            case 2 << 3 | 1: start = try reader.fixed64(in: bytes)
            case 3 << 3 | 1: time = try reader.fixed64(in: bytes)
            case 4 << 3 | 1: count = try reader.fixed64(in: bytes)
            case 5 << 3 | 1: sum = Double(bitPattern: try reader.fixed64(in: bytes))
            case 6 << 3 | 2:
                let range = try reader.lengthDelimited(in: bytes)
                let (quantile, value) = try OTLPMetricTranslator.quantile(range, in: bytes)
                point.bounds.append(quantile)
                point.counts.append(value)
            case 7 << 3 | 2:
                _ = try reader.lengthDelimited(in: bytes)
                point.key.append(bytes, fieldStart..<reader.offset)
            case 8 << 3: flags = try reader.varint(in: bytes)
            default:
                guard !(2...8).contains(tag.number) else { throw WireError(.unexpectedWireType, offset: reader.offset) }
                try reader.skip(tag, in: bytes)
            }
        }
        guard let startTime = Int64(exactly: start) else { return .startTime }
        point.key.append(0)
        for bits in point.bounds { point.key.append(fixed64: bits) }
        let entry = try series(metric: metric) { (scratch) throws(WireError) in
            var variants = scratch.bounds.map { OTLPPointSeries.Variant(label: Label("quantile", Double(bitPattern: $0).plainDecimal)) }
            variants.append(OTLPPointSeries.Variant(suffix: "_count"))
            variants.append(OTLPPointSeries.Variant(suffix: "_sum"))
            return OTLPPointSeries(attributes: try OTLPMetricTranslator.attributes(7, of: content, in: bytes), variants: variants)
        }
        if let fault = cache.series[entry].fault { return fault }
        guard let milliseconds = self.time(time, metric: metric, receiveTime: receiveTime) else { return .time }
        let isStale = flags & UInt64(OTLPPointFlags.noRecordedValue) != 0
        let quantileCount = point.bounds.count
        for position in 0..<(quantileCount + 2) {
            let value =
                position < quantileCount ? Double(bitPattern: point.counts[position]) : position == quantileCount ? Double(count) : sum
            decoded.appendSample(
                isStale ? .staleMarker : value, entry, position, time: milliseconds, start: startTime, isDelta: false, isStale: isStale,
                cache: &cache)
        }
        return nil
    }

    /// The bit patterns of a `ValueAtQuantile`.
    private static func quantile(_ content: Range<Int>, in bytes: Span<UInt8>) throws(WireError) -> (UInt64, UInt64) {
        var quantile: UInt64 = 0
        var value: UInt64 = 0
        var reader = WireReader(start: content.lowerBound, end: content.upperBound)
        while let tag = try reader.nextTag(in: bytes) {
            switch tag.rawValue {
            case 1 << 3 | 1: quantile = try reader.fixed64(in: bytes)
            case 2 << 3 | 1: value = try reader.fixed64(in: bytes)
            default:
                guard !(1...2).contains(tag.number) else { throw WireError(.unexpectedWireType, offset: reader.offset) }
                try reader.skip(tag, in: bytes)
            }
        }
        return (quantile, value)
    }
}

extension [UInt8] {
    /// Appends a value as eight bytes.
    mutating func append(fixed64 value: UInt64) {
        var value = value
        for _ in 0..<8 {
            append(UInt8(truncatingIfNeeded: value))
            value >>= 8
        }
    }
}

extension WireReader {
    /// Reads a packed list of eight-byte numbers.
    mutating func packedFixed64(in bytes: Span<UInt8>, into values: inout [UInt64]) throws(WireError) {
        let range = try lengthDelimited(in: bytes)
        guard range.count % 8 == 0 else { throw WireError(.truncated, offset: range.upperBound) }
        var inner = WireReader(start: range.lowerBound, end: range.upperBound)
        while !inner.isAtEnd { values.append(try inner.fixed64(in: bytes)) }
    }

    /// Reads a packed list of varints.
    mutating func packedVarint(in bytes: Span<UInt8>, into values: inout [UInt64]) throws(WireError) {
        let range = try lengthDelimited(in: bytes)
        var inner = WireReader(start: range.lowerBound, end: range.upperBound)
        while !inner.isAtEnd { values.append(try inner.varint(in: bytes)) }
    }
}
