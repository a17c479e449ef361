import Logging
import OrielTelemetry

/// The parts of a log record that every line has, written with one check of the buffer each instead of one a byte.
extension WireWriter {
    /// `time_unix_nano`, `observed_time_unix_nano`, `severity_number`, `severity_text` and `body`, a string.
    @inline(__always)
    mutating func logRecordHead(time: Timestamp, severity: Logging.Logger.Level, body: String) {
        let bodyCount = body.utf8.count
        let isShort = bodyCount < 0x80 - 2
        let nanoseconds = UInt64(bitPattern: max(time.nanoseconds, 0))
        let text = severity.severityText
        unsafe appendFields(upTo: 36 + (isShort ? bodyCount : 0)) { fields in
            unsafe fields.byte(1 << 3 | 1)
            unsafe fields.littleEndian(nanoseconds)
            unsafe fields.byte(11 << 3 | 1)
            unsafe fields.littleEndian(nanoseconds)
            unsafe fields.byte(2 << 3)
            unsafe fields.byte(UInt8(truncatingIfNeeded: severity.severityNumber))
            unsafe fields.byte(3 << 3 | 2)
            unsafe fields.byte(UInt8(truncatingIfNeeded: text.utf8CodeUnitCount))
            // At most the 8 bytes of "CRITICAL".
            unsafe fields.bytes(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
            guard isShort else { return }
            unsafe fields.byte(5 << 3 | 2)
            unsafe fields.byte(UInt8(truncatingIfNeeded: bodyCount + 2))
            unsafe fields.byte(1 << 3 | 2)
            unsafe fields.byte(UInt8(truncatingIfNeeded: bodyCount))
            unsafe fields.text(body, bodyCount)
        }
        guard !isShort else { return }
        tag(5, .lengthDelimited)
        textValue(body, bodyCount)
    }

    /// `trace_id`, `span_id` and `flags`.
    @inline(__always)
    mutating func logRecordSpan(_ traceID: TraceID, _ spanID: SpanID, flags: UInt8) {
        unsafe appendFields(upTo: 33) { fields in
            unsafe fields.byte(9 << 3 | 2)
            unsafe fields.byte(16)
            unsafe fields.littleEndian(traceID.high.byteSwapped)
            unsafe fields.littleEndian(traceID.low.byteSwapped)
            unsafe fields.byte(10 << 3 | 2)
            unsafe fields.byte(8)
            unsafe fields.littleEndian(spanID.rawValue.byteSwapped)
            unsafe fields.byte(8 << 3 | 5)
            unsafe fields.byte(flags)
            unsafe fields.byte(0)
            unsafe fields.byte(0)
            unsafe fields.byte(0)
        }
    }

    /// Calls `body` with room for short attributes, so that one check of the buffer is enough for several.
    ///
    /// - Parameter room: bytes at most; less than none counts as none.
    @inline(__always)
    mutating func shortAttributes(room: Int, _ body: (inout ShortAttributes) -> Void) {
        let room = max(room, 0)
        unsafe appendFields(upTo: room) { fields in
            var attributes = unsafe ShortAttributes(fields, room: room)
            body(&attributes)
            unsafe fields = unsafe attributes.fields
        }
    }

    /// The length of an `AnyValue` that is a string, and its content.
    mutating func textValue(_ text: String, _ count: Int) {
        varint(UInt64(WireWriter.fieldSize(count)))
        stringField(1, text)
    }

    /// An attribute with a string, of any length.
    mutating func longAttribute(_ key: String, _ text: String) {
        let count = text.utf8.count
        let valueSize = WireWriter.fieldSize(count)
        tag(6, .lengthDelimited)
        varint(UInt64(WireWriter.fieldSize(key.utf8.count) + WireWriter.fieldSize(valueSize)))
        stringField(1, key)
        tag(2, .lengthDelimited)
        textValue(text, count)
    }

    /// Bytes of a length-delimited field with a number below 16.
    private static func fieldSize(_ content: Int) -> Int {
        1 + varintSize(UInt64(content)) + content
    }

    fileprivate static func varintSize(_ value: UInt64) -> Int {
        (UInt64.bitWidth - (value | 1).leadingZeroBitCount + 6) / 7
    }

    /// Calls `body` with room for `count` bytes behind what was written; it must write no more.
    @inline(__always)
    @unsafe
    private mutating func appendFields(upTo count: Int, _ body: (inout UncheckedFields) -> Void) {
        bytes.append(addingCapacity: count) { output in
            unsafe output.withUnsafeMutableBufferPointer { buffer, initializedCount in
                guard let start = buffer.baseAddress else { return }
                var fields = unsafe UncheckedFields(next: start)
                unsafe body(&fields)
                initializedCount = unsafe fields.next - start
            }
        }
    }
}

/// Attributes of a log record that are so short that all lengths take a byte. What is not, or has no room, is not written, and the answer is `false`.
@safe
struct ShortAttributes: ~Copyable {
    fileprivate var fields: UncheckedFields
    private var room: Int

    fileprivate init(_ fields: UncheckedFields, room: Int) {
        unsafe self.fields = unsafe fields
        self.room = room
    }

    /// - Parameter limit: bytes of the text.
    @inline(__always)
    mutating func append(_ key: String, _ text: String, limit: Int) -> Bool {
        let keyCount = key.utf8.count
        let count = text.utf8.count
        // Without an overflow: each is below 128 when they are added.
        guard keyCount < 0x80, count < 0x80, keyCount + count + 6 < 0x80, count <= limit, take(keyCount + count + 8) else { return false }
        unsafe fields.key(key, keyCount, valueSize: count + 2)
        unsafe fields.byte(1 << 3 | 2)
        unsafe fields.byte(UInt8(truncatingIfNeeded: count))
        unsafe fields.text(text, count)
        return true
    }

    @inline(__always)
    mutating func append(_ key: String, int: Int64) -> Bool {
        let bits = UInt64(bitPattern: int)
        let count = key.utf8.count
        let size = WireWriter.varintSize(bits)
        guard count < 0x60, take(count + size + 7) else { return false }
        unsafe fields.key(key, count, valueSize: size + 1)
        unsafe fields.byte(3 << 3)
        unsafe fields.varint(bits)
        return true
    }

    @inline(__always)
    mutating func append(_ key: String, double: Double) -> Bool {
        let count = key.utf8.count
        guard count < 0x60, take(count + 15) else { return false }
        unsafe fields.key(key, count, valueSize: 9)
        unsafe fields.byte(4 << 3 | 1)
        unsafe fields.littleEndian(double.bitPattern)
        return true
    }

    @inline(__always)
    mutating func append(_ key: String, bool: Bool) -> Bool {
        let count = key.utf8.count
        guard count < 0x60, take(count + 8) else { return false }
        unsafe fields.key(key, count, valueSize: 2)
        unsafe fields.byte(2 << 3)
        unsafe fields.byte(bool ? 1 : 0)
        return true
    }

    @inline(__always)
    mutating func append(_ key: String, _ value: MetadataScalar, limit: Int) -> Bool {
        switch value {
        case .text(let text): append(key, text, limit: limit)
        case .int(let number): append(key, int: number)
        case .double(let number): append(key, double: number)
        case .bool(let flag): append(key, bool: flag)
        }
    }

    /// Whether there is room for so many bytes, which then are written.
    @inline(__always)
    private mutating func take(_ count: Int) -> Bool {
        guard count <= room else { return false }
        room &-= count
        return true
    }
}

/// Writes bytes one behind the other without checking for room; whoever makes one has to.
@unsafe
private struct UncheckedFields {
    var next: UnsafeMutablePointer<UInt8>

    @inline(__always)
    mutating func byte(_ value: UInt8) {
        unsafe next.initialize(to: value)
        unsafe next += 1
    }

    @inline(__always)
    mutating func littleEndian(_ value: UInt64) {
        unsafe UnsafeMutableRawPointer(next).storeBytes(of: value.littleEndian, as: UInt64.self)
        unsafe next += 8
    }

    @inline(__always)
    mutating func varint(_ value: UInt64) {
        var value = value
        while value >= 0x80 {
            unsafe byte(UInt8(truncatingIfNeeded: value) | 0x80)
            value >>= 7
        }
        unsafe byte(UInt8(truncatingIfNeeded: value))
    }

    /// An attribute up to its value, whose `AnyValue` has `valueSize` bytes. All lengths must be below 128.
    @inline(__always)
    mutating func key(_ key: String, _ count: Int, valueSize: Int) {
        unsafe byte(6 << 3 | 2)
        unsafe byte(UInt8(truncatingIfNeeded: count + valueSize + 4))
        unsafe byte(1 << 3 | 2)
        unsafe byte(UInt8(truncatingIfNeeded: count))
        unsafe text(key, count)
        unsafe byte(2 << 3 | 2)
        unsafe byte(UInt8(truncatingIfNeeded: valueSize))
    }

    @inline(__always)
    mutating func bytes(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let start = bytes.baseAddress else { return }
        unsafe next.initialize(from: start, count: bytes.count)
        unsafe next += bytes.count
    }

    /// - Parameter count: of the bytes of UTF-8, known already.
    @inline(__always)
    mutating func text(_ text: String, _ count: Int) {
        let isCopied: Void? = unsafe text.utf8.withContiguousStorageIfAvailable { unsafe bytes($0) }
        guard isCopied == nil else { return }
        for byte in text.utf8 { unsafe self.byte(byte) }
    }
}
