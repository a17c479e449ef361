import OrielTelemetry

/// Streams that requests have named before: from the raw bytes of resource and scope to the canonical descriptor. Clients send the same few
/// again and again, and building
/// a descriptor (strings, sorting) costs as much as decoding several rows.
struct OTLPStreamCache: Sendable {
    private var resourceKeys = KeyTable()
    /// Parallel to the keys.
    private var resources: [(value: Resource, keyByteCount: Int)] = []
    private var streamKeys = KeyTable()
    /// Parallel to the keys of the streams.
    private var descriptors = ByteColumn()
    private var batchIndexes: [(request: UInt64, index: UInt32)] = []
    private var buffer: [UInt8] = []
    /// Counts requests.
    private var request: UInt64 = 0
    private var requestByteCount = 0

    /// Above this many bytes the cache starts anew with the next request.
    private static let byteLimit = 8 << 20
    /// The most that the descriptors of one request's streams may take: each holds its whole resource, so that a small request could ask for very much.
    private static let requestByteLimit = 256 << 20

    mutating func beginRequest() {
        if resourceKeys.keys.bytes.count + streamKeys.keys.bytes.count + descriptors.bytes.count > OTLPStreamCache.byteLimit {
            self = OTLPStreamCache()
        }
        request += 1
        requestByteCount = 0
    }

    /// The resource of a group.
    mutating func resource(_ group: OTLPRequestWalk.Group, in bytes: Span<UInt8>) throws(WireError) -> Int {
        // The buffer is moved out, so that reading it does not keep the whole cache borrowed.
        var key: [UInt8] = []
        swap(&key, &buffer)
        defer { swap(&key, &buffer) }
        key.removeAll(keepingCapacity: true)
        OTLPStreamCache.appendKey(of: group, in: bytes, to: &key)
        if let index = resourceKeys.index(of: key.span) { return index }
        resources.append((try group.resource(in: bytes), key.count))
        return resourceKeys.intern(key.span)
    }

    /// The stream of a scope group inside a resource; `nil` when the request's streams would take too many bytes.
    mutating func stream(resource: Int, scope: OTLPRequestWalk.Group, in bytes: Span<UInt8>) throws(WireError) -> Int? {
        var key: [UInt8] = []
        swap(&key, &buffer)
        defer { swap(&key, &buffer) }
        key.removeAll(keepingCapacity: true)
        key.append(index: resource)
        OTLPStreamCache.appendKey(of: scope, in: bytes, to: &key)
        if let index = streamKeys.index(of: key.span) { return index }
        requestByteCount += resources[resource].keyByteCount + key.count
        guard requestByteCount <= OTLPStreamCache.requestByteLimit else { return nil }
        descriptors.append(StreamDescriptor.scope(resources[resource].value, try scope.scope(in: bytes)).encoded)
        batchIndexes.append((0, 0))
        return streamKeys.intern(key.span)
    }

    /// The index of a stream in the request's batch: interned when its first row comes, so that a batch has no stream without rows.
    mutating func batchIndex(_ stream: Int, in table: inout StreamTable) -> UInt32 {
        let known = batchIndexes[stream]
        if known.request == request { return known.index }
        let index = UInt32(table.intern(descriptors.bytes.span.extracting(descriptors.range(of: stream))))
        batchIndexes[stream] = (request, index)
        return index
    }

    /// Appends the group's identity, each part behind its length, so that different groups have different keys.
    static func appendKey(of group: OTLPRequestWalk.Group, in bytes: Span<UInt8>, to key: inout [UInt8]) {
        appendPart(group.schemaURL, in: bytes, to: &key)
        key.append(UInt8(truncatingIfNeeded: min(group.moreIdentities.count, 255)))
        appendPart(group.identity, in: bytes, to: &key)
        for identity in group.moreIdentities { appendPart(identity, in: bytes, to: &key) }
    }

    private static func appendPart(_ range: Range<Int>, in bytes: Span<UInt8>, to key: inout [UInt8]) {
        var length = UInt32(truncatingIfNeeded: range.count)
        for _ in 0..<4 {
            key.append(UInt8(truncatingIfNeeded: length))
            length >>= 8
        }
        key.append(bytes, range)
    }
}

extension OTLPRequestWalk.Group {
    /// The group's resource; several pieces are merged.
    func resource(in bytes: Span<UInt8>) throws(WireError) -> Resource {
        var resource = Resource(schemaURL: String(repairing: bytes.extracting(schemaURL)))
        try eachIdentity(in: bytes) { (content) throws(WireError) in try resource.read(content) }
        return resource
    }

    /// The group's scope; several pieces are merged.
    func scope(in bytes: Span<UInt8>) throws(WireError) -> InstrumentationScope {
        var scope = InstrumentationScope(schemaURL: String(repairing: bytes.extracting(schemaURL)))
        try eachIdentity(in: bytes) { (content) throws(WireError) in try scope.read(content) }
        return scope
    }

    private func eachIdentity(in bytes: Span<UInt8>, _ body: (Span<UInt8>) throws(WireError) -> Void) throws(WireError) {
        for range in [identity] + moreIdentities {
            do throws(WireError) {
                try body(bytes.extracting(range))
            } catch {
                throw WireError(error.reason, offset: range.lowerBound + error.offset)
            }
        }
    }
}
