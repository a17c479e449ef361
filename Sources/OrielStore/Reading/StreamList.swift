public import OrielTelemetry

/// Streams as a store lists them: an id and the encoded descriptor of each, not decoded, so that a list of a hundred thousand is two arrays.
public struct StreamList: Sendable, Equatable {
    /// In the order of the list.
    public let ids: [StreamID]
    /// Parallel to ``ids``: ``StreamDescriptor/encoded``.
    public let descriptors: ByteColumn

    /// - Precondition: As many descriptors as ids; further ones are not listed.
    public init(ids: [StreamID], descriptors: ByteColumn) {
        assert(ids.count == descriptors.count)
        self.ids = ids.count > descriptors.count ? Array(ids.prefix(descriptors.count)) : ids
        self.descriptors = descriptors
    }

    /// No streams.
    public init() {
        self.init(ids: [], descriptors: ByteColumn())
    }

    public var count: Int { ids.count }

    /// The decoded descriptor of a stream. Bytes that are no descriptor (impossible for what a decoder interned) throw.
    public func decoded(_ index: Int) throws(WireError) -> StreamDescriptor {
        try StreamDescriptor(encoded: descriptors.bytes.span.extracting(descriptors.range(of: index)))
    }
}
