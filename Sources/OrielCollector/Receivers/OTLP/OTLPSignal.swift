import OrielOTLP

/// The three requests of OTLP, and the names that each has on the wire.
enum OTLPSignal: String, Sendable, CaseIterable {
    case traces
    case metrics
    case logs

    /// The path of the HTTP route.
    var path: String { "/v1/\(rawValue)" }

    /// The gRPC service.
    var service: String {
        switch self {
        case .traces: "opentelemetry.proto.collector.trace.v1.TraceService"
        case .metrics: "opentelemetry.proto.collector.metrics.v1.MetricsService"
        case .logs: "opentelemetry.proto.collector.logs.v1.LogsService"
        }
    }

    /// The reply's message.
    var response: OTLPExportResponse.Service {
        switch self {
        case .traces: .traces
        case .metrics: .metrics
        case .logs: .logs
        }
    }
}
