import OrielStore
import OrielTelemetry

/// The attributes of a row that have no column of their own: for each its key as an index into the block's list, its type, and the value:
/// nothing for an empty one, a byte for a boolean, a zigzag varint for an integer, 8 bytes for a double, a counted content for all else.
enum RestCoding {
    static func append(key: Int, entry: Int, of table: borrowing AttributeTable, to bytes: inout [UInt8]) {
        bytes.append(count: key)
        bytes.append(table.types[entry])
        switch AttributeType(rawValue: table.types[entry]) ?? .empty {
        case .empty: break
        case .bool: bytes.append(table.payloads[entry] == 0 ? 0 : 1)
        case .int: bytes.append(zigzag: Int64(bitPattern: table.payloads[entry]))
        case .double: bytes.append(littleEndian: table.payloads[entry])
        case .string, .array, .map, .bytes: bytes.append(counted: table.heap.span.extracting(table.heapRange(of: entry)))
        }
    }

    /// Appends the hashes of an entry's key with each text that an equality could find in its value.
    static func append(hashesOf entry: Int, of table: borrowing AttributeTable, to hashes: inout [UInt64]) {
        let keyRange = table.keys.keys.range(of: Int(table.keyIndexes[entry]))
        let keys = table.keys.keys.bytes
        let key = keys.span.extracting(keyRange)
        switch AttributeType(rawValue: table.types[entry]) ?? .empty {
        case .string:
            let heap = table.heap
            hashes.append(TextTokens.hash(key: key, value: heap.span.extracting(table.heapRange(of: entry))))
        case .array: append(hashesOf: table.value(ofEntry: entry), key: key, to: &hashes)
        case .empty, .bool, .int, .double, .map, .bytes: break
        }
    }

    private static func append(hashesOf value: AttributeValue, key: Span<UInt8>, to hashes: inout [UInt64]) {
        switch value {
        case .string(let text):
            let bytes = Array(text.utf8)
            hashes.append(TextTokens.hash(key: key, value: bytes.span))
        case .array(let elements): for element in elements { append(hashesOf: element, key: key, to: &hashes) }
        case .empty, .bool, .int, .double, .map, .bytes: break
        }
    }

    /// Appends the entries of one row to the current row of `table`; `keys[index]` is the table's index of a key, or -1 for one that is not wanted.
    static func read(_ bytes: Span<UInt8>, keys: [Int], into table: inout AttributeTable) throws(ColumnError) {
        var offset = 0
        while offset < bytes.count {
            let start = offset
            let index = try bytes.readCount(&offset, limit: Int(UInt32.max))
            guard index < keys.count else { throw ColumnError(.count(found: UInt64(index), limit: UInt64(keys.count)), at: start) }
            let key = keys[index]
            guard let type = AttributeType(rawValue: try bytes.readByte(&offset)) else {
                throw ColumnError(.malformed("attribute type \(bytes[offset - 1]) is not known"), at: offset - 1)
            }
            switch type {
            case .empty:
                if key >= 0 { table.appendEmptyValue(key: key) }
            case .bool:
                let value = try bytes.readByte(&offset) != 0
                if key >= 0 { table.append(key: key, bool: value) }
            case .int:
                let value = try bytes.readZigzag(&offset)
                if key >= 0 { table.append(key: key, int: value) }
            case .double:
                let bits: UInt64 = try bytes.readLittleEndian(&offset)
                if key >= 0 { table.append(key: key, double: Double(bitPattern: bits)) }
            case .string, .array, .map, .bytes:
                let range = try bytes.readCounted(&offset)
                if key >= 0 { table.append(key: key, type: type, content: bytes.extracting(range)) }
            }
        }
    }
}
