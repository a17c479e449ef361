import Logging
import OrielTelemetry
import Tracing

/// Writes a line of swift-log as the content of an OTLP `LogRecord`.
///
/// Numbers of fields are those of opentelemetry-proto's `logs.proto` and `common.proto`.
enum LogRecordEncoding {
    /// A record that has as many bytes gets no further attributes. Below the most that a queue takes.
    static let recordLimit = 960 << 10
    /// Arrays and dictionaries in one another; what lies deeper is left empty.
    static let nestingLimit = 8
    /// Elements of an array or entries of a dictionary; further ones are left out.
    static let entryLimit = 128

    /// - Parameter label: the logger's, where it is not the name of the record's scope.
    static func write(
        _ event: LogEvent, handler: Logging.Logger.Metadata, provider: Logging.Logger.MetadataProvider?, options: Oriel.LogOptions, label: String?,
        to writer: inout WireWriter
    ) {
        var text = event.message.description
        if text.utf8.count > min(options.messageLengthLimit, recordLimit) { text = text.cut(characters: options.messageLengthLimit, bytes: recordLimit) }
        writer.logRecordHead(time: .now, severity: event.level, body: text)

        var attributes = LogAttributes(options: options)
        let eventMetadata = event.metadata
        if let eventMetadata { attributes.add(eventMetadata, unlessIn: nil, nil, to: &writer) }
        var provided: Logging.Logger.Metadata?
        if let provider {
            let metadata = provider.get()
            attributes.add(metadata, unlessIn: eventMetadata, nil, to: &writer)
            provided = metadata
        }
        if !handler.isEmpty { attributes.add(handler, unlessIn: eventMetadata, provided, to: &writer) }
        if let error = event.error {
            attributes.add(exceptionType: error, unlessIn: eventMetadata, provided, handler, to: &writer)
        }
        if options.includesCode { attributes.add(codeOf: event, unlessIn: eventMetadata, provided, handler, to: &writer) }
        if let label { attributes.add(label: label, unlessIn: eventMetadata, provided, handler, to: &writer) }
        if attributes.dropped > 0 { writer.varintField(7, UInt64(attributes.dropped)) }

        if let span = ServiceContext.current?.spanContextReference {
            writer.logRecordSpan(span.context.traceID, span.context.spanID, flags: span.context.flags)
        }
    }
}

/// The attributes of one record as they are written: how many there are, and which were left out.
private struct LogAttributes {
    /// What is left to do for an attribute.
    private enum Rest {
        case nothing
        case scalar(MetadataScalar)
        /// An array or a dictionary.
        case nested
    }

    /// Bytes of room for short attributes that are made at once.
    private static let block = 512

    let options: Oriel.LogOptions
    var count = 0
    var dropped = 0

    init(options: Oriel.LogOptions) {
        self.options = options
    }

    /// Whether there is room for one more, which is then counted as written, else as dropped.
    private mutating func mayAdd(to writer: borrowing WireWriter) -> Bool {
        guard count < options.attributeCountLimit, writer.bytes.count < LogRecordEncoding.recordLimit else {
            dropped += 1
            return false
        }
        count += 1
        return true
    }

    /// Adds what is not in `first` or `second`, which were written before. When these are empty no key is looked up.
    ///
    /// Key and value are read apart from each other by their index: taking both out of the dictionary as a pair costs twice as much.
    @inline(__always)
    mutating func add(
        _ metadata: Logging.Logger.Metadata, unlessIn first: Logging.Logger.Metadata?, _ second: Logging.Logger.Metadata?, to writer: inout WireWriter
    ) {
        var index = metadata.startIndex
        while index != metadata.endIndex {
            var rest = Rest.nothing
            writer.shortAttributes(room: min(Self.block, LogRecordEncoding.recordLimit - writer.bytes.count)) { short in
                while index != metadata.endIndex {
                    if let first, !first.isEmpty, first.index(forKey: metadata.keys[index]) != nil {
                    } else if let second, !second.isEmpty, second.index(forKey: metadata.keys[index]) != nil {
                    } else if count >= options.attributeCountLimit {
                        dropped += 1
                    } else {
                        rest = addShort(index, of: metadata, to: &short)
                        guard case .nothing = rest else { return }
                    }
                    metadata.formIndex(after: &index)
                }
            }
            if case .nothing = rest { return }
            add(rest, index, of: metadata, to: &writer)
            metadata.formIndex(after: &index)
        }
    }

    /// - Returns: what is not short or has no room, so that a value is not asked twice for its description.
    @inline(__always)
    private mutating func addShort(_ index: Logging.Logger.Metadata.Index, of metadata: Logging.Logger.Metadata, to short: inout ShortAttributes) -> Rest {
        let limit = options.valueLengthLimit
        switch metadata.values[index] {
        case .string(let text):
            guard short.append(metadata.keys[index], text, limit: limit) else { return .scalar(.text(text)) }
        case .stringConvertible(let value):
            let scalar = MetadataScalar(value)
            guard short.append(metadata.keys[index], scalar, limit: limit) else { return .scalar(scalar) }
        case .array, .dictionary: return .nested
        }
        count += 1
        return .nothing
    }

    @inline(never)
    private mutating func add(_ rest: Rest, _ index: Logging.Logger.Metadata.Index, of metadata: Logging.Logger.Metadata, to writer: inout WireWriter) {
        guard mayAdd(to: writer) else { return }
        switch rest {
        case .nothing: break
        case .scalar(let value): writer.attribute(metadata.keys[index], value, limit: options.valueLengthLimit)
        case .nested: writer.attribute(metadata.keys[index], metadata.values[index], limit: options.valueLengthLimit)
        }
    }

    mutating func add(
        exceptionType error: any Error, unlessIn event: Logging.Logger.Metadata?, _ provided: Logging.Logger.Metadata?,
        _ handler: Logging.Logger.Metadata, to writer: inout WireWriter
    ) {
        add("exception.type", unlessIn: event, provided, handler, to: &writer) { .text(String(reflecting: type(of: error))) }
        add("exception.message", unlessIn: event, provided, handler, to: &writer) { .text(String(describing: error)) }
    }

    mutating func add(
        codeOf event: LogEvent, unlessIn metadata: Logging.Logger.Metadata?, _ provided: Logging.Logger.Metadata?, _ handler: Logging.Logger.Metadata,
        to writer: inout WireWriter
    ) {
        add("code.file.path", unlessIn: metadata, provided, handler, to: &writer) { .text(event.file) }
        add("code.line.number", unlessIn: metadata, provided, handler, to: &writer) { .int(Int64(clamping: event.line)) }
        add("code.function.name", unlessIn: metadata, provided, handler, to: &writer) { .text(event.function) }
        // What nobody has given is what swift-log makes of the file: the module, with which its path begins.
        let source = event.source
        let module = event.file.firstIndex(of: "/").map { event.file[..<$0] } ?? "n/a"
        guard source != module else { return }
        add("log.source", unlessIn: metadata, provided, handler, to: &writer) { .text(source) }
    }

    /// The name that the scope of the record cannot have, under the attribute's name that OpenTelemetry has for formats without scopes.
    mutating func add(
        label: String, unlessIn event: Logging.Logger.Metadata?, _ provided: Logging.Logger.Metadata?, _ handler: Logging.Logger.Metadata,
        to writer: inout WireWriter
    ) {
        add("otel.scope.name", unlessIn: event, provided, handler, to: &writer) { .text(label) }
    }

    private mutating func add(
        _ key: String, unlessIn event: Logging.Logger.Metadata?, _ provided: Logging.Logger.Metadata?, _ handler: Logging.Logger.Metadata,
        to writer: inout WireWriter, _ value: () -> MetadataScalar
    ) {
        guard event?[key] == nil, provided?[key] == nil, handler[key] == nil else { return }
        guard mayAdd(to: writer) else { return }
        writer.attribute(key, value(), limit: options.valueLengthLimit)
    }
}
