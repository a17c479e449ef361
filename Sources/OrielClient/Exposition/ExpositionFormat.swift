/// A text format that metrics can be scraped in.
public enum ExpositionFormat: Sendable, Hashable, CaseIterable {
    /// Prometheus' text format, version 0.0.4.
    case prometheusText
    /// OpenMetrics, version 1.0.0.
    case openMetrics
    /// OpenMetrics, version 0.0.1: the same text under the number that older scrapers ask for.
    case openMetrics001

    /// The value of the `Content-Type` header.
    public var contentType: String {
        switch self {
        case .prometheusText: "text/plain; version=0.0.4; charset=utf-8"
        case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
        case .openMetrics001: "application/openmetrics-text; version=0.0.1; charset=utf-8"
        }
    }

    /// The format that an `Accept` header likes best: the acceptable one with the highest `q`, among equals the one that is listed first.
    /// Versions that are not written here are passed over, and without a match (or header) the answer is ``prometheusText``, never a
    /// refusal.
    ///
    /// All names are valid without escaping, so the parameter `escaping` changes nothing.
    public init(accept: String?) {
        self = .prometheusText
        var best = 0.0
        // A scraper sends some 300 bytes; what is beyond a hundred times that is not read.
        for range in (accept ?? "").prefix(32_768).split(separator: ",") {
            var parameters = range.split(separator: ";", omittingEmptySubsequences: false)[...].map { Self.trimmed($0) }
            let mediaType = parameters.removeFirst().lowercased()
            var version: String?
            var quality = 1.0
            for parameter in parameters {
                let parts = parameter.split(separator: "=", maxSplits: 1)
                guard parts.count == 2 else { continue }
                let value = Self.trimmed(parts[1])
                switch Self.trimmed(parts[0]).lowercased() {
                case "q": quality = Double(value).map { min(max($0, 0), 1) } ?? 0
                case "version": version = value
                default: break
                }
            }
            if quality > best, let format = Self.format(mediaType, version: version) {
                best = quality
                self = format
            }
        }
    }

    private static func format(_ mediaType: String, version: String?) -> ExpositionFormat? {
        switch (mediaType, version) {
        case ("application/openmetrics-text", "1.0.0"): .openMetrics
        case ("application/openmetrics-text", nil), ("application/openmetrics-text", "0.0.1"): .openMetrics001
        case ("text/plain", nil), ("text/plain", "0.0.4"), ("text/*", _), ("*/*", _): .prometheusText
        default: nil
        }
    }

    private static func trimmed(_ text: Substring) -> String {
        let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" || $0 == "\"" }
        guard let first = text.firstIndex(where: { !isBlank($0) }), let last = text.lastIndex(where: { !isBlank($0) }) else { return "" }
        return String(text[first...last])
    }

    /// Appends a whole exposition in this format to `output`.
    public func write(_ snapshot: MetricSnapshot, to output: inout [UInt8]) {
        switch self {
        case .prometheusText: PrometheusTextWriter.write(snapshot, to: &output)
        case .openMetrics, .openMetrics001: OpenMetricsWriter().write(snapshot, to: &output)
        }
    }
}
