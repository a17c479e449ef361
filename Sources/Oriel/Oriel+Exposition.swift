public import OrielClient

extension Oriel {
    /// An answer to a scrape.
    public struct Exposition: Sendable {
        /// The value of the `Content-Type` header.
        public var contentType: String
        public var body: [UInt8]
    }

    /// What a scrape endpoint answers with: the metrics of `registry` in the format that the request's `Accept` header likes best.
    public static func exposition(of registry: MetricRegistry, accept: String?) -> Exposition {
        let format = ExpositionFormat(accept: accept)
        var body: [UInt8] = []
        format.write(registry.snapshot(), to: &body)
        return Exposition(contentType: format.contentType, body: body)
    }

    /// The metrics of `registry` in Prometheus' text format 0.0.4.
    public static func prometheusText(_ registry: MetricRegistry) -> String {
        String(decoding: exposition(of: registry, accept: nil).body, as: UTF8.self)
    }
}
