/// The streams of one batch: canonical descriptor bytes and, once a store knows them, their ids.
public struct StreamTable: Sendable {
    private var table: KeyTable
    /// Parallel to ``descriptors``; empty before a store assigned ids.
    public private(set) var ids: [StreamID]

    public init() {
        table = KeyTable()
        ids = []
    }

    /// ``StreamDescriptor/encoded`` of each stream.
    public var descriptors: ByteColumn { table.keys }

    public var count: Int { table.count }

    /// The canonical bytes of a stream, copied.
    public func descriptor(_ index: Int) -> [UInt8] { table.keys[index] }

    /// The id of a stream, or `nil` before ids were assigned.
    public func id(_ index: Int) -> StreamID? { index < ids.count ? ids[index] : nil }

    /// The index of a stream, added when new. Either all streams of a table get an id or none.
    public mutating func intern(_ descriptor: Span<UInt8>, id: StreamID? = nil, hint: Int = -1) -> Int {
        let index = table.intern(descriptor, hint: hint)
        if let id, index == ids.count { ids.append(id) }
        return index
    }

    /// The index of a stream, added when new.
    public mutating func intern(_ descriptor: [UInt8], id: StreamID? = nil) -> Int {
        intern(descriptor.span, id: id)
    }

    /// The index of a stream, added when new.
    public mutating func intern(_ descriptor: StreamDescriptor) -> Int {
        intern(descriptor.encoded.span)
    }

    /// The decoded descriptor. Bytes that are no descriptor (impossible for what a decoder interned) throw.
    public func decoded(_ index: Int) throws(WireError) -> StreamDescriptor {
        try StreamDescriptor(encoded: descriptor(index).span)
    }

    /// Sets the ids, one per stream in order; a wrong count is ignored in release and trapped in debug.
    public mutating func assign(_ ids: [StreamID]) {
        assert(ids.count == count)
        if ids.count == count { self.ids = ids }
    }
}
