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
        let decision: Decision
        switch parts.count > 2 ? Array(parts[2]) : [] {
        case []: decision = .deferred
        case [UInt8(ascii: "0")]: decision = .drop
        case [UInt8(ascii: "1")]: decision = .record
        case [UInt8(ascii: "d")]: decision = .debug
        default: return nil
        }
        guard parts.count == 2 || !parts[2].isEmpty else { return nil }
        if parts.count == 4, parts[3].count != 16 || UInt64(hexadecimal: parts[3]) == nil { return nil }
        return context(parts[0], parts[1], decision)
    }

    /// The parts of the other form.
    static func read(traceID: String?, spanID: String?, sampled: String?, flags: String?) -> Oriel.SpanContext? {
        guard let traceID, let spanID else { return nil }
        let decision: Decision
        switch sampled?.lowercased() {
        case "1", "true": decision = .record
        case "0", "false": decision = .drop
        default: decision = .deferred
        }
        return context(Array(traceID.utf8)[...].trimmingBlanks(), Array(spanID.utf8)[...].trimmingBlanks(), flags == "1" ? .debug : decision)
    }

    /// What a caller says about recording the trace.
    private enum Decision {
        /// Nothing: it is left to us.
        case deferred
        case drop
        case record
        /// To record it, whatever else is said, and to tell so to whoever is called.
        case debug
    }

    private static func context(_ trace: ArraySlice<UInt8>, _ span: ArraySlice<UInt8>, _ decision: Decision) -> Oriel.SpanContext? {
        let high: UInt64?
        switch trace.count {
        case 16: high = 0
        case 32: high = UInt64(hexadecimal: trace.prefix(16))
        default: return nil
        }
        guard let high, let low = UInt64(hexadecimal: trace.suffix(16)), span.count == 16, let id = UInt64(hexadecimal: span) else { return nil }
        guard high | low != 0, id != 0 else { return nil }
        let flags = decision == .record || decision == .debug ? Oriel.SpanContext.sampledFlag : 0
        var context = Oriel.SpanContext(traceID: TraceID(high: high, low: low), spanID: SpanID(rawValue: id), flags: flags, isRemote: true)
        context.isSamplingDeferred = decision == .deferred
        context.isDebug = decision == .debug
        return context
    }

    static func text(_ context: Oriel.SpanContext) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(51)
        text.append(context.traceID)
        text.append(UInt8(ascii: "-"))
        text.append(context.spanID)
        if context.isDebug {
            text.append(contentsOf: "-d".utf8)
        } else if !context.isSamplingDeferred {
            text.append(contentsOf: context.isSampled ? "-1".utf8 : "-0".utf8)
        }
        return String(decoding: text, as: UTF8.self)
    }
}
