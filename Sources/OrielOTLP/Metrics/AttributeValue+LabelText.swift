import OrielTelemetry

extension AttributeValue {
    /// The value as a label's value: text as it is, numbers in decimal, bytes in base64, arrays and maps as JSON, an empty value as
    /// nothing.
    var labelText: String {
        switch self {
        case .empty: return ""
        case .string(let text): return text
        case .bool(let flag): return flag ? "true" : "false"
        case .int(let number): return String(number)
        case .double(let number):
            let magnitude = abs(number)
            let isPlain = magnitude == 0 || (magnitude >= 1e-6 && magnitude < 1e21)
            return isPlain ? number.plainDecimal : number.labelText
        case .bytes(let bytes):
            var text: [UInt8] = []
            Base64.append(bytes.span, to: &text)
            return String(decoding: text, as: UTF8.self)
        case .array, .map:
            var writer = JSONWriter()
            writer.value(self)
            return writer.text
        }
    }
}

extension Double {
    /// The shortest decimal digits that read back as this value, never with an exponent: how Prometheus writes `le` and `quantile` of OTLP
    /// metrics (`1`, `0.005`, `+Inf`).
    package var plainDecimal: String {
        guard isFinite else { return labelText }
        var text = description
        if text.hasSuffix(".0") { text.removeLast(2) }
        guard let exponentMark = text.firstIndex(of: "e"), let exponent = Int(text[text.index(after: exponentMark)...]) else { return text }
        let isNegative = text.hasPrefix("-")
        let mantissa = text[(isNegative ? text.index(after: text.startIndex) : text.startIndex)..<exponentMark]
        var digits = mantissa.filter { $0 != "." }
        // Where the point stands among the digits.
        let point = (mantissa.firstIndex(of: ".").map { mantissa.distance(from: mantissa.startIndex, to: $0) } ?? mantissa.count) + exponent
        if point <= 0 {
            digits = "0." + String(repeating: "0", count: -point) + digits
        } else if point >= digits.count {
            digits += String(repeating: "0", count: point - digits.count)
        } else {
            digits.insert(".", at: digits.index(digits.startIndex, offsetBy: point))
        }
        return (isNegative ? "-" : "") + digits
    }

    fileprivate var labelText: String {
        if isNaN { return "NaN" }
        if isInfinite { return self < 0 ? "-Inf" : "+Inf" }
        var text = description
        if text.hasSuffix(".0") { text.removeLast(2) }
        return text
    }
}
