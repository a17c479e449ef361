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

    static func write(
        _ event: LogEvent, handler: Logging.Logger.Metadata, provider: Logging.Logger.MetadataProvider?, options: Oriel.LogOptions,
        to writer: inout WireWriter
    ) {
        writer.logRecordHead(time: .now, severity: event.level)
        var text = event.message.description
        if text.utf8.count > min(options.valueLengthLimit, recordLimit) { text = text.cut(characters: options.valueLengthLimit, bytes: recordLimit) }
        writer.logRecordBody(text)

        var attributes = LogAttributes(options: options)
        let eventMetadata = event.metadata
        if let eventMetadata {
            for (key, value) in eventMetadata { attributes.add(key, value, to: &writer) }
        }
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
        if attributes.dropped > 0 { writer.varintField(7, UInt64(attributes.dropped)) }

        if let span = ServiceContext.current?.spanContextReference {
            writer.logRecordSpan(span.context.traceID, span.context.spanID, flags: span.context.flags)
        }
    }
}

/// The attributes of one record as they are written: how many there are, and which were left out.
private struct LogAttributes {
    let options: Oriel.LogOptions
    var count = 0
    var dropped = 0

    init(options: Oriel.LogOptions) {
        self.options = options
    }

    @inline(__always)
    mutating func add(_ key: String, _ value: Logging.Logger.MetadataValue, to writer: inout WireWriter) {
        guard count < options.attributeCountLimit, writer.bytes.count < LogRecordEncoding.recordLimit else {
            dropped += 1
            return
        }
        count += 1
        writer.metadataAttribute(key, value, limit: options.valueLengthLimit)
    }

    /// Adds what is not in `first` or `second`, which were written before. When these are empty no key is looked up.
    mutating func add(
        _ metadata: Logging.Logger.Metadata, unlessIn first: Logging.Logger.Metadata?, _ second: Logging.Logger.Metadata?, to writer: inout WireWriter
    ) {
        for (key, value) in metadata {
            if let first, !first.isEmpty, first.index(forKey: key) != nil { continue }
            if let second, !second.isEmpty, second.index(forKey: key) != nil { continue }
            add(key, value, to: &writer)
        }
    }

    mutating func add(
        exceptionType error: any Error, unlessIn event: Logging.Logger.Metadata?, _ provided: Logging.Logger.Metadata?,
        _ handler: Logging.Logger.Metadata, to writer: inout WireWriter
    ) {
        add("exception.type", unlessIn: event, provided, handler, to: &writer) { .string(String(reflecting: type(of: error))) }
        add("exception.message", unlessIn: event, provided, handler, to: &writer) { .string(String(describing: error)) }
    }

    mutating func add(
        codeOf event: LogEvent, unlessIn metadata: Logging.Logger.Metadata?, _ provided: Logging.Logger.Metadata?, _ handler: Logging.Logger.Metadata,
        to writer: inout WireWriter
    ) {
        add("code.file.path", unlessIn: metadata, provided, handler, to: &writer) { .string(event.file) }
        add("code.line.number", unlessIn: metadata, provided, handler, to: &writer) { .stringConvertible(event.line) }
        add("code.function.name", unlessIn: metadata, provided, handler, to: &writer) { .string(event.function) }
    }

    private mutating func add(
        _ key: String, unlessIn event: Logging.Logger.Metadata?, _ provided: Logging.Logger.Metadata?, _ handler: Logging.Logger.Metadata,
        to writer: inout WireWriter, _ value: () -> Logging.Logger.MetadataValue
    ) {
        guard event?[key] == nil, provided?[key] == nil, handler[key] == nil else { return }
        add(key, value(), to: &writer)
    }
}
