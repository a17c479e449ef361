import Logging
import OrielTelemetry

extension WireWriter {
    /// Writes an entry of swift-log's metadata as an attribute of a log record.
    ///
    /// Key and value are read apart from each other by their index: taking both out of the dictionary as a pair costs twice as much.
    ///
    /// - Parameter limit: characters of a string.
    @inline(__always)
    mutating func metadataAttribute(_ index: Logging.Logger.Metadata.Index, of metadata: Logging.Logger.Metadata, limit: Int) {
        switch metadata.values[index] {
        case .string(let text): textAttribute(metadata.keys[index], text, limit: limit)
        case .stringConvertible(let value): scalarAttribute(metadata.keys[index], MetadataScalar(value), limit: limit)
        case let value: attribute(metadata.keys[index], limit: limit) { $0.metadataValue(value, limit: limit, depth: 0) }
        }
    }

    /// Writes an attribute of a log record.
    @inline(__always)
    mutating func scalarAttribute(_ key: String, _ value: MetadataScalar, limit: Int) {
        switch value {
        case .text(let text): textAttribute(key, text, limit: limit)
        case .int(let number):
            if appendShortAttribute(key, int: number, limit: limit) { return }
            attribute(key, limit: limit) { $0.varintField(3, UInt64(bitPattern: number)) }
        case .double(let number):
            if appendShortAttribute(key, double: number, limit: limit) { return }
            attribute(key, limit: limit) { $0.doubleField(4, number) }
        case .bool(let flag): attribute(key, limit: limit) { $0.varintField(2, flag ? 1 : 0) }
        }
    }

    @inline(__always)
    private mutating func textAttribute(_ key: String, _ text: String, limit: Int) {
        if appendShortAttribute(key, text, limit: limit) { return }
        longAttribute(fitting(key, limit: limit), fitting(text, limit: limit))
    }

    /// An attribute of a log record; `value` writes the content of its `AnyValue`.
    private mutating func attribute(_ key: String, limit: Int, _ value: (inout WireWriter) -> Void) {
        messageField(6) { writer in
            writer.stringField(1, writer.fitting(key, limit: limit))
            writer.messageField(2, value)
        }
    }

    /// The content of an `AnyValue` that is a string.
    private mutating func text(_ text: String, limit: Int) {
        stringField(1, fitting(text, limit: limit))
    }

    /// What of a text fits the limit, and the record.
    private func fitting(_ text: String, limit: Int) -> String {
        let room = max(LogRecordEncoding.recordLimit - bytes.count, 0)
        return text.utf8.count <= min(limit, room) ? text : text.cut(characters: limit, bytes: room)
    }

    /// The content of an `AnyValue`.
    ///
    /// - Parameter depth: how many arrays and dictionaries lie around the value.
    private mutating func metadataValue(_ value: Logging.Logger.MetadataValue, limit: Int, depth: Int) {
        switch value {
        case .string(let text): self.text(text, limit: limit)
        case .stringConvertible(let value):
            switch MetadataScalar(value) {
            case .text(let text): self.text(text, limit: limit)
            case .int(let number): varintField(3, UInt64(bitPattern: number))
            case .double(let number): doubleField(4, number)
            case .bool(let flag): varintField(2, flag ? 1 : 0)
            }
        case .array where depth >= LogRecordEncoding.nestingLimit, .dictionary where depth >= LogRecordEncoding.nestingLimit: break
        case .array(let elements):
            messageField(5) { writer in
                for element in elements.prefix(LogRecordEncoding.entryLimit) where writer.bytes.count < LogRecordEncoding.recordLimit {
                    writer.messageField(1) { $0.metadataValue(element, limit: limit, depth: depth + 1) }
                }
            }
        case .dictionary(let entries):
            messageField(6) { writer in
                for (key, element) in entries.prefix(LogRecordEncoding.entryLimit) where writer.bytes.count < LogRecordEncoding.recordLimit {
                    writer.messageField(1) { writer in
                        writer.stringField(1, writer.fitting(key, limit: limit))
                        writer.messageField(2) { $0.metadataValue(element, limit: limit, depth: depth + 1) }
                    }
                }
            }
        }
    }
}

extension String {
    /// The longest beginning with at most these many Unicode scalars and bytes of UTF-8.
    func cut(characters: Int, bytes: Int) -> String {
        var characterCount = 0
        var byteCount = 0
        var end = unicodeScalars.startIndex
        while end < unicodeScalars.endIndex, characterCount < characters {
            byteCount += UTF8.width(unicodeScalars[end])
            guard byteCount <= bytes else { break }
            characterCount += 1
            unicodeScalars.formIndex(after: &end)
        }
        return end == endIndex ? self : String(self[..<end])
    }
}
