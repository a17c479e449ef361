import OrielTelemetry

/// The W3C headers `traceparent` and `tracestate` (Trace Context, level 2).
enum TraceParent {
    static let header = "traceparent"
    static let stateHeader = "tracestate"
    /// `00-` trace id `-` span id `-` flags.
    private static let length = 55
    /// Sampled, and random trace id; the other bits are to be sent as zero.
    private static let knownFlags: UInt8 = 3

    /// What the headers say; `nil` when `traceparent` is not valid. A `tracestate` that is not valid counts as none.
    static func read(_ parent: String, state: String?) -> Oriel.SpanContext? {
        let text = Array(parent.utf8)[...].trimmingBlanks()
        let start = text.startIndex
        guard text.count >= length, let version = UInt64(lowerHexadecimal: text[start..<(start + 2)]), version != 0xFF else { return nil }
        // Later versions may have more behind another dash.
        guard text.count == length || (version > 0 && text[start + length] == UInt8(ascii: "-")) else { return nil }
        for dash in [2, 35, 52] where text[start + dash] != UInt8(ascii: "-") { return nil }
        guard
            let high = UInt64(lowerHexadecimal: text[(start + 3)..<(start + 19)]), let low = UInt64(lowerHexadecimal: text[(start + 19)..<(start + 35)]),
            let span = UInt64(lowerHexadecimal: text[(start + 36)..<(start + 52)]), let flags = UInt64(lowerHexadecimal: text[(start + 53)..<(start + 55)])
        else { return nil }
        guard high | low != 0, span != 0 else { return nil }
        return Oriel.SpanContext(
            traceID: TraceID(high: high, low: low), spanID: SpanID(rawValue: span), flags: UInt8(truncatingIfNeeded: flags) & knownFlags,
            traceState: state.map(TraceState.canonical) ?? "", isRemote: true)
    }

    static func text(_ context: Oriel.SpanContext) -> String {
        var text = Array("00-".utf8)
        text.reserveCapacity(length)
        text.append(context.traceID)
        text.append(UInt8(ascii: "-"))
        text.append(context.spanID)
        text.append(UInt8(ascii: "-"))
        text.append(UInt8(ascii: "0"))
        text.append(Hexadecimal.digit(context.flags & knownFlags))
        return String(decoding: text, as: UTF8.self)
    }
}
