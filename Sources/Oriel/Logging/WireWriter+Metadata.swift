import Logging
import OrielTelemetry

extension WireWriter {
    /// Writes an attribute of a log record, of any length.
    ///
    /// - Parameter limit: characters of a string.
    mutating func attribute(_ key: String, _ value: MetadataScalar, limit: Int) {
        switch value {
        case .text(let text): longAttribute(fitting(key), fitting(text, limit: limit))
        case .int(let number): attribute(key) { $0.varintField(3, UInt64(bitPattern: number)) }
        case .double(let number): attribute(key) { $0.doubleField(4, number) }
        case .bool(let flag): attribute(key) { $0.varintField(2, flag ? 1 : 0) }
        }
    }

    /// Writes an attribute of a log record that is an array or a dictionary.
    mutating func attribute(_ key: String, _ value: Logging.Logger.MetadataValue, limit: Int) {
        attribute(key) { $0.metadataValue(value, limit: limit, depth: 0) }
    }

    /// An attribute of a log record; `value` writes the content of its `AnyValue`.
    private mutating func attribute(_ key: String, _ value: (inout WireWriter) -> Void) {
        messageField(6) { writer in
            writer.stringField(1, writer.fitting(key))
            writer.messageField(2, value)
        }
    }

    /// The content of an `AnyValue` that is a string.
    private mutating func text(_ text: String, limit: Int) {
        stringField(1, fitting(text, limit: limit))
    }

    /// What of a text fits the limit, and the record. Keys have no limit of their own.
    private func fitting(_ text: String, limit: Int = .max) -> String {
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
                        writer.stringField(1, writer.fitting(key))
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
