import OrielTelemetry

/// Turns OTLP metrics into Prometheus series, straight from the request's bytes; ``OTLPMetricMapping`` tells what becomes of each field.
///
/// A point whose series is known costs a hash of its attribute bytes and the appending of its numbers; labels are built only for series
/// that this decoder has not seen.
struct OTLPMetricTranslator: Sendable {
    var cache: OTLPSeriesCache
    /// For each resource of the cache the latest time of a point of this request, in milliseconds; `nil` when there was none. May be shorter.
    private var latestTimes: [Int64?] = []
    /// The resources that have one.
    private var liveResources: [Int] = []
    /// The parts of the current point, reused from point to point.
    var point = OTLPPointScratch()
    var exemplarHints = AttributeKeyHints()

    init(options: OTLPMetricOptions) {
        cache = OTLPSeriesCache(options: options)
    }

    mutating func decode(_ bytes: Span<UInt8>, receiveTime: Timestamp, into decoded: inout DecodedMetrics) throws(WireError) {
        cache.beginRequest()
        for resource in liveResources { latestTimes[resource] = nil }
        liveResources.removeAll(keepingCapacity: true)
        var key: [UInt8] = []
        try OTLPRequestWalk.members(1, of: 0..<bytes.count, in: bytes) { (resourceContent) throws(WireError) in
            let resourceGroup = try OTLPRequestWalk.Group(resourceContent, in: bytes)
            let resource: Int
            do throws(WireError) {
                key.removeAll(keepingCapacity: true)
                OTLPStreamCache.appendKey(of: resourceGroup, in: bytes, to: &key)
                resource = try cache.resource(key.span) { () throws(WireError) in try resourceGroup.resource(in: bytes) }
            } catch {
                var count = 0
                try OTLPRequestWalk.members(2, of: resourceContent, in: bytes) { (scopeContent) throws(WireError) in
                    count += try OTLPMetricTranslator.pointCount(ofScope: scopeContent, in: bytes)
                }
                try OTLPRequestWalk.reject(rows: count, for: error, root: .metricsData, in: bytes, rejections: &decoded.rejections)
                return
            }
            try OTLPRequestWalk.members(2, of: resourceContent, in: bytes) { (scopeContent) throws(WireError) in
                let scopeGroup = try OTLPRequestWalk.Group(scopeContent, in: bytes)
                let scope: Int
                do throws(WireError) {
                    key.removeAll(keepingCapacity: true)
                    key.append(index: resource)
                    OTLPStreamCache.appendKey(of: scopeGroup, in: bytes, to: &key)
                    scope = try cache.scope(key.span, resource: resource) { () throws(WireError) in try scopeGroup.scope(in: bytes) }
                } catch {
                    let count = try OTLPMetricTranslator.pointCount(ofScope: scopeContent, in: bytes)
                    try OTLPRequestWalk.reject(rows: count, for: error, root: .metricsData, in: bytes, rejections: &decoded.rejections)
                    return
                }
                try OTLPRequestWalk.members(2, of: scopeContent, in: bytes) { (metric) throws(WireError) in
                    try translate(metric, scope: scope, in: bytes, receiveTime: receiveTime, into: &decoded)
                }
            }
        }
        appendTargetInfo(to: &decoded)
    }

    private mutating func translate(
        _ content: Range<Int>, scope: Int, in bytes: Span<UInt8>, receiveTime: Timestamp, into decoded: inout DecodedMetrics
    ) throws(WireError) {
        let header = try OTLPMetricHeader(content, in: bytes)
        guard let data = header.data else { return }
        point.key.removeAll(keepingCapacity: true)
        point.key.append(index: scope)
        point.key.append(data.kind.rawValue)
        point.key.append(UInt8(truncatingIfNeeded: data.temporality) << 1 | (data.isMonotonic ? 1 : 0))
        for range in [header.name, header.unit, header.description] {
            point.key.append(index: range.count)
            point.key.append(bytes, range)
        }
        let naming = cache.naming
        // The key is moved out for the call, so that reading it does not keep the scratch borrowed.
        let key = point.takeKey()
        let metric = cache.metric(key.span, scope: scope, isDelta: data.temporality == 1) {
            let unit = String(repairing: bytes.extracting(header.unit))
            let name = naming.metricName(String(repairing: bytes.extracting(header.name)), unit: unit, kind: data.namingKind)
            let help = String(repairing: bytes.extracting(header.description))
            return (name, MetricFamily(name: name ?? "", kind: data.familyKind, unit: unit, help: help))
        }
        point.giveKeyBack(key)

        let hasTemporality = data.kind == .gauge || data.kind == .summary || data.temporality == 1 || data.temporality == 2
        let rowsBefore = decoded.rowCount
        for part in data.parts {
            try OTLPRequestWalk.members(1, of: part, in: bytes) { (content) throws(WireError) in
                guard hasTemporality else {
                    decoded.reject(.temporality, content, in: bytes)
                    return
                }
                let fault: OTLPPointFault?
                switch data.kind {
                case .gauge, .sum:
                    fault = try appendNumber(content, metric: metric, in: bytes, receiveTime: receiveTime, into: &decoded)
                case .histogram:
                    fault = try appendHistogram(content, metric: metric, in: bytes, receiveTime: receiveTime, into: &decoded)
                case .exponentialHistogram:
                    fault = try appendExponentialHistogram(content, metric: metric, in: bytes, receiveTime: receiveTime, into: &decoded)
                case .summary:
                    fault = try appendSummary(content, metric: metric, in: bytes, receiveTime: receiveTime, into: &decoded)
                }
                if let fault { decoded.reject(fault, content, in: bytes) }
            }
        }
        if decoded.rowCount > rowsBefore, let family = cache.familyIfNew(ofMetric: metric) { decoded.families.append(family) }
    }

    /// The place of a point in time, in milliseconds; and for what is not delta a note that the resource was alive then.
    mutating func time(_ nanoseconds: UInt64, metric: Int, receiveTime: Timestamp) -> Int64? {
        guard let value = Int64(exactly: nanoseconds) else { return nil }
        let time = (value == 0 ? receiveTime : Timestamp(nanoseconds: value)).milliseconds
        if !cache.metrics[metric].isDelta {
            let resource = cache.metrics[metric].resource
            if resource >= latestTimes.count {
                latestTimes.append(contentsOf: repeatElement(nil, count: resource + 1 - latestTimes.count))
            }
            if let latest = latestTimes[resource] {
                latestTimes[resource] = max(latest, time)
            } else {
                latestTimes[resource] = time
                liveResources.append(resource)
            }
        }
        return time
    }

    /// One sample of value 1 a resource, at the latest time of its points.
    private mutating func appendTargetInfo(to decoded: inout DecodedMetrics) {
        var isFirst = true
        for resource in liveResources.sorted() {
            guard let time = latestTimes[resource], let index = cache.targetInfoIndex(ofResource: resource, in: &decoded.samples.streams) else { continue }
            decoded.samples.streamIndexes.append(index)
            decoded.samples.times.append(time)
            decoded.samples.values.append(1)
            if isFirst { decoded.families.append(MetricFamily(name: "target_info", kind: .info, help: "Attributes of the resource that sent the metrics")) }
            isFirst = false
        }
    }

    /// How many points a scope group holds, for one that is rejected as a whole.
    private static func pointCount(ofScope content: Range<Int>, in bytes: Span<UInt8>) throws(WireError) -> Int {
        var count = 0
        try OTLPRequestWalk.members(2, of: content, in: bytes) { (metric) throws(WireError) in
            for part in try OTLPMetricHeader(metric, in: bytes).data?.parts ?? [] {
                try OTLPRequestWalk.members(1, of: part, in: bytes) { (_) throws(WireError) in count += 1 }
            }
        }
        return count
    }
}

/// Buffers for the parts of one point.
struct OTLPPointScratch: Sendable {
    var key: [UInt8] = []
    /// Bit patterns of the bounds, little-endian.
    var bounds: [UInt64] = []
    var counts: [UInt64] = []
    var negativeCounts: [UInt64] = []
    var exemplars: [Range<Int>] = []

    /// Starts a point of a metric.
    mutating func begin(metric: Int) {
        key.removeAll(keepingCapacity: true)
        key.append(index: metric)
        bounds.removeAll(keepingCapacity: true)
        counts.removeAll(keepingCapacity: true)
        negativeCounts.removeAll(keepingCapacity: true)
        exemplars.removeAll(keepingCapacity: true)
    }

    mutating func takeKey() -> [UInt8] {
        var taken: [UInt8] = []
        swap(&taken, &key)
        return taken
    }

    mutating func giveKeyBack(_ taken: consuming [UInt8]) { key = taken }
}

extension [UInt8] {
    /// Appends an index as four bytes.
    mutating func append(index: Int) {
        var value = UInt32(truncatingIfNeeded: index)
        for _ in 0..<4 {
            append(UInt8(truncatingIfNeeded: value))
            value >>= 8
        }
    }
}
