/// The streams of one batch: canonical descriptor bytes and, once a store knows them, their ids.
public struct StreamTable: Sendable {
    /// The streams, unless they are in a dictionary.
    private var table: KeyTable
    /// Where the streams are instead of `table`, with their indexes there.
    public private(set) var dictionary: StreamDictionary?
    public private(set) var dictionaryIndexes: [UInt32] = []
    /// Parallel to ``descriptors``; empty before a store assigned ids.
    public private(set) var ids: [StreamID]
    /// Whether ``descriptors`` are those of the streams; a table of ids alone has empty ones.
    public private(set) var hasDescriptors = true

    public init() {
        table = KeyTable()
        ids = []
    }

    /// Streams of which nothing is told but their ids, which must be distinct.
    public init(ids: [StreamID]) {
        table = KeyTable()
        self.ids = ids
        hasDescriptors = false
    }

    /// ``StreamDescriptor/encoded`` of each stream; copied when they are in a dictionary.
    public var descriptors: ByteColumn {
        guard hasDescriptors else { return ByteColumn(emptyValues: ids.count) }
        return dictionary?.descriptors(dictionaryIndexes).descriptors ?? table.keys
    }

    /// A hash of each descriptor; see ``KeyTable/hashes``.
    public var descriptorHashes: [UInt64] { dictionary?.descriptors(dictionaryIndexes).hashes ?? table.hashes }

    public var count: Int { !hasDescriptors ? ids.count : dictionary == nil ? table.count : dictionaryIndexes.count }

    /// Bytes that the streams take in memory, roughly.
    var byteCount: Int { dictionary == nil ? table.keys.bytes.count : dictionaryIndexes.count * 4 }

    /// The canonical bytes of a stream, copied.
    public func descriptor(_ index: Int) -> [UInt8] {
        hasDescriptors ? dictionary?.descriptor(dictionaryIndexes[index]) ?? table.keys[index] : []
    }

    /// The id of a stream, or `nil` before ids were assigned.
    public func id(_ index: Int) -> StreamID? { index < ids.count ? ids[index] : nil }

    /// The index of a stream, added when new. Either all streams of a table get an id or none; a table of ids alone takes none.
    public mutating func intern(_ descriptor: Span<UInt8>, id: StreamID? = nil, hint: Int = -1) -> Int {
        precondition(hasDescriptors, "a table of ids alone takes no descriptors")
        if dictionary != nil { leaveDictionary() }
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

    /// Adds a stream of a dictionary, which must not be in the table yet. For tables without ids; all streams should be of one dictionary.
    ///
    /// - Returns: Its index in this table.
    public mutating func append(_ index: UInt32, of dictionary: StreamDictionary) -> Int {
        if self.dictionary !== dictionary {
            guard count == 0 else {
                return intern(dictionary.descriptor(index))
            }
            self.dictionary = dictionary
        }
        dictionaryIndexes.append(index)
        return dictionaryIndexes.count - 1
    }

    private mutating func leaveDictionary() {
        let descriptors = descriptors
        dictionary = nil
        dictionaryIndexes = []
        for index in 0..<descriptors.count { _ = table.intern(descriptors.bytes.span.extracting(descriptors.range(of: index))) }
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
