import OrielTelemetry

/// The trace header of AWS X-Ray: `Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1`.
///
/// A function finds it in its environment or in its event's attributes, a service in the requests of a load balancer.
enum XRayHeader {
    static let header = "x-amzn-trace-id"

    /// Its fields may come in any order; unknown ones are passed over. Without a parent it is no context.
    static func read(_ header: String) -> Oriel.SpanContext? {
        var trace: TraceID?
        var span: SpanID?
        var decision: Bool?
        for part in Array(header.utf8).split(separator: UInt8(ascii: ";")) {
            let field = part.trimmingBlanks()
            if let value = field.value(of: "Root=") {
                guard let id = root(value) else { return nil }
                trace = id
            } else if let value = field.value(of: "Parent=") {
                guard value.count == 16, let id = UInt64(hexadecimal: value), id != 0 else { return nil }
                span = SpanID(rawValue: id)
            } else if let value = field.value(of: "Sampled=") {
                decision = value.elementsEqual("1".utf8) ? true : value.elementsEqual("0".utf8) ? false : nil
            }
        }
        guard let trace, let span else { return nil }
        var context = Oriel.SpanContext(traceID: trace, spanID: span, flags: decision == true ? 1 : 0, isRemote: true)
        context.isSamplingDeferred = decision == nil
        return context
    }

    /// `1-` eight digits `-` 24 digits.
    private static func root(_ text: ArraySlice<UInt8>) -> TraceID? {
        let parts = text.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].elementsEqual("1".utf8), parts[1].count == 8, parts[2].count == 24 else { return nil }
        guard
            let seconds = UInt64(hexadecimal: parts[1]), let middle = UInt64(hexadecimal: parts[2].prefix(8)),
            let low = UInt64(hexadecimal: parts[2].suffix(16))
        else { return nil }
        let id = TraceID(high: seconds << 32 | middle, low: low)
        return id.isZero ? nil : id
    }

    static func text(_ context: Oriel.SpanContext) -> String {
        let trace = context.traceID.hexadecimal
        var text = "Root=1-\(trace.prefix(8))-\(trace.dropFirst(8));Parent=\(context.spanID.hexadecimal)"
        if !context.isSamplingDeferred { text += context.isSampled ? ";Sampled=1" : ";Sampled=0" }
        return text
    }
}

extension ArraySlice<UInt8> {
    /// What follows a field's name, if it is that field.
    fileprivate func value(of name: String) -> ArraySlice<UInt8>? {
        starts(with: name.utf8) ? dropFirst(name.utf8.count) : nil
    }
}
