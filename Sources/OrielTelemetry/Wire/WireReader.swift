/// A position in protobuf bytes. It reads tags, varints, fixed-width numbers and lengths, and checks every step against ``end``.
///
/// The bytes are passed to each call instead of being held, so that the reader is a plain value; all calls of one reader must pass the same bytes.
///
///     var reader = WireReader(start: 0, end: bytes.count)
///     while let tag = try reader.nextTag(in: bytes) {
///         switch tag.number { … default: try reader.skip(tag, in: bytes) }
///     }
public struct WireReader: Sendable {
    public var offset: Int
    public let end: Int

    /// Reads `start..<end`, which must lie within the bytes passed later.
    @inlinable
    public init(start: Int, end: Int) {
        self.offset = start
        self.end = end
    }

    /// A field's number and wire type.
    @frozen
    public struct Tag: Hashable, Sendable {
        public var rawValue: UInt32

        @inlinable
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        @inlinable
        public init(number: UInt32, type: WireType) { self.rawValue = number << 3 | UInt32(type.rawValue) }

        @inlinable
        public var number: UInt32 { rawValue >> 3 }
        /// 0 varint, 1 eight bytes, 2 length-delimited, 5 four bytes.
        @inlinable
        public var wireType: UInt32 { rawValue & 7 }
    }

    /// Protobuf's wire types, groups left out.
    @frozen
    public enum WireType: UInt8, Sendable {
        case varint = 0
        case fixed64 = 1
        case lengthDelimited = 2
        case fixed32 = 5
    }

    @inlinable
    public var isAtEnd: Bool { offset >= end }

    /// The next tag, or `nil` at the end.
    @inlinable
    public mutating func nextTag(in bytes: Span<UInt8>) throws(WireError) -> Tag? {
        guard offset < end else { return nil }
        let start = offset
        let value = try varint(in: bytes)
        guard value <= UInt64(UInt32.max), value >= 8 else { throw WireError(.invalidTag, offset: start) }
        return Tag(rawValue: UInt32(truncatingIfNeeded: value))
    }

    @inlinable
    public mutating func varint(in bytes: Span<UInt8>) throws(WireError) -> UInt64 {
        guard offset < end else { throw WireError(.truncated, offset: offset) }
        let first = bytes[offset]
        if first < 0x80 {
            offset &+= 1
            return UInt64(first)
        }
        return try longVarint(in: bytes)
    }

    @inlinable
    mutating func longVarint(in bytes: Span<UInt8>) throws(WireError) -> UInt64 {
        let start = offset
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while offset < end {
            let byte = bytes[offset]
            offset &+= 1
            value |= UInt64(byte & 0x7F) &<< shift
            if byte < 0x80 { return value }
            shift &+= 7
            if shift > 63 { throw WireError(.varintTooLong, offset: start) }
        }
        throw WireError(.truncated, offset: start)
    }

    @inlinable
    public mutating func fixed64(in bytes: Span<UInt8>) throws(WireError) -> UInt64 {
        guard end &- offset >= 8 else { throw WireError(.truncated, offset: offset) }
        // Checked above: eight bytes are left, and a UInt64 may be loaded from any address.
        let value = unsafe bytes.bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
        offset &+= 8
        return UInt64(littleEndian: value)
    }

    @inlinable
    public mutating func fixed32(in bytes: Span<UInt8>) throws(WireError) -> UInt32 {
        guard end &- offset >= 4 else { throw WireError(.truncated, offset: offset) }
        // Checked above: four bytes are left, and a UInt32 may be loaded from any address.
        let value = unsafe bytes.bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self)
        offset &+= 4
        return UInt32(littleEndian: value)
    }

    /// Reads a length and steps over that many bytes: the range of a string, bytes or message field's content.
    @inlinable
    public mutating func lengthDelimited(in bytes: Span<UInt8>) throws(WireError) -> Range<Int> {
        let start = offset
        let length = try varint(in: bytes)
        guard length <= UInt64(end &- offset) else { throw WireError(.truncated, offset: start) }
        let range = unsafe Range(uncheckedBounds: (offset, offset &+ Int(length)))
        offset = range.upperBound
        return range
    }

    /// Steps over the field whose tag was just read.
    @inlinable
    public mutating func skip(_ tag: Tag, in bytes: Span<UInt8>) throws(WireError) {
        switch tag.wireType {
        case 0: _ = try varint(in: bytes)
        case 1: _ = try fixed64(in: bytes)
        case 2: _ = try lengthDelimited(in: bytes)
        case 5: _ = try fixed32(in: bytes)
        default: throw WireError(.invalidTag, offset: offset)
        }
    }
}

extension Int64 {
    /// Undoes protobuf's zigzag encoding (`sint32`, `sint64`).
    @inlinable
    public init(zigzag value: UInt64) {
        self = Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }

    /// Protobuf's zigzag encoding.
    @inlinable
    public var zigzag: UInt64 {
        UInt64(bitPattern: self << 1) ^ UInt64(bitPattern: self >> 63)
    }
}
