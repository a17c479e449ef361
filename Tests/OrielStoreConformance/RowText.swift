public import OrielTelemetry

/// A row printed in full: equal texts are equal rows, NaNs by their bits, attribute order aside. Row numbers are left out, since engines may skip some.
public struct RowText: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let description: String

    public init(_ row: Int, of batch: ColumnBatch) {
        let stream = batch.streams.descriptor(Int(batch.streamIndexes[row]))
        let readable = String(decoding: stream.map { $0 < 0x20 || $0 > 0x7E ? UInt8(ascii: ".") : $0 }, as: UTF8.self)
        var text = "\(batch.times[row]) \(readable)#\(ByteHash.hash(stream.span) & 0xFFFF)"
        for (column, id) in zip(batch.columns, batch.signal.columns) {
            switch column {
            case .absent: continue
            case .integers(let values): text += " \(id)=\(values[row])"
            case .doubles(let values): text += " \(id)=\(RowText.describe(values[row]))"
            case .identifiers(let values): text += " \(id)=\(SpanID(rawValue: values[row]))"
            case .traceIDs(let values): text += " \(id)=\(values[row])"
            case .bytes(let values): text += " \(id)=\(RowText.describe(values[row]))"
            }
        }
        if let attributes = batch.attributes {
            let sorted = attributes.attributes(of: row).sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            text += " {" + sorted.map { "\($0.key): \(RowText.describe($0.value))" }.joined(separator: ", ") + "}"
        }
        description = text
    }

    public static func < (left: RowText, right: RowText) -> Bool { left.description < right.description }

    private static func describe(_ value: Double) -> String {
        value.isNaN ? "nan-\(String(value.bitPattern, radix: 16))" : "\(value)"
    }

    private static func describe(_ bytes: [UInt8]) -> String {
        if bytes.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) { return "'\(String(decoding: bytes, as: UTF8.self))'" }
        let rest = bytes.count > 40 ? " …\(bytes.count) #\(ByteHash.hash(bytes.span))" : ""
        return "<" + bytes.prefix(40).map { String($0, radix: 16) }.joined(separator: " ") + rest + ">"
    }

    static func describe(_ value: AttributeValue) -> String {
        switch value {
        case .empty: "empty"
        case .string(let text): "string\(describe(Array(text.utf8)))"
        case .bool(let flag): "\(flag)"
        case .int(let number): "int \(number)"
        case .double(let number): "double \(describe(number))"
        case .bytes(let bytes): "bytes\(describe(bytes))"
        case .array(let elements): "[" + elements.map(describe).joined(separator: ", ") + "]"
        case .map(let attributes): "{" + attributes.map { "\($0.key): \(describe($0.value))" }.joined(separator: ", ") + "}"
        }
    }
}

extension ColumnBatch {
    /// All rows, printed.
    public var rowTexts: [RowText] { (0..<count).map { RowText($0, of: self) } }
}

extension [ColumnBatch] {
    /// The rows of all batches, printed.
    public var rowTexts: [RowText] { flatMap(\.rowTexts) }
}
