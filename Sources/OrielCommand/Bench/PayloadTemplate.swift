import OrielTelemetry

/// A place in an encoded request that holds another value in each request. All values have a fixed width, so the bytes around them never move.
struct Patch: Sendable {
    /// What is written there. The value follows from the trace that the place belongs to, so that all places of one trace agree.
    enum Kind: UInt8, Sendable {
        /// 16 bytes.
        case traceID
        /// 8 bytes; the argument is the span's place in its trace.
        case spanID
        /// Eight bytes, little-endian nanoseconds; the argument is the offset from the trace's start before stretching.
        case time
        /// Decimal digits of the trace's user: few are busy and most are rare.
        case user
        /// Decimal digits that differ in every trace, such as an order's number.
        case order
        /// Decimal digits whose value depends on the place too, such as a duration in a log line.
        case number
    }

    var kind: Kind
    /// How many bytes are written.
    var width: UInt8
    /// Which trace of the request the place belongs to.
    var trace: Int32
    var offset: Int
    var argument: Int64
}

/// An encoded OTLP message with places to patch. Inner messages are written first and then put into the outer ones, so that every length is known.
struct PayloadTemplate: Sendable {
    private(set) var wire = WireWriter()
    private(set) var patches: [Patch] = []
    /// Spans, log records or samples in the message.
    var rows = 0

    var bytes: [UInt8] { wire.bytes }

    /// Puts a finished message in as a field.
    mutating func message(_ number: UInt32, _ content: PayloadTemplate) {
        wire.tag(number, .lengthDelimited)
        wire.varint(UInt64(content.wire.bytes.count))
        append(content)
    }

    /// Puts the fields of another template after those of this one.
    mutating func append(_ other: PayloadTemplate) {
        let base = wire.bytes.count
        wire.bytes.append(contentsOf: other.wire.bytes)
        for var patch in other.patches {
            patch.offset += base
            patches.append(patch)
        }
        rows += other.rows
    }

    /// Writes fields that are the same in every request.
    mutating func constant(_ body: (inout WireWriter) -> Void) {
        body(&wire)
    }

    mutating func traceID(_ number: UInt32, trace: Int) {
        wire.tag(number, .lengthDelimited)
        wire.varint(16)
        patch(.traceID, width: 16, trace: trace, argument: 0)
    }

    mutating func spanID(_ number: UInt32, trace: Int, span: Int) {
        wire.tag(number, .lengthDelimited)
        wire.varint(8)
        patch(.spanID, width: 8, trace: trace, argument: Int64(span))
    }

    mutating func time(_ number: UInt32, trace: Int, offset: Int64) {
        wire.tag(number, .fixed64)
        patch(.time, width: 8, trace: trace, argument: offset)
    }

    /// A string field: text with at most one run of `#` that is replaced by digits of this kind.
    mutating func text(_ number: UInt32, _ text: String, _ kind: Patch.Kind, trace: Int) {
        wire.tag(number, .lengthDelimited)
        let utf8 = Array(text.utf8)
        wire.varint(UInt64(utf8.count))
        if let start = utf8.firstIndex(of: UInt8(ascii: "#")) {
            let width = utf8[start...].prefix { $0 == UInt8(ascii: "#") }.count
            patches.append(Patch(kind: kind, width: UInt8(width), trace: Int32(trace), offset: wire.bytes.count + start, argument: 0))
        }
        wire.bytes.append(contentsOf: utf8)
    }

    /// An attribute whose string value holds digits that change.
    mutating func attribute(_ number: UInt32, _ key: String, _ text: String, _ kind: Patch.Kind, trace: Int) {
        var value = PayloadTemplate()
        value.text(1, text, kind, trace: trace)
        var attribute = PayloadTemplate()
        attribute.constant { $0.stringField(1, key) }
        attribute.message(2, value)
        message(number, attribute)
    }

    private mutating func patch(_ kind: Patch.Kind, width: Int, trace: Int, argument: Int64) {
        patches.append(Patch(kind: kind, width: UInt8(width), trace: Int32(trace), offset: wire.bytes.count, argument: argument))
        wire.bytes.append(contentsOf: repeatElement(0, count: width))
    }
}

extension WireWriter {
    /// A resource with its attributes, as field 1 of `ResourceSpans`, `ResourceLogs` and `ResourceMetrics`.
    mutating func resourceField(_ attributes: [Attribute]) {
        messageField(1) { $0.keyValues(1, attributes) }
    }

    /// A scope with its name and version, as field 1 of `ScopeSpans`, `ScopeLogs` and `ScopeMetrics`.
    mutating func scopeField(name: String, version: String) {
        messageField(1) {
            $0.stringField(1, name)
            $0.stringField(2, version)
        }
    }
}
