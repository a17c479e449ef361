import OrielTelemetry

extension OTLPJSON {
    /// The protobuf form of a JSON text.
    ///
    /// Keys are lowerCamelCase, unknown ones are skipped, `null` is an absent field; integers may be numbers or strings, enum values also
    /// their names, ids are
    /// hexadecimal of either case, other bytes base64.
    static func protobuf(fromJSON text: Span<UInt8>, message: OTLPMessage) throws(OTLPError) -> [UInt8] {
        var transcoder = Transcoder()
        transcoder.writer.bytes.reserveCapacity(text.count / 2)
        do throws(JSONError) {
            try transcoder.message(message, in: text, valueDepth: 0)
            try transcoder.reader.finish(in: text)
        } catch {
            let reason = transcoder.invalidText.map { OTLPError.Reason.invalidText(expected: $0) } ?? .json(error.reason)
            throw OTLPError(reason, offset: error.offset, path: transcoder.pathText)
        }
        return transcoder.writer.bytes
    }

    private struct Transcoder {
        /// Nesting is bounded by `valueDepth`; the rest of a message's shape is finite.
        var reader = JSONReader(maximumDepth: AttributeValue.maximumNesting * 4 + 64)
        var writer = WireWriter()
        /// The keys and indexes that lead to the reader's place. Elements are left on it when an error is thrown: that is the error's path.
        var path: [PathElement] = []
        /// What a string should have been; set just before an error that the JSON grammar does not know.
        var invalidText: String?

        enum PathElement {
            case field([UInt8])
            case index(Int)
        }

        var pathText: String {
            var text = ""
            for element in path {
                switch element {
                case .field(let name): text += (text.isEmpty ? "" : ".") + String(decoding: name, as: UTF8.self)
                case .index(let index): text += "[\(index)]"
                }
            }
            return text
        }

        mutating func message(_ message: OTLPMessage, in text: Span<UInt8>, valueDepth: Int) throws(JSONError) {
            let fields = message.fields
            // Members come in the order of the definition more often than not.
            var expected = 0
            try reader.beginObject(in: text)
            while let key = try reader.nextKey(in: text) {
                guard let index = self.index(of: key, in: fields, from: expected, text: text) else {
                    try reader.skipValue(in: text)
                    continue
                }
                expected = index + 1
                if try reader.skipNull(in: text) { continue }
                path.append(.field(fields[index].jsonName))
                try field(fields[index], in: text, valueDepth: valueDepth)
                path.removeLast()
            }
        }

        private func index(of key: JSONReader.StringToken, in fields: [OTLPField], from start: Int, text: Span<UInt8>) -> Int? {
            var name: [UInt8] = []
            if key.hasEscapes { reader.append(key, in: text, to: &name) }
            for step in 0..<fields.count {
                let index = (start + step) % fields.count
                let candidate = fields[index].jsonName
                if key.hasEscapes ? candidate == name : candidate.span.isEqual(to: text.extracting(key.range)) { return index }
            }
            return nil
        }

        private mutating func field(_ field: OTLPField, in text: Span<UInt8>, valueDepth: Int) throws(JSONError) {
            guard field.isRepeated else {
                try value(field, in: text, valueDepth: valueDepth)
                return
            }
            try reader.beginArray(in: text)
            var index = 0
            while try reader.nextElement(in: text) {
                path.append(.index(index))
                index += 1
                if try reader.skipNull(in: text) {
                    // A list has no absent elements: a null stands for an empty one.
                    if case .message = field.kind { writer.bytesField(field.number, Span()) }
                } else {
                    try value(field, in: text, valueDepth: valueDepth)
                }
                path.removeLast()
            }
        }

        private mutating func value(_ field: OTLPField, in text: Span<UInt8>, valueDepth: Int) throws(JSONError) {
            let number = field.number
            switch field.kind {
            case .string:
                let token = try reader.stringToken(in: text)
                if token.hasEscapes {
                    var content: [UInt8] = []
                    reader.append(token, in: text, to: &content)
                    writer.bytesField(number, content.span)
                } else {
                    writer.bytesField(number, text.extracting(token.range))
                }
            case .bytes: try content(number, expected: "base64 text", in: text) { Base64.decode($0) }
            case .identifier: try content(number, expected: "text of hexadecimal digits", in: text) { OTLPJSON.bytes(fromHexadecimal: $0) }
            case .bool: writer.varintField(number, try reader.bool(in: text) ? 1 : 0)
            case .uint32: writer.varintField(number, UInt64(try unsigned32(in: text)))
            case .fixed32: writer.fixed32Field(number, try unsigned32(in: text))
            case .int32: writer.varintField(number, UInt64(bitPattern: Int64(try signed32(in: text))))
            case .sint32: writer.varintField(number, Int64(try signed32(in: text)).zigzag)
            case .int64: writer.varintField(number, UInt64(bitPattern: try reader.integer(in: text)))
            case .uint64: writer.varintField(number, try reader.unsignedInteger(in: text))
            case .fixed64: writer.fixed64Field(number, try reader.unsignedInteger(in: text))
            case .sfixed64: writer.fixed64Field(number, UInt64(bitPattern: try reader.integer(in: text)))
            case .double: writer.doubleField(number, try reader.double(in: text))
            case .enumeration(let prefix, let names): try enumeration(number, prefix: prefix, names: names, in: text)
            case .message(let message): try nested(number, message, in: text, valueDepth: valueDepth)
            }
        }

        private mutating func nested(_ number: UInt32, _ message: OTLPMessage, in text: Span<UInt8>, valueDepth: Int) throws(JSONError) {
            var depth = valueDepth
            switch message {
            case .arrayValue, .keyValueList:
                depth += 1
                // One level too many is written, so that the decoder rejects this row and no other; what lies below is not looked at.
                if depth > AttributeValue.maximumNesting {
                    try reader.skipValue(in: text)
                    writer.bytesField(number, Span())
                    return
                }
            default: break
            }
            try messageField(number) { (transcoder) throws(JSONError) in try transcoder.message(message, in: text, valueDepth: depth) }
        }

        /// As ``WireWriter/messageField(_:_:)``, for a body that also needs the reader.
        private mutating func messageField(_ number: UInt32, _ body: (inout Transcoder) throws(JSONError) -> Void) throws(JSONError) {
            writer.tag(number, .lengthDelimited)
            let mark = writer.bytes.count
            writer.bytes.append(0)
            try body(&self)
            let length = writer.bytes.count - mark - 1
            if length < 0x80 {
                writer.bytes[mark] = UInt8(length)
            } else {
                var prefix = WireWriter()
                prefix.varint(UInt64(length))
                writer.bytes.replaceSubrange(mark...mark, with: prefix.bytes)
            }
        }

        private mutating func content(
            _ number: UInt32, expected: String, in text: Span<UInt8>, _ decode: (Span<UInt8>) -> [UInt8]?
        ) throws(JSONError) {
            let token = try reader.stringToken(in: text)
            var content: [UInt8] = []
            reader.append(token, in: text, to: &content)
            guard let decoded = decode(content.span) else {
                invalidText = expected
                throw JSONError(.invalidEscape, offset: token.range.lowerBound)
            }
            writer.bytesField(number, decoded.span)
        }

        private mutating func enumeration(_ number: UInt32, prefix: String, names: [String], in text: Span<UInt8>) throws(JSONError) {
            guard try reader.peekKind(in: text) == .string else {
                writer.varintField(number, UInt64(bitPattern: Int64(try signed32(in: text))))
                return
            }
            let token = try reader.stringToken(in: text)
            let name = reader.string(token, in: text)
            if let value = Int32(name) {
                writer.varintField(number, UInt64(bitPattern: Int64(value)))
                return
            }
            guard let value = names.firstIndex(where: { name == prefix + $0 || name == $0 }) else {
                invalidText = "name of an enum value, such as \(prefix)\(names.last ?? "")"
                throw JSONError(.invalidEscape, offset: token.range.lowerBound)
            }
            writer.varintField(number, UInt64(value))
        }

        private mutating func unsigned32(in text: Span<UInt8>) throws(JSONError) -> UInt32 {
            let value = try reader.unsignedInteger(in: text)
            guard let result = UInt32(exactly: value) else { throw JSONError(.integerOutOfRange, offset: reader.offset) }
            return result
        }

        private mutating func signed32(in text: Span<UInt8>) throws(JSONError) -> Int32 {
            let value = try reader.integer(in: text)
            guard let result = Int32(exactly: value) else { throw JSONError(.integerOutOfRange, offset: reader.offset) }
            return result
        }
    }

    /// The bytes of an even number of hexadecimal digits, or `nil`.
    private static func bytes(fromHexadecimal digits: Span<UInt8>) -> [UInt8]? {
        guard digits.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(digits.count / 2)
        for index in 0..<(digits.count / 2) {
            guard let high = Hexadecimal.nibble(digits[2 * index]), let low = Hexadecimal.nibble(digits[2 * index + 1]) else { return nil }
            bytes.append(high << 4 | low)
        }
        return bytes
    }
}
