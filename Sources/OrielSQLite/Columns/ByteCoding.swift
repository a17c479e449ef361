import OrielTelemetry

/// Little-endian fixed integers and LEB128 varints, the alphabet of every blob of the store.
extension [UInt8] {
    /// Appends `value` as little-endian bytes. O(1).
    mutating func append(littleEndian value: some FixedWidthInteger) {
        var rest = value
        for _ in 0..<(value.bitWidth / 8) {
            append(UInt8(truncatingIfNeeded: rest))
            rest >>= 8
        }
    }

    /// Appends `value` in groups of seven bits, lowest first: 1 byte below 128, at most 10.
    mutating func append(varint value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(truncatingIfNeeded: rest))
    }

    /// Appends a non-negative `count` as a varint.
    mutating func append(count: Int) {
        append(varint: UInt64(count))
    }

    /// Appends `value` zigzag folded, so that small negative numbers are short too.
    mutating func append(zigzag value: Int64) {
        append(varint: value.zigzag)
    }

    /// Appends a count of bytes and the bytes.
    mutating func append(counted bytes: Span<UInt8>) {
        append(count: bytes.count)
        append(bytes)
    }
}

/// Bounds-checked reads at a moving offset. Each read either advances `offset` or throws and leaves it where the value began.
extension Span<UInt8> {
    func readByte(_ offset: inout Int) throws(ColumnError) -> UInt8 {
        guard offset < count else { throw ColumnError(.truncated(needed: 1), at: offset) }
        let value = self[offset]
        offset += 1
        return value
    }

    @inline(__always)
    func readLittleEndian<Value: FixedWidthInteger & BitwiseCopyable>(
        _ offset: inout Int, as type: Value.Type = Value.self
    ) throws(ColumnError) -> Value {
        let size = Value.bitWidth / 8
        precondition(offset >= 0)
        guard count - offset >= size else { throw ColumnError(.truncated(needed: size - (count - offset)), at: offset) }
        // In bounds, as just checked.
        let value = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: Value.self)
        offset += size
        return Value(littleEndian: value)
    }

    /// Eight bytes, the first one lowest.
    @inline(__always)
    func word(at offset: Int) -> UInt64 {
        precondition(offset >= 0 && count - offset >= 8)
        // In bounds, as just checked.
        return UInt64(littleEndian: unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self))
    }

    func readVarint(_ offset: inout Int) throws(ColumnError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        var position = offset
        while position < count {
            let byte = self[position]
            position += 1
            if shift == 63, byte > 1 { throw ColumnError(.malformed("varint exceeds 64 bits"), at: offset) }
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 {
                offset = position
                return value
            }
            shift += 7
            if shift > 63 { throw ColumnError(.malformed("varint exceeds 64 bits"), at: offset) }
        }
        throw ColumnError(.truncated(needed: 1), at: position)
    }

    func readZigzag(_ offset: inout Int) throws(ColumnError) -> Int64 {
        Int64(zigzag: try readVarint(&offset))
    }

    /// Reads a count that must not exceed `limit`; check it before taking memory for that many.
    func readCount(_ offset: inout Int, limit: Int) throws(ColumnError) -> Int {
        let start = offset
        let value = try readVarint(&offset)
        guard value <= UInt64(limit) else {
            offset = start
            throw ColumnError(.count(found: value, limit: UInt64(limit)), at: start)
        }
        return Int(value)
    }

    /// Reads a count of bytes and returns where these lie.
    func readCounted(_ offset: inout Int) throws(ColumnError) -> Range<Int> {
        let start = offset
        let length = try readVarint(&offset)
        guard length <= UInt64(count - offset) else {
            let missing = length - UInt64(count - offset)
            offset = start
            throw ColumnError(.truncated(needed: Int(clamping: missing)), at: start)
        }
        let range = offset..<(offset + Int(length))
        offset = range.upperBound
        return range
    }
}
