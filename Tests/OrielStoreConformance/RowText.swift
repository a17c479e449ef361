public import OrielTelemetry

/// A row printed in full: equal texts are equal rows, NaNs by their bits, attribute order aside. Row numbers are left out, since engines may skip some.
///
/// Texts are ASCII, so that equal ones have equal bytes. They are put together from descriptions alone, without interpolation and column by column, since most of what
/// many tests do is printing rows, in debug builds.
public struct RowText: Hashable, Comparable, Sendable, CustomStringConvertible {
    private let text: String

    private init(_ text: String) { self.text = text }

    /// The row with what is no letter as dots.
    public var description: String {
        String(decoding: text.utf8.map { $0 < 0x20 || $0 == 0x7F ? UInt8(ascii: ".") : $0 }, as: UTF8.self)
    }

    public static func < (left: RowText, right: RowText) -> Bool { left.text < right.text }

    /// All rows of a batch, printed.
    static func all(of batch: ColumnBatch) -> [RowText] {
        let streams = (0..<batch.streams.count).map { " stream" + describe(batch.streams.descriptor($0)) }
        let times = batch.times
        let streamIndexes = batch.streamIndexes
        let count = times.count
        var texts: [String] = []
        texts.reserveCapacity(count)
        var row = 0
        while row < count {
            texts.append(times[row].description + streams[Int(streamIndexes[row])])
            row += 1
        }
        for (position, id) in batch.signal.columns.enumerated() {
            append(batch.columns[position], named: names[Int(id.rawValue)], to: &texts)
        }
        if let attributes = batch.attributes { append(attributes, to: &texts) }
        return texts.map { RowText($0) }
    }

    /// By the columns' raw values.
    private static let names = (0...UInt8.max).map { number in ColumnID(rawValue: number).map { " \($0)=" } ?? "" }

    private static func append(_ column: Column, named name: String, to texts: inout [String]) {
        var row = 0
        switch column {
        case .absent: return
        case .integers(let values):
            while row < values.count {
                texts[row] += name
                texts[row] += values[row].description
                row += 1
            }
        case .doubles(let values):
            while row < values.count {
                texts[row] += name
                texts[row] += describe(values[row])
                row += 1
            }
        case .identifiers(let values):
            while row < values.count {
                texts[row] += name
                texts[row] += values[row].description
                row += 1
            }
        case .traceIDs(let values):
            while row < values.count {
                texts[row] += name
                texts[row] += values[row].high.description
                texts[row] += "-"
                texts[row] += values[row].low.description
                row += 1
            }
        case .bytes(let values):
            while row < values.count {
                texts[row] += name
                texts[row] += describe(values[row])
                row += 1
            }
        }
    }

    private static func append(_ table: AttributeTable, to texts: inout [String]) {
        let keys = (0..<table.keys.count).map { describe(table.keys.keys[$0]) }
        // The place of each key among all, so that entries of a row are sorted by numbers.
        var ranks = Array(repeating: 0, count: keys.count)
        for (rank, key) in keys.indices.sorted(by: { keys[$0] < keys[$1] }).enumerated() { ranks[key] = rank }
        let keyIndexes = table.keyIndexes
        var row = 0
        while row < texts.count {
            texts[row] += " {"
            for entry in table.entries(of: row).sorted(by: { ranks[Int(keyIndexes[$0])] < ranks[Int(keyIndexes[$1])] }) {
                texts[row] += keys[Int(keyIndexes[entry])]
                texts[row] += ": "
                texts[row] += describe(table.value(ofEntry: entry))
                texts[row] += ", "
            }
            texts[row] += "}"
            row += 1
        }
    }

    private static func describe(_ value: Double) -> String {
        value.isNaN ? "nan-\(String(value.bitPattern, radix: 16))" : value.description
    }

    private static let hexadecimal = (0...255).map { String($0, radix: 16) + " " }

    private static func describe(_ bytes: [UInt8]) -> String {
        let text = String(decoding: bytes, as: UTF8.self)
        if text.isASCII { return "'" + text + "'" }
        var described = "<"
        for byte in bytes.prefix(40) { described += hexadecimal[Int(byte)] }
        if bytes.count > 40 { described += "... \(bytes.count) #\(ByteHash.hash(bytes.span))" }
        return described + ">"
    }

    private static func describe(_ text: String) -> String { text.isASCII ? "'" + text + "'" : describe(Array(text.utf8)) }

    static func describe(_ value: AttributeValue) -> String {
        switch value {
        case .empty: "empty"
        case .string(let text): "string" + describe(text)
        case .bool(let flag): flag ? "true" : "false"
        case .int(let number): "int " + number.description
        case .double(let number): "double " + describe(number)
        case .bytes(let bytes): "bytes" + describe(bytes)
        case .array(let elements): "[" + elements.map(describe).joined(separator: ", ") + "]"
        case .map(let attributes): "{" + attributes.map { describe($0.key) + ": " + describe($0.value) }.joined(separator: ", ") + "}"
        }
    }
}

extension String {
    /// Whether all characters are ASCII ones: of all others UTF-8 takes more bytes than UTF-16 takes units.
    fileprivate var isASCII: Bool { utf16.count == utf8.count }
}

extension ColumnBatch {
    /// All rows, printed.
    public var rowTexts: [RowText] { RowText.all(of: self) }
}

extension [ColumnBatch] {
    /// The rows of all batches, printed.
    public var rowTexts: [RowText] { flatMap(\.rowTexts) }
}
