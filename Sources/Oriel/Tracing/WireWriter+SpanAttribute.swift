import OrielTelemetry
import Tracing

extension WireWriter {
    /// One attribute as an OTLP `KeyValue` field.
    ///
    /// Texts, numbers and booleans, which most are, are written from front to back; of the others the length is only known afterwards.
    ///
    /// - Parameters:
    ///   - number: up to 15.
    ///   - limit: Unicode scalars of a text.
    mutating func attribute(_ number: UInt8, _ key: String, _ value: SpanAttribute, _ limit: Int?) {
        switch value {
        case .string(let text): attribute(number, key, text: limit == nil ? text : text.limited(to: limit))
        case .bool(let flag): attribute(number, key, varint: flag ? 1 : 0, field: 2)
        case .int32(let integer): attribute(number, key, varint: UInt64(bitPattern: Int64(integer)), field: 3)
        case .int64(let integer): attribute(number, key, varint: UInt64(bitPattern: integer), field: 3)
        case .double(let double): attribute(number, key, valueSize: 9) { $0.fixed64Field(4, double.bitPattern) }
        case .stringConvertible(let value): attribute(number, key, text: value.description.limited(to: limit))
        default:
            messageField(UInt32(number)) { writer in
                writer.stringField(1, key)
                writer.messageField(2) { $0.arrayValue(value, limit) }
            }
        }
    }

    private mutating func attribute(_ number: UInt8, _ key: String, text: String) {
        let length = text.utf8.count
        guard key.utf8.count &+ length < Self.longText else {
            return messageField(UInt32(number)) { writer in
                writer.stringField(1, key)
                writer.messageField(2) { $0.stringField(1, text) }
            }
        }
        attribute(number, key, valueSize: 1 &+ Self.size(ofVarint: UInt64(length)) &+ length) { fields in
            fields.stringField(1, text)
        }
    }

    private mutating func attribute(_ number: UInt8, _ key: String, varint: UInt64, field: UInt8) {
        attribute(number, key, valueSize: 1 &+ Self.size(ofVarint: varint)) { fields in
            fields.tag(field, .varint)
            fields.varint(varint)
        }
    }

    /// Texts from this length on are written on their own.
    private static let longText = 512

    /// - Parameters:
    ///   - valueSize: the bytes of the `AnyValue`'s content.
    ///   - value: writes them.
    @inline(__always)
    private mutating func attribute(_ number: UInt8, _ key: String, valueSize: Int, _ value: (inout ShortFields) -> Void) {
        let length = key.utf8.count
        guard length <= Self.longText else { return longAttribute(number, key, valueSize: valueSize, value) }
        let size = 2 &+ Self.size(ofVarint: UInt64(length)) &+ length &+ Self.size(ofVarint: UInt64(valueSize)) &+ valueSize
        shortFields(size &+ 4) { fields in
            fields.tag(number, .lengthDelimited)
            fields.varint(UInt64(size))
            fields.stringField(1, key)
            fields.tag(2, .lengthDelimited)
            fields.varint(UInt64(valueSize))
            value(&fields)
        }
    }

    private mutating func longAttribute(_ number: UInt8, _ key: String, valueSize: Int, _ value: (inout ShortFields) -> Void) {
        messageField(UInt32(number)) { writer in
            writer.stringField(1, key)
            writer.messageField(2) { $0.shortFields(valueSize, value) }
        }
    }

    // MARK: Arrays

    /// The content of an `AnyValue` that is an array. A kind of value that is newer than this code has no content.
    private mutating func arrayValue(_ value: SpanAttribute, _ limit: Int?) {
        switch value {
        case .int32Array(let numbers): elements(numbers) { $0.varintField(3, UInt64(bitPattern: Int64($1))) }
        case .int64Array(let numbers): elements(numbers) { $0.varintField(3, UInt64(bitPattern: $1)) }
        case .doubleArray(let numbers): elements(numbers) { $0.doubleField(4, $1) }
        case .boolArray(let flags): elements(flags) { $0.varintField(2, $1 ? 1 : 0) }
        case .stringArray(let texts): elements(texts) { $0.stringField(1, $1.limited(to: limit)) }
        case .stringConvertibleArray(let values): elements(values) { $0.stringField(1, $1.description.limited(to: limit)) }
        default: break
        }
    }

    /// An `ArrayValue`.
    private mutating func elements<Element>(_ elements: [Element], _ write: (inout WireWriter, Element) -> Void) {
        messageField(5) { writer in
            for element in elements {
                writer.messageField(1) { write(&$0, element) }
            }
        }
    }
}
