/// Writes protobuf fields at the end of a byte array.
///
/// A plain namespace of extensions on `[UInt8]` would pollute every array, so the buffer is wrapped; ``bytes`` is what was written.
public struct WireWriter: Sendable {
    public var bytes: [UInt8]

    public init(bytes: [UInt8] = []) {
        self.bytes = bytes
    }

    public mutating func varint(_ value: UInt64) {
        if value < 0x80 { return bytes.append(UInt8(truncatingIfNeeded: value)) }
        var value = value
        while value >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
            value >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: value))
    }

    public mutating func tag(_ number: UInt32, _ type: WireReader.WireType) {
        varint(UInt64(number << 3 | UInt32(type.rawValue)))
    }

    /// A varint field; `bool`, `enum`, `int32`, `int64`, `uint32`, `uint64`.
    public mutating func varintField(_ number: UInt32, _ value: UInt64) {
        tag(number, .varint)
        varint(value)
    }

    public mutating func fixed64(_ value: UInt64) {
        append(value.littleEndian)
    }

    public mutating func fixed64Field(_ number: UInt32, _ value: UInt64) {
        tag(number, .fixed64)
        fixed64(value)
    }

    public mutating func doubleField(_ number: UInt32, _ value: Double) {
        fixed64Field(number, value.bitPattern)
    }

    public mutating func fixed32Field(_ number: UInt32, _ value: UInt32) {
        tag(number, .fixed32)
        append(value.littleEndian)
    }

    public mutating func stringField(_ number: UInt32, _ value: String) {
        tag(number, .lengthDelimited)
        let utf8 = value.utf8
        varint(UInt64(utf8.count))
        // In one step where the text's bytes lie together, as they mostly do. Safe: the pointer is used within the closure only, and `append` copies.
        let isAppended: Void? = unsafe utf8.withContiguousStorageIfAvailable { unsafe bytes.append(contentsOf: $0) }
        if isAppended == nil { bytes.append(contentsOf: utf8) }
    }

    public mutating func bytesField(_ number: UInt32, _ value: Span<UInt8>) {
        tag(number, .lengthDelimited)
        varint(UInt64(value.count))
        bytes.append(value)
    }

    /// A message field: `body` writes the content, whose length is then put before it.
    ///
    /// Complexity: the content is moved once by the length's size, 1 to 5 bytes.
    public mutating func messageField<Failure: Error>(_ number: UInt32, _ body: (inout WireWriter) throws(Failure) -> Void) throws(Failure) {
        tag(number, .lengthDelimited)
        let mark = bytes.count
        bytes.append(0)
        try body(&self)
        let length = bytes.count - mark - 1
        if length < 0x80 {
            bytes[mark] = UInt8(length)
        } else {
            var prefix = WireWriter()
            prefix.varint(UInt64(length))
            bytes.replaceSubrange(mark...mark, with: prefix.bytes)
        }
    }

    /// The 16 bytes of a trace id.
    public mutating func traceIDField(_ number: UInt32, _ id: TraceID) {
        tag(number, .lengthDelimited)
        bytes.append(16)
        bigEndian(id.high)
        bigEndian(id.low)
    }

    /// The 8 bytes of a span id.
    public mutating func spanIDField(_ number: UInt32, _ id: SpanID) {
        tag(number, .lengthDelimited)
        bytes.append(8)
        bigEndian(id.rawValue)
    }

    private mutating func bigEndian(_ value: UInt64) {
        append(value.bigEndian)
    }

    /// The bytes of a number as they lie in memory, in one step.
    @inline(__always)
    private mutating func append(_ value: some FixedWidthInteger) {
        // Safe: the pointer is used within the closure only, and `append` copies.
        unsafe withUnsafeBytes(of: value) { unsafe bytes.append(contentsOf: $0) }
    }
}
