import Dispatch
import OrielOTLP
import OrielTelemetry

/// Sends the shop's past over the network as OTLP/HTTP protobuf, service by service as the client library does.
struct DemoExporter: Sendable {
    /// The scope that the client library says its spans are of.
    private static let spanScope = InstrumentationScope(name: "oriel-swift")

    let endpoint: LoadEndpoint
    private let queue = DispatchQueue(label: "demo exporter")

    init(endpoint: LoadEndpoint) {
        self.endpoint = endpoint
    }

    /// Sends the spans and log records of finished traces; returns when the collector has them on disk.
    func export(_ traces: [DemoTrace]) async throws(LoadError) {
        var spans: [DemoService: [OTLPSpan]] = [:]
        var logs: [DemoService: [OTLPLogRecord]] = [:]
        for trace in traces {
            for (service, span) in trace.spans { spans[service, default: []].append(span) }
            for (service, record) in trace.logs { logs[service, default: []].append(record) }
        }
        if !spans.isEmpty {
            let groups = spans.map { OTLPScopeGroup(resource: $0.key.resource, scope: Self.spanScope, rows: $0.value) }
            try await post("/v1/traces", OTLPEncoder.traces(groups))
        }
        if !logs.isEmpty {
            let groups = logs.map { OTLPScopeGroup(resource: $0.key.resource, scope: InstrumentationScope(name: $0.key.loggerLabel), rows: $0.value) }
            try await post("/v1/logs", OTLPEncoder.logs(groups))
        }
    }

    /// Sends points of metrics.
    func export(_ metrics: [OTLPScopeGroup<OTLPMetric>]) async throws(LoadError) {
        try await post("/v1/metrics", OTLPEncoder.metrics(metrics))
    }

    private func post(_ path: String, _ body: [UInt8]) async throws(LoadError) {
        let endpoint = endpoint
        let result: Result<Void, LoadError> = await withCheckedContinuation { continuation in
            // The sockets block, so they have a thread of their own.
            queue.async {
                continuation.resume(
                    returning: Result { () throws(LoadError) in
                        var connection = try BlockingHTTPConnection(endpoint)
                        let response = try connection.send(
                            method: "POST", path: path, headers: [("content-type", "application/x-protobuf")], body: body)
                        guard response.status == 200 else {
                            throw LoadError("the collector answered \(response.status): \(String(decoding: response.body.prefix(200), as: UTF8.self))")
                        }
                    })
            }
        }
        try result.get()
    }
}
