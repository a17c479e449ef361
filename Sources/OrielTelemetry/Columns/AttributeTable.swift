/// The attributes of a batch's rows: for each row a run of entries, an entry being a key, a type and a payload.
///
/// Keys are interned per batch. Numbers and booleans lie in the payload; the content of strings, bytes, arrays and maps lies in ``heap``,
/// the payload being
/// offset << 32 | length. Arrays and maps are the bytes of OTLP's `ArrayValue` and `KeyValueList`. Within a row a key occurs once: of
/// duplicates the last value
/// stays (at the place of the first), and ``duplicateCount`` counts the others.
///
///     row 0 ─ entries 0..<2 ─ key 0 string "GET" · key 1 int 200
///     row 1 ─ entries 2..<3 ─ key 0 string "PUT"
public struct AttributeTable: Sendable {
    public private(set) var keys: KeyTable
    /// For each row the index behind its last entry.
    public private(set) var rowEnds: [UInt32]
    public private(set) var keyIndexes: [UInt32]
    /// Raw values of ``AttributeType``.
    public private(set) var types: [UInt8]
    public private(set) var payloads: [UInt64]
    public private(set) var heap: [UInt8]
    /// Values that were replaced by a later one of the same key and row.
    public private(set) var duplicateCount: Int
    /// For each key the index of its latest entry, plus one; only kept for a row whose keys do not come in ascending order
    /// (``rowIsIndexed``).
    private var latestEntries: [UInt32]
    /// One more than the highest key of the current row. Keys are numbered as they first appear, so rows of one kind have ascending keys,
    /// which need no search for duplicates.
    private var nextAscendingKey = 0
    private var rowIsIndexed = false

    public init() {
        keys = KeyTable()
        rowEnds = []
        keyIndexes = []
        types = []
        payloads = []
        heap = []
        duplicateCount = 0
        latestEntries = []
    }

    public var rowCount: Int { rowEnds.count }

    /// Makes room for rows that are about to come, with these many entries and bytes of content in all.
    public mutating func reserveCapacity(rows: Int, entries: Int, heap heapByteCount: Int) {
        rowEnds.reserveCapacity(rowEnds.count + rows)
        keyIndexes.reserveCapacity(keyIndexes.count + entries)
        types.reserveCapacity(types.count + entries)
        payloads.reserveCapacity(payloads.count + entries)
        heap.reserveCapacity(heap.count + heapByteCount)
    }

    /// The entries of a row.
    @inlinable
    public func entries(of row: Int) -> Range<Int> {
        (row == 0 ? 0 : Int(rowEnds[row &- 1]))..<Int(rowEnds[row])
    }

    /// Where the content of a string, bytes, array or map entry lies in ``heap``.
    @inlinable
    public func heapRange(of entry: Int) -> Range<Int> {
        let payload = payloads[entry]
        let lower = Int(payload >> 32)
        return lower..<(lower &+ Int(payload & 0xFFFF_FFFF))
    }

    /// The index of a key for ``append(key:int:)`` and its siblings; see ``KeyTable/intern(_:hint:)``.
    public mutating func intern(_ key: Span<UInt8>, hint: Int = -1) -> Int {
        let index = keys.intern(key, hint: hint)
        if index == latestEntries.count { latestEntries.append(0) }
        return index
    }

    public mutating func append(key: Int, bool: Bool) { appendEntry(key, .bool, bool ? 1 : 0) }

    public mutating func append(key: Int, int: Int64) { appendEntry(key, .int, UInt64(bitPattern: int)) }

    public mutating func append(key: Int, double: Double) { appendEntry(key, .double, double.bitPattern) }

    /// A value without content.
    public mutating func appendEmptyValue(key: Int) { appendEntry(key, .empty, 0) }

    /// A string, bytes, array or map by its content.
    public mutating func append(key: Int, type: AttributeType, content: Span<UInt8>) {
        let offset = heap.count
        heap.append(content)
        appendEntry(key, type, UInt64(offset) << 32 | UInt64(content.count))
    }

    /// Any value; slower than the typed forms.
    public mutating func append(_ key: String, _ value: AttributeValue) {
        let key = intern(Array(key.utf8).span)
        switch value {
        case .empty: appendEmptyValue(key: key)
        case .bool(let value): append(key: key, bool: value)
        case .int(let value): append(key: key, int: value)
        case .double(let value): append(key: key, double: value)
        case .string(let value): append(key: key, type: .string, content: Array(value.utf8).span)
        case .bytes(let value): append(key: key, type: .bytes, content: value.span)
        case .array(let elements):
            var writer = WireWriter()
            writer.arrayValue(elements)
            append(key: key, type: .array, content: writer.bytes.span)
        case .map(let attributes):
            var writer = WireWriter()
            writer.keyValues(1, attributes, depth: 1)
            append(key: key, type: .map, content: writer.bytes.span)
        }
    }

    /// Ends the current row; the entries appended since the last call are its own.
    public mutating func finishRow() {
        rowEnds.append(UInt32(keyIndexes.count))
        nextAscendingKey = 0
        rowIsIndexed = false
    }

    /// Drops the entries of a row that was not finished, for a row that turned out invalid. Their content stays in ``heap`` as slack.
    public mutating func abandonRow() {
        let start = Int(rowEnds.last ?? 0)
        for entry in start..<keyIndexes.count { latestEntries[Int(keyIndexes[entry])] = 0 }
        nextAscendingKey = 0
        rowIsIndexed = false
        keyIndexes.removeLast(keyIndexes.count - start)
        types.removeLast(types.count - start)
        payloads.removeLast(payloads.count - start)
    }

    private mutating func appendEntry(_ key: Int, _ type: AttributeType, _ payload: UInt64) {
        if key >= nextAscendingKey {
            nextAscendingKey = key &+ 1
        } else {
            if !rowIsIndexed { indexRow() }
            let latest = latestEntries[key]
            if latest > rowEnds.last ?? 0 {
                types[Int(latest) - 1] = type.rawValue
                payloads[Int(latest) - 1] = payload
                duplicateCount += 1
                return
            }
        }
        keyIndexes.append(UInt32(truncatingIfNeeded: key))
        types.append(type.rawValue)
        payloads.append(payload)
        if rowIsIndexed { latestEntries[key] = UInt32(keyIndexes.count) }
    }

    /// Notes the entries of the current row in ``latestEntries``.
    private mutating func indexRow() {
        rowIsIndexed = true
        for entry in Int(rowEnds.last ?? 0)..<keyIndexes.count { latestEntries[Int(keyIndexes[entry])] = UInt32(entry + 1) }
    }
}

extension AttributeTable {
    /// Appends one row of another table, its keys re-interned.
    public mutating func appendRow(_ row: Int, of other: AttributeTable) {
        for entry in other.entries(of: row) {
            let key = intern(other.keys.keys.bytes.span.extracting(other.keys.keys.range(of: Int(other.keyIndexes[entry]))))
            // Only raw values of `AttributeType` are ever stored.
            let type = AttributeType(rawValue: other.types[entry]) ?? .empty
            switch type {
            case .empty, .bool, .int, .double: appendEntry(key, type, other.payloads[entry])
            case .string, .bytes, .array, .map:
                append(key: key, type: type, content: other.heap.span.extracting(other.heapRange(of: entry)))
            }
        }
        finishRow()
    }

    /// The value of an entry. Content that is no valid OTLP (impossible for what a decoder accepted) reads as empty.
    public func value(ofEntry entry: Int) -> AttributeValue {
        switch AttributeType(rawValue: types[entry]) ?? .empty {
        case .empty: return .empty
        case .bool: return .bool(payloads[entry] != 0)
        case .int: return .int(Int64(bitPattern: payloads[entry]))
        case .double: return .double(Double(bitPattern: payloads[entry]))
        case let type:
            do {
                return try AttributeValue(type: type, payload: heap.span.extracting(heapRange(of: entry)))
            } catch {
                return .empty
            }
        }
    }

    /// The attributes of a row in stored order.
    public func attributes(of row: Int) -> [Attribute] {
        entries(of: row).map { Attribute(keys.keys.string(at: Int(keyIndexes[$0])), value(ofEntry: $0)) }
    }

    /// The value of `key` in a row, or `nil`.
    public func value(of key: String, row: Int) -> AttributeValue? {
        guard let index = keys.index(of: key) else { return nil }
        for entry in entries(of: row) where keyIndexes[entry] == UInt32(index) { return value(ofEntry: entry) }
        return nil
    }

    /// Appends a row with these attributes.
    public mutating func appendRow(_ attributes: [Attribute]) {
        for attribute in attributes { append(attribute.key, attribute.value) }
        finishRow()
    }
}
