import OrielTelemetry

/// A JSON value as a tree, for tests that look around in one.
enum JSONTree: Equatable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([JSONTree])
    case object([String: JSONTree])

    init(_ bytes: [UInt8]) throws {
        var reader = JSONReader()
        self = try JSONTree.read(&reader, bytes.span)
        try reader.finish(in: bytes.span)
    }

    private static func read(_ reader: inout JSONReader, _ bytes: Span<UInt8>) throws -> JSONTree {
        switch try reader.peekKind(in: bytes) {
        case .null:
            _ = try reader.skipNull(in: bytes)
            return .null
        case .bool: return .bool(try reader.bool(in: bytes))
        case .number: return .number(try reader.double(in: bytes))
        case .string: return .string(try reader.string(in: bytes))
        case .array:
            var elements: [JSONTree] = []
            try reader.beginArray(in: bytes)
            while try reader.nextElement(in: bytes) { elements.append(try read(&reader, bytes)) }
            return .array(elements)
        case .object:
            var members: [String: JSONTree] = [:]
            try reader.beginObject(in: bytes)
            while let key = try reader.nextKey(in: bytes) { members[reader.string(key, in: bytes)] = try read(&reader, bytes) }
            return .object(members)
        }
    }

    subscript(key: String) -> JSONTree? {
        if case .object(let members) = self { members[key] } else { nil }
    }

    subscript(index: Int) -> JSONTree? {
        if case .array(let elements) = self, elements.indices.contains(index) { elements[index] } else { nil }
    }

    var elements: [JSONTree] { if case .array(let elements) = self { elements } else { [] } }
    var members: [String: JSONTree] { if case .object(let members) = self { members } else { [:] } }
    var text: String? { if case .string(let text) = self { text } else { nil } }
    var number: Double? { if case .number(let number) = self { number } else { nil } }
}
