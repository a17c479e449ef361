import OrielTelemetry

extension OTLPMessage {
    /// The path of the innermost known field whose content holds byte `offset`, such as
    /// `resource_spans[0].scope_spans[1].spans[3].attributes[0]`.
    ///
    /// It walks the message again from its start, so that decoding itself has no paths to keep; bytes that cannot be read end the walk.
    ///
    /// Complexity: O(*n*) in the bytes before `offset`.
    func path(to offset: Int, in bytes: Span<UInt8>) -> String {
        var path = ""
        var message = self
        var range = 0..<bytes.count
        descend: while true {
            var indexes: [UInt32: Int] = [:]
            var reader = WireReader(start: range.lowerBound, end: range.upperBound)
            while reader.offset <= offset, let tag = OTLPMessage.tag(&reader, in: bytes) {
                guard let field = message.field(tag.number) else {
                    guard OTLPMessage.skip(tag, &reader, in: bytes) else { return path }
                    continue
                }
                let index = indexes[field.number, default: 0]
                indexes[field.number] = index + 1
                let start = reader.offset
                let content = tag.wireType == 2 ? OTLPMessage.content(&reader, in: bytes) : nil
                let isRead = content != nil || (tag.wireType != 2 && OTLPMessage.skip(tag, &reader, in: bytes))
                // An unreadable field is the culprit; otherwise it must reach up to the offset, its end counting as inside when nothing
                // follows.
                guard !isRead || offset < reader.offset || (offset == reader.offset && offset == range.upperBound) || (start == offset) else { continue }
                path += path.isEmpty ? "" : "."
                path += field.isRepeated ? "\(field.name)[\(index)]" : field.name
                guard let content, case .message(let inner) = field.kind, content.lowerBound <= offset else { return path }
                message = inner
                range = content
                continue descend
            }
            return path
        }
    }

    /// The three below turn an error into "stop": the error itself is what the path is wanted for.
    private static func tag(_ reader: inout WireReader, in bytes: Span<UInt8>) -> WireReader.Tag? {
        do { return try reader.nextTag(in: bytes) } catch { return nil }
    }

    private static func content(_ reader: inout WireReader, in bytes: Span<UInt8>) -> Range<Int>? {
        do { return try reader.lengthDelimited(in: bytes) } catch { return nil }
    }

    private static func skip(_ tag: WireReader.Tag, _ reader: inout WireReader, in bytes: Span<UInt8>) -> Bool {
        do {
            try reader.skip(tag, in: bytes)
            return true
        } catch {
            return false
        }
    }
}
