/// Reads the labels of an encoded series where they lie, without making texts of them: for lists of very many series.
///
/// As with ``WireReader`` the bytes are passed to each call; all calls of one reader must pass the same bytes.
///
///     var reader = try SeriesLabelReader(descriptor)
///     while let label = try reader.next(in: descriptor) { use(descriptor.extracting(label.name), descriptor.extracting(label.value)) }
public struct SeriesLabelReader: Sendable {
    private var reader: WireReader

    /// Where a label's name and value lie in the bytes.
    public struct Place: Hashable, Sendable {
        public var name: Range<Int>
        public var value: Range<Int>
    }

    /// Reads ``StreamDescriptor/encoded`` of a ``StreamDescriptor/series(_:)``; other bytes throw.
    public init(_ bytes: Span<UInt8>) throws(WireError) {
        guard bytes.count > 0 else { throw WireError(.truncated, offset: 0) }
        guard bytes[0] == StreamDescriptor.seriesMarker else { throw WireError(.invalidTag, offset: 0) }
        reader = WireReader(start: 1, end: bytes.count)
    }

    /// The next label, in the order of the names' bytes; `nil` behind the last.
    public mutating func next(in bytes: Span<UInt8>) throws(WireError) -> Place? {
        while let tag = try reader.nextTag(in: bytes) {
            guard tag.number == 1, tag.wireType == 2 else {
                try reader.skip(tag, in: bytes)
                continue
            }
            let content = try reader.lengthDelimited(in: bytes)
            let empty = content.lowerBound..<content.lowerBound
            var place = Place(name: empty, value: empty)
            var fields = WireReader(start: content.lowerBound, end: content.upperBound)
            while let tag = try fields.nextTag(in: bytes) {
                switch (tag.number, tag.wireType) {
                case (1, 2): place.name = try fields.lengthDelimited(in: bytes)
                case (2, 2): place.value = try fields.lengthDelimited(in: bytes)
                default: try fields.skip(tag, in: bytes)
                }
            }
            return place
        }
        return nil
    }
}
