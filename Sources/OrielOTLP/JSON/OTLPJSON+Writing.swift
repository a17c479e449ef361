import OrielTelemetry

/// OTLP's JSON mapping (otlp specification, "JSON Protobuf Encoding"), driven by the table of fields: text is turned into the protobuf form
/// and back, so that both
/// ways in meet before anything is decoded and cannot differ.
enum OTLPJSON {
    /// The JSON form of a protobuf message. Unknown fields and fields with the wrong wire type are left out; bytes that cannot be read end
    /// the message.
    static func json(fromProtobuf bytes: Span<UInt8>, message: OTLPMessage) -> [UInt8] {
        var writer = JSONWriter()
        write(0..<bytes.count, as: message, in: bytes, depth: 0, to: &writer)
        return writer.bytes
    }

    /// Deeper than any message that the decoder takes: three messages a value, and the frame around them.
    private static let maximumDepth = AttributeValue.maximumNesting * 3 + 16

    /// The place of a field's content: of a number its bytes, of a message or string what is behind the length.
    private struct Occurrence {
        var number: UInt32
        var wireType: UInt32
        var content: Range<Int>
    }

    private static func write(_ content: Range<Int>, as message: OTLPMessage, in bytes: Span<UInt8>, depth: Int, to writer: inout JSONWriter) {
        writer.beginObject()
        defer { writer.endObject() }
        guard depth < maximumDepth else { return }
        let occurrences = occurrences(content, in: bytes)
        for field in message.fields {
            let isPacked = { (occurrence: Occurrence) in
                field.isRepeated && occurrence.wireType == 2 && field.kind.wireType != 2
            }
            let matching = occurrences.filter { $0.number == field.number && ($0.wireType == field.kind.wireType || isPacked($0)) }
            guard let last = matching.last else { continue }
            let name = field.jsonName
            writer.key(name.span)
            if field.isRepeated {
                writer.beginArray()
                for occurrence in matching {
                    if isPacked(occurrence) {
                        writePacked(occurrence.content, field.kind, in: bytes, to: &writer)
                    } else {
                        writeValue(occurrence.content, field.kind, in: bytes, depth: depth, to: &writer)
                    }
                }
                writer.endArray()
            } else {
                writeValue(last.content, field.kind, in: bytes, depth: depth, to: &writer)
            }
        }
    }

    private static func occurrences(_ content: Range<Int>, in bytes: Span<UInt8>) -> [Occurrence] {
        var occurrences: [Occurrence] = []
        var reader = WireReader(start: content.lowerBound, end: content.upperBound)
        do throws(WireError) {
            while let tag = try reader.nextTag(in: bytes) {
                let start = reader.offset
                if tag.wireType == 2 {
                    occurrences.append(Occurrence(number: tag.number, wireType: 2, content: try reader.lengthDelimited(in: bytes)))
                } else {
                    try reader.skip(tag, in: bytes)
                    occurrences.append(Occurrence(number: tag.number, wireType: tag.wireType, content: start..<reader.offset))
                }
            }
        } catch {
            // Only what our own encoder wrote comes here.
        }
        return occurrences
    }

    private static func writePacked(_ content: Range<Int>, _ kind: OTLPField.Kind, in bytes: Span<UInt8>, to writer: inout JSONWriter) {
        var reader = WireReader(start: content.lowerBound, end: content.upperBound)
        while !reader.isAtEnd {
            let start = reader.offset
            do {
                try reader.skip(WireReader.Tag(rawValue: 8 | kind.wireType), in: bytes)
            } catch {
                // As above.
                return
            }
            writeValue(start..<reader.offset, kind, in: bytes, depth: 0, to: &writer)
        }
    }

    private static func writeValue(_ content: Range<Int>, _ kind: OTLPField.Kind, in bytes: Span<UInt8>, depth: Int, to writer: inout JSONWriter) {
        switch kind {
        case .string: writer.string(bytes.extracting(content))
        case .bytes: writer.base64(bytes.extracting(content))
        case .identifier: writer.hexadecimal(bytes.extracting(content))
        case .message(let message): write(content, as: message, in: bytes, depth: depth + 1, to: &writer)
        case .bool: writer.bool(number(content, in: bytes) != 0)
        case .uint32: writer.integer(UInt32(truncatingIfNeeded: number(content, in: bytes)))
        case .int32, .enumeration: writer.integer(Int32(truncatingIfNeeded: number(content, in: bytes)))
        case .sint32: writer.integer(Int32(truncatingIfNeeded: Int64(zigzag: number(content, in: bytes))))
        case .int64: writer.quotedInteger(Int64(bitPattern: number(content, in: bytes)))
        case .uint64: writer.quotedInteger(number(content, in: bytes))
        case .fixed32: writer.integer(UInt32(truncatingIfNeeded: fixed(content, in: bytes)))
        case .fixed64: writer.quotedInteger(fixed(content, in: bytes))
        case .sfixed64: writer.quotedInteger(Int64(bitPattern: fixed(content, in: bytes)))
        case .double: writer.double(Double(bitPattern: fixed(content, in: bytes)))
        }
    }

    private static func number(_ content: Range<Int>, in bytes: Span<UInt8>) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        for index in content where shift < 64 {
            value |= UInt64(bytes[index] & 0x7F) << shift
            shift += 7
        }
        return value
    }

    private static func fixed(_ content: Range<Int>, in bytes: Span<UInt8>) -> UInt64 {
        var value: UInt64 = 0
        for index in content.reversed() { value = value << 8 | UInt64(bytes[index]) }
        return value
    }
}
