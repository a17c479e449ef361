import OrielTelemetry
import Tracing

extension WireWriter {
    /// One attribute as an OTLP `KeyValue` field.
    ///
    /// - Parameter limit: Unicode scalars of a text.
    mutating func attribute(_ number: UInt32, _ key: String, _ value: SpanAttribute, _ limit: Int?) {
        messageField(number) { writer in
            writer.stringField(1, key)
            writer.messageField(2) { $0.anyValue(value, limit) }
        }
    }

    /// The content of an `AnyValue`. Descriptions of values are asked for here, so no lock may be held.
    private mutating func anyValue(_ value: SpanAttribute, _ limit: Int?) {
        switch value {
        case .string(let text): stringField(1, text.limited(to: limit))
        case .bool(let flag): varintField(2, flag ? 1 : 0)
        case .int32(let number): varintField(3, UInt64(bitPattern: Int64(number)))
        case .int64(let number): varintField(3, UInt64(bitPattern: number))
        case .double(let number): doubleField(4, number)
        case .int32Array(let numbers): elements(numbers) { $0.varintField(3, UInt64(bitPattern: Int64($1))) }
        case .int64Array(let numbers): elements(numbers) { $0.varintField(3, UInt64(bitPattern: $1)) }
        case .doubleArray(let numbers): elements(numbers) { $0.doubleField(4, $1) }
        case .boolArray(let flags): elements(flags) { $0.varintField(2, $1 ? 1 : 0) }
        case .stringArray(let texts): elements(texts) { $0.stringField(1, $1.limited(to: limit)) }
        case .stringConvertible(let value): stringField(1, value.description.limited(to: limit))
        case .stringConvertibleArray(let values): elements(values) { $0.stringField(1, $1.description.limited(to: limit)) }
        // A kind of value that is newer than this code has no content.
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
