/// A list as `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_EXPORTER_OTLP_HEADERS` hold it: `key=value,key=value`, percent-encoded, as in a W3C `baggage` header without properties.
enum KeyValueList {
    /// The pairs in their order; `nil` when one of them is none.
    static func read(_ text: String) -> [(key: String, value: String)]? {
        var pairs: [(key: String, value: String)] = []
        for part in text.split(separator: ",") {
            let part = String(part).trimmingBlanks
            guard !part.isEmpty else { continue }
            guard let separator = part.firstIndex(of: "="),
                let key = String(part[..<separator]).trimmingBlanks.percentDecoded, !key.isEmpty,
                let value = String(part[part.index(after: separator)...]).trimmingBlanks.percentDecoded
            else { return nil }
            pairs.append((key, value))
        }
        return pairs
    }
}
