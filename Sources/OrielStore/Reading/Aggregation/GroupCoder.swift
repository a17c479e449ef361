import OrielTelemetry

/// Gives each distinct value of a key a dense code; what a value looks like encoded is worked out once.
struct GroupCoder: Sendable {
    /// ``GroupValue/encoded`` by code.
    private(set) var values = KeyTable()
    private var texts = KeyTable()
    private var textCodes: [UInt32] = []
    private var lastText = -1
    private var integers = IntegerTable()
    private var integerCodes: [UInt32] = []
    private var doubles = IntegerTable()
    private var doubleCodes: [UInt32] = []
    private var missing: UInt32?
    /// An encoded value in the making.
    private var scratch: [UInt8] = []

    var count: Int { values.count }

    var byteCount: Int {
        values.keys.bytes.count + values.count * 32 + texts.keys.bytes.count + texts.count * 36 + integers.byteCount + doubles.byteCount
            + (integers.count + doubles.count) * 4
    }

    mutating func codeOfMissing() -> UInt32 {
        if let missing { return missing }
        let code = self.code(of: .missing)
        missing = code
        return code
    }

    mutating func code(of value: GroupValue) -> UInt32 {
        UInt32(values.intern(value.encoded.span))
    }

    mutating func code(traceID: TraceID) -> UInt32 {
        scratch.removeAll(keepingCapacity: true)
        scratch.append(GroupValue.Marker.traceID)
        scratch.append(word: traceID.high)
        scratch.append(word: traceID.low)
        return codeOfScratch()
    }

    mutating func code(spanID: UInt64) -> UInt32 {
        scratch.removeAll(keepingCapacity: true)
        scratch.append(GroupValue.Marker.spanID)
        scratch.append(word: spanID)
        return codeOfScratch()
    }

    mutating func code(bool: Bool) -> UInt32 {
        scratch.removeAll(keepingCapacity: true)
        scratch.append(AttributeType.bool.rawValue)
        scratch.append(bool ? 1 : 0)
        return codeOfScratch()
    }

    private mutating func codeOfScratch() -> UInt32 {
        // The span borrows a second reference to the array, so that the coder stays free to change.
        let bytes = scratch
        return UInt32(values.intern(bytes.span))
    }

    mutating func code(text: Span<UInt8>) -> UInt32 {
        // Values that come one after another are often the same.
        lastText = texts.intern(text, hint: lastText)
        if lastText == textCodes.count {
            var bytes = [AttributeType.string.rawValue]
            bytes.append(text)
            textCodes.append(UInt32(values.intern(bytes.span)))
        }
        return textCodes[lastText]
    }

    @inline(__always)
    mutating func code(integer: Int64) -> UInt32 {
        let index = Int(integers.intern(UInt64(bitPattern: integer)))
        if index == integerCodes.count { integerCodes.append(code(of: .value(.int(integer)))) }
        return integerCodes[index]
    }

    @inline(__always)
    mutating func code(double: Double) -> UInt32 {
        let index = Int(doubles.intern(double.bitPattern))
        if index == doubleCodes.count { doubleCodes.append(code(of: .value(.double(double)))) }
        return doubleCodes[index]
    }

    /// The code of an attribute's entry.
    mutating func code(entry: Int, of table: borrowing AttributeTable) -> UInt32 {
        switch AttributeType(rawValue: table.types[entry]) {
        case .string: code(text: table.heap.span.extracting(table.heapRange(of: entry)))
        case .int: code(integer: Int64(bitPattern: table.payloads[entry]))
        case .double: code(double: Double(bitPattern: table.payloads[entry]))
        case .bool: code(bool: table.payloads[entry] != 0)
        case .empty, .bytes, .array, .map, nil: code(of: .value(table.value(ofEntry: entry)))
        }
    }
}
