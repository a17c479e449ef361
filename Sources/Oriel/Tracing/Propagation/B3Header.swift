import OrielTelemetry

/// Zipkin's B3 headers: one header `b3`, or one for each part.
enum B3Header {
    static let single = "b3"
    static let traceID = "x-b3-traceid"
    static let spanID = "x-b3-spanid"
    static let sampled = "x-b3-sampled"
    static let flags = "x-b3-flags"

    /// `trace-span`, `trace-span-sampled` or `trace-span-sampled-parent`. A decision without ids (`b3: 0`) is no context.
    static func read(_ header: String) -> Oriel.SpanContext? {
        let parts = Array(header.utf8)[...].trimmingBlanks().split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard (2...4).contains(parts.count) else { return nil }
        let decision: Bool?
        switch parts.count > 2 ? Array(parts[2]) : [] {
        case []: decision = nil
        case [UInt8(ascii: "0")]: decision = false
        case [UInt8(ascii: "1")], [UInt8(ascii: "d")]: decision = true
        default: return nil
        }
        guard parts.count == 2 || !parts[2].isEmpty else { return nil }
        if parts.count == 4, parts[3].count != 16 || UInt64(hexadecimal: parts[3]) == nil { return nil }
        return context(parts[0], parts[1], decision)
    }

    /// The parts of the other form.
    static func read(traceID: String?, spanID: String?, sampled: String?, flags: String?) -> Oriel.SpanContext? {
        guard let traceID, let spanID else { return nil }
        let decision: Bool?
        switch sampled?.lowercased() {
        case "1", "true": decision = true
        case "0", "false": decision = false
        default: decision = nil
        }
        // Debug means: record, whatever else is said.
        return context(Array(traceID.utf8)[...].trimmingBlanks(), Array(spanID.utf8)[...].trimmingBlanks(), flags == "1" ? true : decision)
    }

    /// - Parameter decision: `nil` when it is left to us.
    private static func context(_ trace: ArraySlice<UInt8>, _ span: ArraySlice<UInt8>, _ decision: Bool?) -> Oriel.SpanContext? {
        let high: UInt64?
        switch trace.count {
        case 16: high = 0
        case 32: high = UInt64(hexadecimal: trace.prefix(16))
        default: return nil
        }
        guard let high, let low = UInt64(hexadecimal: trace.suffix(16)), span.count == 16, let id = UInt64(hexadecimal: span) else { return nil }
        guard high | low != 0, id != 0 else { return nil }
        var context = Oriel.SpanContext(
            traceID: TraceID(high: high, low: low), spanID: SpanID(rawValue: id), flags: decision == true ? 1 : 0, isRemote: true)
        context.isSamplingDeferred = decision == nil
        return context
    }

    static func text(_ context: Oriel.SpanContext) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(51)
        text.append(context.traceID)
        text.append(UInt8(ascii: "-"))
        text.append(context.spanID)
        if !context.isSamplingDeferred { text.append(contentsOf: context.isSampled ? "-1".utf8 : "-0".utf8) }
        return String(decoding: text, as: UTF8.self)
    }
}
