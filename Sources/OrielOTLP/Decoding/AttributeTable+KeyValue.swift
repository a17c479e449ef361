import OrielTelemetry

/// For each position among a row's attributes the index of the key that was last seen there: rows of one kind have the same keys in the
/// same order.
struct AttributeKeyHints: Sendable {
    private var indexes = [Int32](repeating: -1, count: 64)
    private var position = 0

    /// Starts a row.
    @inline(__always)
    mutating func beginRow() { position = 0 }

    /// The likely key index of the next attribute; a stale one costs a comparison.
    @inline(__always)
    var next: Int { position < 64 ? Int(indexes[position]) : -1 }

    /// Notes the next attribute's key.
    @inline(__always)
    mutating func note(_ index: Int) {
        if position < 64 { indexes[position] = Int32(truncatingIfNeeded: index) }
        position &+= 1
    }
}

extension AttributeTable {
    /// Appends the attribute in the content of a `KeyValue`.
    @inline(__always)
    mutating func append(keyValue content: Range<Int>, in bytes: Span<UInt8>, hints: inout AttributeKeyHints) throws(WireError) {
        if let (keyRange, type, valueStart) = AttributeTable.plainKeyValue(content, in: bytes) {
            let key = intern(bytes.extracting(keyRange), hint: hints.next)
            hints.note(key)
            if type == .string {
                append(key: key, type: .string, content: bytes.extracting(valueStart..<content.upperBound))
            } else {
                var reader = WireReader(start: valueStart, end: content.upperBound)
                let value = try reader.varint(in: bytes)
                // A longer rest would be further fields, which `plainKeyValue` excluded by the varint's last byte.
                append(key: key, int: Int64(bitPattern: value))
            }
            return
        }
        try appendAny(keyValue: content, in: bytes, hints: &hints)
    }

    /// The layout that nearly every attribute has: key, then one string or integer, all lengths below 128. `nil` for any other, which the
    /// general way reads.
    @inline(__always)
    private static func plainKeyValue(_ content: Range<Int>, in bytes: Span<UInt8>) -> (key: Range<Int>, type: AttributeType, valueStart: Int)? {
        let start = content.lowerBound
        let end = content.upperBound
        guard end &- start >= 7, bytes[start] == 1 << 3 | 2 else { return nil }
        let keyEnd = start &+ 2 &+ Int(bytes[start &+ 1])
        // The key's length is one byte (below 128), and behind the key are a tag, a length, and at least a tag and a byte.
        guard bytes[start &+ 1] < 0x80, keyEnd &+ 4 <= end else { return nil }
        let valueLength = Int(bytes[keyEnd &+ 1])
        guard bytes[keyEnd] == 2 << 3 | 2, valueLength < 0x80, keyEnd &+ 2 &+ valueLength == end else { return nil }
        let range = unsafe Range(uncheckedBounds: (start &+ 2, keyEnd))
        switch bytes[keyEnd &+ 2] {
        case 1 << 3 | 2 where keyEnd &+ 4 &+ Int(bytes[keyEnd &+ 3]) == end: return (range, .string, keyEnd &+ 4)
        case 3 << 3:
            // Only a varint that ends with the value.
            var index = keyEnd &+ 3
            while index < end &- 1 {
                if bytes[index] < 0x80 { return nil }
                index &+= 1
            }
            return bytes[index] < 0x80 && end &- keyEnd <= 13 ? (range, .int, keyEnd &+ 3) : nil
        default: return nil
        }
    }

    private mutating func appendAny(keyValue content: Range<Int>, in bytes: Span<UInt8>, hints: inout AttributeKeyHints) throws(WireError) {
        var reader = WireReader(start: content.lowerBound, end: content.upperBound)
        let (keyRange, value) = try reader.keyValue(in: bytes)
        let key = intern(bytes.extracting(keyRange), hint: hints.next)
        hints.note(key)
        switch value.type {
        case .string, .bytes, .array, .map: append(key: key, type: value.type, content: bytes.extracting(value.content))
        case .int: append(key: key, int: Int64(bitPattern: value.bits))
        case .double: append(key: key, double: Double(bitPattern: value.bits))
        case .bool: append(key: key, bool: value.bits != 0)
        case .empty: appendEmptyValue(key: key)
        }
    }
}
