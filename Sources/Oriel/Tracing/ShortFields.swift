import OrielTelemetry

/// A few short protobuf fields, written into memory at the end of an array: one that grows by one byte after the other would cost many times as much.
@safe
struct ShortFields: ~Copyable {
    /// Valid as long as the closure of ``WireWriter/shortFields(_:_:)`` runs, which this value cannot leave.
    private let memory: UnsafeMutableRawBufferPointer
    fileprivate private(set) var count = 0

    fileprivate init(_ memory: UnsafeMutableRawBufferPointer) {
        unsafe self.memory = memory
    }

    /// The bytes of a number in the machine's order.
    @inline(__always)
    mutating func raw<Number: FixedWidthInteger & BitwiseCopyable>(_ number: Number) {
        precondition(unsafe count &+ MemoryLayout<Number>.size <= memory.count, "short fields that are longer than they were said to be")
        unsafe memory.storeBytes(of: number, toByteOffset: count, as: Number.self)
        count &+= MemoryLayout<Number>.size
    }

    /// The UTF-8 of a text.
    @inline(__always)
    mutating func text(_ text: String) {
        let start = count
        // Safe: the pointer is used within the closure only, and the length is checked before the copy.
        let isCopied: Void? = unsafe text.utf8.withContiguousStorageIfAvailable { utf8 in
            precondition(unsafe start &+ utf8.count <= memory.count, "short fields that are longer than they were said to be")
            unsafe UnsafeMutableRawBufferPointer(rebasing: memory[start...]).copyMemory(from: UnsafeRawBufferPointer(utf8))
            count = start &+ utf8.count
        }
        if isCopied == nil { for byte in text.utf8 { raw(byte) } }
    }

    /// A field's tag of one byte: numbers up to 15.
    @inline(__always)
    mutating func tag(_ number: UInt8, _ type: WireReader.WireType) { raw(number << 3 | type.rawValue) }

    @inline(__always)
    mutating func varint(_ value: UInt64) {
        var value = value
        while value >= 0x80 {
            raw(UInt8(truncatingIfNeeded: value) | 0x80)
            value >>= 7
        }
        raw(UInt8(truncatingIfNeeded: value))
    }

    /// A text with its tag, and its length, which takes up to five bytes.
    @inline(__always)
    mutating func stringField(_ number: UInt8, _ value: String) {
        tag(number, .lengthDelimited)
        varint(UInt64(value.utf8.count))
        text(value)
    }

    @inline(__always)
    mutating func fixed64Field(_ number: UInt8, _ value: UInt64) {
        tag(number, .fixed64)
        raw(value.littleEndian)
    }

    @inline(__always)
    mutating func spanIDField(_ number: UInt8, _ id: SpanID) {
        tag(number, .lengthDelimited)
        raw(8 as UInt8)
        raw(id.rawValue.bigEndian)
    }

    @inline(__always)
    mutating func traceIDField(_ number: UInt8, _ id: TraceID) {
        tag(number, .lengthDelimited)
        raw(16 as UInt8)
        raw(id.high.bigEndian)
        raw(id.low.bigEndian)
    }
}

extension WireWriter {
    /// Appends what `body` writes, at most `limit` bytes, in one step.
    @inline(__always)
    mutating func shortFields(_ limit: Int, _ body: (inout ShortFields) -> Void) {
        bytes.append(addingCapacity: limit) { output in
            // Safe: the memory is used within the closures only, and counts as far as it was written.
            unsafe output.withUnsafeMutableBufferPointer { buffer, initializedCount in
                var fields = unsafe ShortFields(UnsafeMutableRawBufferPointer(buffer))
                body(&fields)
                initializedCount = fields.count
            }
        }
    }

    /// The bytes of a varint.
    @inline(__always)
    static func size(ofVarint value: UInt64) -> Int { (70 &- max(value, 1).leadingZeroBitCount) / 7 }
}
