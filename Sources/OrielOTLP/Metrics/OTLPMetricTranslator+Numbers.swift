import OrielTelemetry

extension OTLPMetricTranslator {
    /// A point of a gauge or a sum: one sample.
    mutating func appendNumber(
        _ content: Range<Int>, metric: Int, in bytes: Span<UInt8>, receiveTime: Timestamp, into decoded: inout DecodedMetrics
    ) throws(WireError) -> OTLPPointFault? {
        var start: UInt64 = 0
        var time: UInt64 = 0
        var value: Double?
        var flags: UInt64 = 0
        point.begin(metric: metric)
        var reader = WireReader(start: content.lowerBound, end: content.upperBound)
        while true {
            let fieldStart = reader.offset
            guard let tag = try reader.nextTag(in: bytes) else { break }
            switch tag.rawValue {
            case 2 << 3 | 1: start = try reader.fixed64(in: bytes)
            case 3 << 3 | 1: time = try reader.fixed64(in: bytes)
            case 4 << 3 | 1: value = Double(bitPattern: try reader.fixed64(in: bytes))
            case 5 << 3 | 2: point.exemplars.append(try reader.lengthDelimited(in: bytes))
            case 6 << 3 | 1: value = Double(Int64(bitPattern: try reader.fixed64(in: bytes)))
            case 7 << 3 | 2:
                _ = try reader.lengthDelimited(in: bytes)
                point.key.append(bytes, fieldStart..<reader.offset)
            case 8 << 3: flags = try reader.varint(in: bytes)
            default:
                guard !(2...8).contains(tag.number) else { throw WireError(.unexpectedWireType, offset: reader.offset) }
                try reader.skip(tag, in: bytes)
            }
        }
        let isStale = flags & UInt64(OTLPPointFlags.noRecordedValue) != 0
        guard isStale || value != nil else { return .noValue }
        guard let startTime = Int64(exactly: start) else { return .startTime }
        let entry = try series(metric: metric) { (_) throws(WireError) in
            OTLPPointSeries(attributes: try OTLPMetricTranslator.attributes(7, of: content, in: bytes), variants: [OTLPPointSeries.Variant()])
        }
        if let fault = cache.series[entry].fault { return fault }
        guard let milliseconds = self.time(time, metric: metric, receiveTime: receiveTime) else { return .time }
        decoded.appendSample(
            isStale ? .staleMarker : value ?? 0, entry, 0, time: milliseconds, start: startTime, isDelta: cache.metrics[metric].isDelta,
            isStale: isStale, cache: &cache)
        try appendExemplars(entry, time: milliseconds, in: bytes, into: &decoded) { _ in 0 }
        return nil
    }

    /// The entry of the current point, whose key is complete.
    mutating func series(metric: Int, _ make: (OTLPPointScratch) throws(WireError) -> OTLPPointSeries) throws(WireError) -> Int {
        let key = point.takeKey()
        defer { point.giveKeyBack(key) }
        if let known = cache.knownSeries(key.span) { return known }
        let scratch = point
        return try cache.series(key.span, metric: metric) { () throws(WireError) in try make(scratch) }
    }

    /// The attributes in fields `number` of a point.
    static func attributes(_ number: UInt32, of content: Range<Int>, in bytes: Span<UInt8>) throws(WireError) -> [Attribute] {
        var attributes: [Attribute] = []
        try OTLPRequestWalk.members(number, of: content, in: bytes) { (range) throws(WireError) in
            do throws(WireError) {
                attributes.append(try Attribute(keyValue: bytes.extracting(range)))
            } catch {
                throw WireError(error.reason, offset: range.lowerBound + error.offset)
            }
        }
        return attributes
    }
}

extension OTLPMetricTranslator {
    /// The exemplars of the current point. `position` tells which of the entry's series a value belongs to.
    ///
    /// Ids of wrong length are left out, an exemplar without a value or with a time beyond `Int64` too: an exemplar is a hint and no reason
    /// to reject its point.
    mutating func appendExemplars(
        _ entry: Int, time pointTime: Int64, in bytes: Span<UInt8>, into decoded: inout DecodedMetrics, _ position: (Double) -> Int
    ) throws(WireError) {
        // A point may have far more exemplars than series.
        var streams: [Int: UInt32] = [:]
        for content in point.exemplars {
            var time: UInt64 = 0
            var value: Double?
            var traceID = 0..<0
            var spanID = 0..<0
            var isNestedTooDeeply = false
            exemplarHints.beginRow()
            var reader = WireReader(start: content.lowerBound, end: content.upperBound)
            while let tag = try reader.nextTag(in: bytes) {
                switch tag.rawValue {
                case 2 << 3 | 1: time = try reader.fixed64(in: bytes)
                case 3 << 3 | 1: value = Double(bitPattern: try reader.fixed64(in: bytes))
                case 4 << 3 | 2: spanID = try reader.lengthDelimited(in: bytes)
                case 5 << 3 | 2: traceID = try reader.lengthDelimited(in: bytes)
                case 6 << 3 | 1: value = Double(Int64(bitPattern: try reader.fixed64(in: bytes)))
                case 7 << 3 | 2:
                    let attribute = try reader.lengthDelimited(in: bytes)
                    do throws(WireError) {
                        try decoded.exemplars.attributes.append(keyValue: attribute, in: bytes, hints: &exemplarHints)
                    } catch {
                        guard case .nestingTooDeep = error.reason else { throw error }
                        isNestedTooDeeply = true
                    }
                default:
                    guard !(2...7).contains(tag.number) else { throw WireError(.unexpectedWireType, offset: reader.offset) }
                    try reader.skip(tag, in: bytes)
                }
            }
            guard let value, let nanoseconds = Int64(exactly: time), !isNestedTooDeeply else {
                decoded.exemplars.attributes.abandonRow()
                decoded.rejections.warn(
                    "\(bytes.rowPath(content, root: .metricsData)): the exemplar was dropped: it needs a value, a time before 2262 and at most 64 nested values"
                )
                continue
            }
            let position = position(value)
            let stream = streams[position] ?? UInt32(decoded.exemplars.streams.intern(cache.descriptor(entry, position)))
            streams[position] = stream
            decoded.exemplars.streamIndexes.append(stream)
            decoded.exemplars.times.append(nanoseconds == 0 ? pointTime : Timestamp(nanoseconds: nanoseconds).milliseconds)
            decoded.exemplars.values.append(value)
            decoded.exemplars.traceIDs.append(TraceID(bytes: bytes.extracting(traceID)) ?? .zero)
            decoded.exemplars.spanIDs.append(SpanID(bytes: bytes.extracting(spanID))?.rawValue ?? 0)
            decoded.exemplars.attributes.finishRow()
        }
    }
}
