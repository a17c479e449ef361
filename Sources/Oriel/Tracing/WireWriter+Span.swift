import OrielTelemetry
import Tracing

extension WireWriter {
    /// Bits of OTLP `SpanFlags` that tell of the parent's, or the link's, context: it is known where it came from, and it came from another process.
    private static let hasOrigin: UInt32 = 0x100
    private static let isRemote: UInt32 = 0x200
    /// The bytes of the fields that have a fixed length.
    private static let headSize = 18 + 10 + 10 + 2 + 9 + 9 + 6
    /// Bytes of texts from which on they are written apart from those.
    private static let longTexts = 512

    /// The fields of an OTLP `Span`; those of a fixed length come first.
    mutating func span(_ recording: SpanRecording, _ state: SpanRecording.State, _ limits: Oriel.SpanLimits) {
        let context = recording.context
        let name = state.operationName.limited(to: limits.nameLength)
        let textSize = name.utf8.count + context.traceState.utf8.count
        let isShort = textSize <= Self.longTexts
        shortFields(Self.headSize + (isShort ? textSize + 8 : 0)) { fields in
            fields.traceIDField(1, context.traceID)
            fields.spanIDField(2, context.spanID)
            if let parent = recording.parent { fields.spanIDField(4, parent.spanID) }
            fields.tag(6, .varint)
            fields.raw(recording.kind.number)
            fields.fixed64Field(7, UInt64(clamping: recording.start.time))
            fields.fixed64Field(8, UInt64(clamping: state.end ?? recording.start.time))
            // The tag of field 16 takes two bytes.
            fields.varint(16 << 3 | UInt64(WireReader.WireType.fixed32.rawValue))
            fields.raw((UInt32(context.flags) | Self.origin(recording.parent?.isRemote)).littleEndian)
            guard isShort else { return }
            if !context.traceState.isEmpty { fields.stringField(3, context.traceState) }
            fields.stringField(5, name)
        }
        if !isShort {
            if !context.traceState.isEmpty { stringField(3, context.traceState) }
            stringField(5, name)
        }
        state.attributes.forEach { attribute(9, $0, $1, limits.attributeValueLength) }
        if let location = recording.location { sourceLocation(location, state.attributes) }
        if state.droppedAttributes > 0 { varintField(10, UInt64(state.droppedAttributes)) }
        for event in state.events { messageField(11) { $0.event(event, limits) } }
        if state.droppedEvents > 0 { varintField(12, UInt64(state.droppedEvents)) }
        for link in state.links { messageField(13) { $0.link(link, limits) } }
        if state.droppedLinks > 0 { varintField(14, UInt64(state.droppedLinks)) }
        if let status = state.status {
            messageField(15) { writer in
                // Only an error has a description.
                if status.code == .error, let message = status.message, !message.isEmpty { writer.stringField(2, message) }
                writer.varintField(3, status.code == .ok ? 1 : 2)
            }
        }
    }

    private mutating func event(_ event: SpanEvent, _ limits: Oriel.SpanLimits) {
        fixed64Field(1, min(event.nanosecondsSinceEpoch, UInt64(Int64.max)))
        stringField(2, event.name.limited(to: limits.nameLength))
        let dropped = attributes(3, event.attributes, limits.attributesPerEvent, limits)
        if dropped > 0 { varintField(4, dropped) }
    }

    private mutating func link(_ link: SpanRecording.Link, _ limits: Oriel.SpanLimits) {
        let context = link.context
        traceIDField(1, context.traceID)
        spanIDField(2, context.spanID)
        if !context.traceState.isEmpty { stringField(3, context.traceState) }
        let dropped = attributes(4, link.attributes, limits.attributesPerLink, limits)
        if dropped > 0 { varintField(5, dropped) }
        fixed32Field(6, UInt32(context.flags) | Self.origin(context.isRemote))
    }

    /// - Parameter isRemote: whether the context came from another process; `nil` when there is none.
    private static func origin(_ isRemote: Bool?) -> UInt32 {
        guard let isRemote else { return 0 }
        return isRemote ? hasOrigin | Self.isRemote : hasOrigin
    }

    /// - Parameter count: of attributes that there is room for.
    /// - Returns: how many there was no room for.
    private mutating func attributes(_ number: UInt8, _ attributes: SpanAttributes, _ count: Int, _ limits: Oriel.SpanLimits) -> UInt64 {
        var room = max(count, 0)
        var dropped: UInt64 = 0
        attributes.forEach { key, value in
            if room > 0 { attribute(number, key, value, limits.attributeValueLength) } else { dropped += 1 }
            room -= 1
        }
        return dropped
    }

    /// What the user set under the same name stays.
    private mutating func sourceLocation(_ location: SourceLocation, _ attributes: SpanAttributes) {
        if attributes.get("code.function.name") == nil { attribute(9, "code.function.name", .string(location.function), nil) }
        if attributes.get("code.file.path") == nil { attribute(9, "code.file.path", .string(location.file), nil) }
        if attributes.get("code.line.number") == nil { attribute(9, "code.line.number", .int64(Int64(clamping: location.line)), nil) }
    }
}

extension SpanKind {
    /// OTLP `SpanKind`.
    fileprivate var number: UInt8 {
        switch self {
        case .internal: 1
        case .server: 2
        case .client: 3
        case .producer: 4
        case .consumer: 5
        }
    }
}
