public import OrielClient
public import OrielTelemetry

extension Oriel {
    /// An answer to a scrape, always of status 200.
    public struct Exposition: Sendable {
        /// The value of the `Content-Type` header.
        public var contentType: String
        /// The text, in UTF-8.
        public var body: [UInt8]
    }

    /// What a scrape endpoint answers with: the metrics of `registry` in the format that the request's `Accept` header likes best.
    ///
    /// Any HTTP server can serve it. With Hummingbird the handler is
    ///
    /// ```swift
    /// router.get("metrics") { request, _ in
    ///     let metrics = Oriel.exposition(of: registry, accept: request.headers[values: .accept].joined(separator: ","))
    ///     return Response(status: .ok, headers: [.contentType: metrics.contentType], body: .init(byteBuffer: ByteBuffer(bytes: metrics.body)))
    /// }
    /// ```
    ///
    /// and a process without a server has `PrometheusListener` of `OrielExporterPrometheus`.
    ///
    /// Complexity: linear in the number of series and buckets, some 0.5 µs for a line.
    /// - Parameters:
    ///   - resource: what `target_info` tells of the process; without attributes there is no such metric.
    ///   - accept: all `Accept` headers of the request, joined by commas; `nil` for none.
    public static func exposition(of registry: MetricRegistry, resource: Resource = Resource(), accept: String?) -> Exposition {
        let format = ExpositionFormat(accept: accept)
        var body: [UInt8] = []
        var snapshot = registry.snapshot()
        snapshot.addTargetInfo(of: resource)
        format.write(snapshot, to: &body)
        return Exposition(contentType: format.contentType, body: body)
    }

    /// The metrics of `registry` in Prometheus' text format 0.0.4.
    ///
    /// - Parameter resource: what `target_info` tells of the process; without attributes there is no such metric.
    public static func prometheusText(_ registry: MetricRegistry, resource: Resource = Resource()) -> String {
        String(decoding: exposition(of: registry, resource: resource, accept: nil).body, as: UTF8.self)
    }
}
