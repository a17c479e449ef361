extension WireReader {
    /// A value as it lies in the bytes of an OTLP `AnyValue`: its type, and its payload or the place of its content.
    @frozen
    public struct AnyValue: Sendable {
        public var type: AttributeType = .empty
        /// The value of a boolean (0 or 1), an integer or a double, as bits.
        public var bits: UInt64 = 0
        /// The content of a string, bytes, array (`ArrayValue`) or map (`KeyValueList`).
        public var content: Range<Int> = 0..<0

        @inlinable
        public init() {}
    }

    /// Reads an `AnyValue` up to the reader's end, checking everything below it: what passes here can be read later without an error.
    ///
    /// Of several values the last one counts, as protobuf demands; unknown fields are skipped.
    /// - Parameter depth: how many arrays and maps lie around the value; more than ``AttributeValue/maximumNesting`` throw.
    /// - Complexity: O(*n*), nothing is copied.
    @inlinable
    public mutating func anyValue(in bytes: Span<UInt8>, depth: Int = 0) throws(WireError) -> AnyValue {
        var value = AnyValue()
        while let tag = try nextTag(in: bytes) {
            switch tag.rawValue {
            case 1 << 3 | 2:
                value.content = try lengthDelimited(in: bytes)
                value.type = .string
            case 2 << 3:
                value.bits = try varint(in: bytes) == 0 ? 0 : 1
                value.type = .bool
            case 3 << 3:
                value.bits = try varint(in: bytes)
                value.type = .int
            case 4 << 3 | 1:
                value.bits = try fixed64(in: bytes)
                value.type = .double
            case 5 << 3 | 2:
                value.content = try lengthDelimited(in: bytes)
                value.type = .array
                try WireReader.checkElements(value.content, isMap: false, in: bytes, depth: depth &+ 1)
            case 6 << 3 | 2:
                value.content = try lengthDelimited(in: bytes)
                value.type = .map
                try WireReader.checkElements(value.content, isMap: true, in: bytes, depth: depth &+ 1)
            case 7 << 3 | 2:
                value.content = try lengthDelimited(in: bytes)
                value.type = .bytes
            default:
                guard !(1...7).contains(tag.number) else { throw WireError(.unexpectedWireType, offset: offset) }
                try skip(tag, in: bytes)
            }
        }
        return value
    }

    /// Reads a `KeyValue` up to the reader's end: where its key lies, and its value, checked as by ``anyValue(in:depth:)``.
    @inlinable
    public mutating func keyValue(in bytes: Span<UInt8>, depth: Int = 0) throws(WireError) -> (key: Range<Int>, value: AnyValue) {
        var key = 0..<0
        var value = AnyValue()
        while let tag = try nextTag(in: bytes) {
            switch tag.rawValue {
            case 1 << 3 | 2: key = try lengthDelimited(in: bytes)
            case 2 << 3 | 2:
                let content = try lengthDelimited(in: bytes)
                var inner = WireReader(start: content.lowerBound, end: content.upperBound)
                value = try inner.anyValue(in: bytes, depth: depth)
            default:
                guard !(1...2).contains(tag.number) else { throw WireError(.unexpectedWireType, offset: offset) }
                try skip(tag, in: bytes)
            }
        }
        return (key, value)
    }

    /// Checks the content of an `ArrayValue` or a `KeyValueList`.
    @usableFromInline
    static func checkElements(_ content: Range<Int>, isMap: Bool, in bytes: Span<UInt8>, depth: Int) throws(WireError) {
        guard depth <= AttributeValue.maximumNesting else {
            throw WireError(.nestingTooDeep(limit: AttributeValue.maximumNesting), offset: content.lowerBound)
        }
        var reader = WireReader(start: content.lowerBound, end: content.upperBound)
        while let tag = try reader.nextTag(in: bytes) {
            guard tag.number == 1, tag.wireType == 2 else {
                try reader.skip(tag, in: bytes)
                continue
            }
            let element = try reader.lengthDelimited(in: bytes)
            var inner = WireReader(start: element.lowerBound, end: element.upperBound)
            if isMap { _ = try inner.keyValue(in: bytes, depth: depth) } else { _ = try inner.anyValue(in: bytes, depth: depth) }
        }
    }
}
