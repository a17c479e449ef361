import OrielTelemetry

/// Streams that requests have named before: from the raw bytes of resource and scope to the canonical descriptor. Clients send the same few
/// again and again, and building
/// a descriptor (strings, sorting) costs as much as decoding several rows.
struct OTLPStreamCache: Sendable {
    private var raw = KeyTable()
    /// Parallel to the keys of `raw`.
    private var descriptors = ByteColumn()
    private var buffer: [UInt8] = []

    /// Above this many bytes the cache starts anew after the request.
    private static let byteLimit = 8 << 20

    /// A stream on its way into a batch: interned when its first row comes, so that a batch has no stream without rows.
    struct Stream {
        var descriptor: [UInt8]
        private var interned: UInt32?

        init(descriptor: [UInt8]) {
            self.descriptor = descriptor
        }

        mutating func index(in table: inout StreamTable) -> UInt32 {
            if let interned { return interned }
            let index = UInt32(table.intern(descriptor.span))
            interned = index
            return index
        }
    }

    /// The stream of a scope group inside a resource group.
    mutating func stream(resource: OTLPRequestWalk.Group, scope: OTLPRequestWalk.Group, in bytes: Span<UInt8>) throws(WireError) -> Stream {
        // The buffer is moved out, so that reading it does not keep the whole cache borrowed.
        var key: [UInt8] = []
        swap(&key, &buffer)
        defer { swap(&key, &buffer) }
        key.removeAll(keepingCapacity: true)
        OTLPStreamCache.appendKey(of: resource, in: bytes, to: &key)
        OTLPStreamCache.appendKey(of: scope, in: bytes, to: &key)
        if let index = raw.index(of: key.span) { return Stream(descriptor: descriptors[index]) }
        let descriptor = StreamDescriptor.scope(try resource.resource(in: bytes), try scope.scope(in: bytes)).encoded
        _ = raw.intern(key.span)
        descriptors.append(descriptor)
        return Stream(descriptor: descriptor)
    }

    /// Bounds what an idle decoder holds.
    mutating func trim() {
        if raw.keys.bytes.count + descriptors.bytes.count > OTLPStreamCache.byteLimit { self = OTLPStreamCache() }
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
