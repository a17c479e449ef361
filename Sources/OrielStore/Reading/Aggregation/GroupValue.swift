public import OrielTelemetry

/// The value that the rows of a group share.
public enum GroupValue: Hashable, Sendable {
    /// The rows lack the field.
    case missing
    case value(AttributeValue)
    case traceID(TraceID)
    case spanID(SpanID)
    case stream(StreamID)
}

extension GroupValue {
    /// First byte of the encoded form. Types of attribute values are their ``AttributeType``.
    enum Marker {
        static let missing: UInt8 = 16
        static let traceID: UInt8 = 17
        static let spanID: UInt8 = 18
        static let stream: UInt8 = 19
    }

    /// Bytes that are equal when the values are in one group.
    var encoded: [UInt8] {
        switch self {
        case .missing: return [Marker.missing]
        case .traceID(let id): return GroupValue.encode(Marker.traceID, id.high, id.low)
        case .spanID(let id): return GroupValue.encode(Marker.spanID, id.rawValue)
        case .stream(let id): return GroupValue.encode(Marker.stream, id.high, id.low)
        case .value(let value):
            let type = value.type.rawValue
            switch value {
            case .empty: return [type]
            case .bool(let flag): return [type, flag ? 1 : 0]
            case .int(let number): return GroupValue.encode(type, UInt64(bitPattern: number))
            case .double(let number): return GroupValue.encode(type, number.bitPattern)
            case .string(let text): return [type] + text.utf8
            case .bytes(let bytes): return [type] + bytes
            case .array(let elements):
                var writer = WireWriter()
                writer.arrayValue(elements)
                return [type] + writer.bytes
            case .map(let attributes):
                var writer = WireWriter()
                writer.keyValues(1, attributes, depth: 1)
                return [type] + writer.bytes
            }
        }
    }

    static func encode(_ marker: UInt8, _ words: UInt64...) -> [UInt8] {
        var bytes = [marker]
        for word in words { bytes.append(word: word) }
        return bytes
    }

    /// Reads what ``encoded`` wrote; anything else reads as missing.
    init(encoded bytes: Span<UInt8>) {
        self = .missing
        guard bytes.count > 0 else { return }
        switch (bytes[0], bytes.count) {
        case (Marker.traceID, 17): self = .traceID(TraceID(high: bytes.word(at: 1), low: bytes.word(at: 9)))
        case (Marker.spanID, 9): self = .spanID(SpanID(rawValue: bytes.word(at: 1)))
        case (Marker.stream, 17): self = .stream(StreamID(high: bytes.word(at: 1), low: bytes.word(at: 9)))
        default:
            guard let type = AttributeType(rawValue: bytes[0]) else { return }
            switch (type, bytes.count) {
            case (.empty, 1): self = .value(.empty)
            case (.bool, 2): self = .value(.bool(bytes[1] != 0))
            case (.int, 9): self = .value(.int(Int64(bitPattern: bytes.word(at: 1))))
            case (.double, 9): self = .value(.double(Double(bitPattern: bytes.word(at: 1))))
            case (.string, _), (.bytes, _), (.array, _), (.map, _):
                do {
                    self = .value(try AttributeValue(type: type, payload: bytes.extracting(1..<bytes.count)))
                } catch {
                    // As everywhere, content that is no OTLP reads as empty; no decoder lets it in.
                    self = .value(.empty)
                }
            default: break
            }
        }
    }
}

extension [UInt8] {
    /// Appends a word, least byte first.
    mutating func append(word: UInt64) {
        for shift in stride(from: UInt64(0), to: 64, by: 8) { append(UInt8(truncatingIfNeeded: word >> shift)) }
    }
}

extension Span<UInt8> {
    /// A word at an offset, least byte first.
    func word(at offset: Int) -> UInt64 {
        var word: UInt64 = 0
        for index in 0..<8 { word |= UInt64(self[offset + index]) << UInt64(8 * index) }
        return word
    }
}
