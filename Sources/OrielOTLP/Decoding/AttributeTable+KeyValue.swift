import OrielTelemetry

/// For each position among a row's attributes the index of the key that was last seen there: rows of one kind have the same keys in the same order.
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
