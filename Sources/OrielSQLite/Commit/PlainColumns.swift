import OrielTelemetry

/// Columns as they stand in redo: cheap to write and read, since zstd follows and they are soon rewritten. Integers as zigzag varints of the difference to the
/// row before, random ids and doubles as they are, strings as lengths and bytes.
enum PlainColumns {
    /// Appends the rows of `batch`. Streams are references; ords are left out, since the commit numbers rows by their order.
    static func append(_ batch: ColumnBatch, to bytes: inout [UInt8]) {
        bytes.append(batch.signal.rawValue)
        bytes.append(count: batch.count)
        var previous: Int64 = 0
        for reference in batch.streamIndexes {
            bytes.append(zigzag: Int64(reference) - previous)
            previous = Int64(reference)
        }
        append(batch.times, to: &bytes)
        bytes.append(count: batch.columns.count)
        for (id, column) in zip(batch.signal.columns, batch.columns) {
            bytes.append(id.rawValue)
            append(column, to: &bytes)
        }
        if let attributes = batch.attributes {
            bytes.append(1)
            append(attributes, to: &bytes)
        } else {
            bytes.append(0)
        }
    }

    /// Reads what `append(_:to:)` wrote, from bytes whose checksum was right. Everything is bounded by the bytes that are there.
    static func read(_ bytes: Span<UInt8>, _ offset: inout Int) throws(ColumnError) -> ColumnBatch {
        let start = offset
        guard let signal = Signal(rawValue: try bytes.readByte(&offset)) else {
            throw ColumnError(.malformed("unknown signal"), at: start)
        }
        // Each row takes a byte at least for its stream.
        let count = try bytes.readCount(&offset, limit: bytes.count)
        var references: [UInt32] = []
        references.reserveCapacity(count)
        var previous: Int64 = 0
        for _ in 0..<count {
            let position = offset
            previous &+= try bytes.readZigzag(&offset)
            guard let reference = UInt32(exactly: previous) else {
                throw ColumnError(.malformed("stream reference \(previous)"), at: position)
            }
            references.append(reference)
        }
        let times = try readIntegers(count, bytes, &offset)
        var columns = signal.columns.map { Column(kind: $0.kind, defaults: 0) }
        var isPresent = [Bool](repeating: false, count: columns.count)
        let columnCount = try bytes.readCount(&offset, limit: 255)
        for _ in 0..<columnCount {
            let position = offset
            let id = ColumnID(rawValue: try bytes.readByte(&offset))
            guard let id, let index = signal.columns.firstIndex(of: id) else {
                throw ColumnError(.malformed("unknown column"), at: position)
            }
            columns[index] = try readColumn(id.kind, count, bytes, &offset)
            isPresent[index] = true
        }
        for index in columns.indices where !isPresent[index] {
            columns[index] = Column(kind: signal.columns[index].kind, defaults: count)
        }
        var attributes: AttributeTable?
        if try bytes.readByte(&offset) == 1 {
            attributes = try readAttributes(count, bytes, &offset)
        }
        return ColumnBatch(
            signal: signal, streams: StreamTable(), streamIndexes: references, times: times, columns: columns, attributes: attributes)
    }

    // MARK: Columns

    /// Tells an absent column, which reads as defaults, from a present one.
    private enum Presence {
        static let absent: UInt8 = 0
        static let present: UInt8 = 1
    }

    private static func append(_ column: Column, to bytes: inout [UInt8]) {
        if case .absent = column {
            bytes.append(Presence.absent)
            return
        }
        bytes.append(Presence.present)
        switch column {
        case .absent: break
        case .integers(let values): append(values, to: &bytes)
        case .doubles(let values): append(raw: values.span, to: &bytes)
        case .identifiers(let values): append(raw: values.span, to: &bytes)
        case .traceIDs(let values):
            for value in values {
                bytes.append(littleEndian: value.high)
                bytes.append(littleEndian: value.low)
            }
        case .bytes(let values): append(values, to: &bytes)
        }
    }

    private static func readColumn(_ kind: ColumnKind, _ count: Int, _ bytes: Span<UInt8>, _ offset: inout Int) throws(ColumnError) -> Column {
        guard try bytes.readByte(&offset) == Presence.present else {
            return Column(kind: kind, defaults: count)
        }
        switch kind {
        case .integer: return .integers(try readIntegers(count, bytes, &offset))
        case .double: return .doubles(try readWords(count, bytes, &offset).map { Double(bitPattern: $0) })
        case .identifier: return .identifiers(try readWords(count, bytes, &offset))
        case .traceID:
            let words = try readWords(count * 2, bytes, &offset)
            return .traceIDs((0..<count).map { TraceID(high: words[$0 * 2], low: words[$0 * 2 + 1]) })
        case .bytes: return .bytes(try readBytes(count, bytes, &offset))
        }
    }

    private static func append(_ values: [Int64], to bytes: inout [UInt8]) {
        var previous: Int64 = 0
        for value in values {
            bytes.append(zigzag: value &- previous)
            previous = value
        }
    }

    private static func readIntegers(_ count: Int, _ bytes: Span<UInt8>, _ offset: inout Int) throws(ColumnError) -> [Int64] {
        var values: [Int64] = []
        values.reserveCapacity(count)
        var previous: Int64 = 0
        for _ in 0..<count {
            previous &+= try bytes.readZigzag(&offset)
            values.append(previous)
        }
        return values
    }

    /// Appends eight-byte values as they lie in memory, which is little-endian on every machine that Swift runs on.
    private static func append<Value: BitwiseCopyable>(raw values: Span<Value>, to bytes: inout [UInt8]) {
        // Doubles and 64-bit integers have no padding.
        unsafe values.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
    }

    private static func readWords(_ count: Int, _ bytes: Span<UInt8>, _ offset: inout Int) throws(ColumnError) -> [UInt64] {
        guard count <= (bytes.count - offset) / 8 else {
            throw ColumnError(.truncated(needed: count * 8 - (bytes.count - offset)), at: offset)
        }
        var words: [UInt64] = []
        words.reserveCapacity(count)
        for _ in 0..<count {
            words.append(try bytes.readLittleEndian(&offset, as: UInt64.self))
        }
        return words
    }

    private static func append(_ values: ByteColumn, to bytes: inout [UInt8]) {
        var previous: UInt32 = 0
        for end in values.ends {
            bytes.append(varint: UInt64(end - previous))
            previous = end
        }
        bytes.append(values.bytes.span)
    }

    private static func readBytes(_ count: Int, _ bytes: Span<UInt8>, _ offset: inout Int) throws(ColumnError) -> ByteColumn {
        let start = offset
        var ends: [UInt32] = []
        ends.reserveCapacity(count)
        var end: UInt64 = 0
        for _ in 0..<count {
            end += UInt64(try bytes.readCount(&offset, limit: bytes.count))
            guard end <= UInt64(bytes.count) else {
                throw ColumnError(.count(found: end, limit: UInt64(bytes.count)), at: offset)
            }
            ends.append(UInt32(truncatingIfNeeded: end))
        }
        guard Int(end) <= bytes.count - offset else {
            throw ColumnError(.truncated(needed: Int(end) - (bytes.count - offset)), at: offset)
        }
        let content = bytes.extracting(offset..<(offset + Int(end))).array
        offset += Int(end)
        guard let column = ByteColumn(bytes: content, ends: ends) else {
            throw ColumnError(.malformed("lengths do not add up"), at: start)
        }
        return column
    }

    // MARK: Attributes

    private static func append(_ table: AttributeTable, to bytes: inout [UInt8]) {
        bytes.append(count: table.keys.count)
        append(table.keys.keys, to: &bytes)
        var start: UInt32 = 0
        for end in table.rowEnds {
            bytes.append(varint: UInt64(end - start))
            start = end
        }
        for index in table.keyIndexes {
            bytes.append(varint: UInt64(index))
        }
        bytes.append(table.types.span)
        for entry in table.types.indices {
            switch AttributeType(rawValue: table.types[entry]) ?? .empty {
            case .empty: break
            case .bool: bytes.append(UInt8(truncatingIfNeeded: table.payloads[entry]))
            case .int: bytes.append(zigzag: Int64(bitPattern: table.payloads[entry]))
            case .double: bytes.append(littleEndian: table.payloads[entry])
            case .string, .bytes, .array, .map: bytes.append(varint: table.payloads[entry] & 0xFFFF_FFFF)
            }
        }
        let heap = table.heap.span
        for entry in table.types.indices {
            switch AttributeType(rawValue: table.types[entry]) ?? .empty {
            case .empty, .bool, .int, .double: break
            case .string, .bytes, .array, .map: bytes.append(heap, table.heapRange(of: entry))
            }
        }
    }

    private static func readAttributes(_ rowCount: Int, _ bytes: Span<UInt8>, _ offset: inout Int) throws(ColumnError) -> AttributeTable {
        var table = AttributeTable()
        let keyCount = try bytes.readCount(&offset, limit: bytes.count)
        let keys = try readBytes(keyCount, bytes, &offset)
        for key in 0..<keyCount {
            _ = table.intern(keys.bytes.span.extracting(keys.range(of: key)))
        }
        guard table.keys.count == keyCount else {
            throw ColumnError(.malformed("a key occurs twice"), at: offset)
        }
        var rowCounts: [Int] = []
        rowCounts.reserveCapacity(rowCount)
        var total = 0
        for _ in 0..<rowCount {
            let entries = try bytes.readCount(&offset, limit: bytes.count - total)
            total += entries
            rowCounts.append(entries)
        }
        var keyIndexes: [Int] = []
        keyIndexes.reserveCapacity(total)
        for _ in 0..<total {
            let position = offset
            let key = try bytes.readCount(&offset, limit: bytes.count)
            guard key < keyCount else {
                throw ColumnError(.count(found: UInt64(key), limit: UInt64(keyCount)), at: position)
            }
            keyIndexes.append(key)
        }
        guard total <= bytes.count - offset else {
            throw ColumnError(.truncated(needed: total - (bytes.count - offset)), at: offset)
        }
        let types = offset
        offset += total
        var payloads: [UInt64] = []
        payloads.reserveCapacity(total)
        var heapCount = 0
        for entry in 0..<total {
            switch AttributeType(rawValue: bytes[types + entry]) {
            case nil: throw ColumnError(.malformed("unknown attribute type"), at: types + entry)
            case .empty: payloads.append(0)
            case .bool: payloads.append(UInt64(try bytes.readByte(&offset)))
            case .int: payloads.append(UInt64(bitPattern: try bytes.readZigzag(&offset)))
            case .double: payloads.append(try bytes.readLittleEndian(&offset, as: UInt64.self))
            case .string, .bytes, .array, .map:
                let length = try bytes.readCount(&offset, limit: bytes.count - heapCount)
                heapCount += length
                payloads.append(UInt64(length))
            }
        }
        guard heapCount <= bytes.count - offset else {
            throw ColumnError(.truncated(needed: heapCount - (bytes.count - offset)), at: offset)
        }
        var entry = 0
        for count in rowCounts {
            for _ in 0..<count {
                let key = keyIndexes[entry]
                let type = AttributeType(rawValue: bytes[types + entry]) ?? .empty
                switch type {
                case .empty: table.appendEmptyValue(key: key)
                case .bool: table.append(key: key, bool: payloads[entry] != 0)
                case .int: table.append(key: key, int: Int64(bitPattern: payloads[entry]))
                case .double: table.append(key: key, double: Double(bitPattern: payloads[entry]))
                case .string, .bytes, .array, .map:
                    let end = offset + Int(payloads[entry])
                    table.append(key: key, type: type, content: bytes.extracting(offset..<end))
                    offset = end
                }
                entry += 1
            }
            table.finishRow()
        }
        return table
    }
}
