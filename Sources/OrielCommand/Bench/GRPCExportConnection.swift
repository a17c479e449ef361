import OrielCompression
import OrielOTLP
import OrielTelemetry

/// OTLP/gRPC: unary calls over HTTP/2 without TLS.
struct GRPCExportConnection: ExportConnection, ~Copyable {
    private var connection: HTTP2ClientConnection
    private let signal: LoadRun.Signal
    private let head: [UInt8]
    private let isCompressed: Bool

    init(_ endpoint: LoadEndpoint, signal: LoadRun.Signal, compression: ContentEncoding) throws(LoadError) {
        let head = try Self.head(endpoint, signal, compression)
        connection = try HTTP2ClientConnection(endpoint)
        self.signal = signal
        self.head = head
        isCompressed = compression != .identity
    }

    private static func head(_ endpoint: LoadEndpoint, _ signal: LoadRun.Signal, _ compression: ContentEncoding) throws(LoadError) -> [UInt8] {
        var fields = [
            (":method", "POST"), (":scheme", "http"), (":path", signal.method), (":authority", endpoint.authority), ("te", "trailers"),
            ("content-type", "application/grpc"), ("user-agent", "oriel-bench"),
        ]
        if compression != .identity { fields.append(("grpc-encoding", compression.rawValue)) }
        return try HTTP2ClientConnection.encode(fields)
    }

    mutating func export(_ body: [UInt8]) throws(LoadError) -> ExportAnswer {
        guard let length = UInt32(exactly: body.count) else { throw LoadError("a gRPC message has less than 4 GiB") }
        // A message is preceded by whether it is compressed and by its length.
        var prefix: [UInt8] = [isCompressed ? 1 : 0]
        for shift: UInt32 in [24, 16, 8, 0] { prefix.append(UInt8(truncatingIfNeeded: length >> shift)) }
        guard let response = try connection.send(head: head, prefix: prefix, body: body) else { return .busy(retryAfter: 0) }
        guard response.value(of: ":status") == "200" else {
            throw LoadError("the server does not speak gRPC: it answered \(response.value(of: ":status") ?? "without a status")")
        }
        guard let text = response.value(of: "grpc-status"), let code = Int32(text) else { throw LoadError("the server sent no grpc-status") }
        if code == RPCStatus.Code.ok.rawValue {
            guard response.body.count >= 5, response.body[0] == 0 else { throw LoadError("the server sent no gRPC message") }
            return .accepted(rejectedRows: signal.rejectedRows(Array(response.body[5...])))
        }
        let delay = Self.retryDelay(response.value(of: "grpc-status-details-bin"))
        // OTLP: exhausted resources are worth another try only when the server says when.
        if code == RPCStatus.Code.unavailable.rawValue || (code == RPCStatus.Code.resourceExhausted.rawValue && delay != nil) {
            return .busy(retryAfter: delay ?? 1)
        }
        return .refused("gRPC status \(code): \(response.value(of: "grpc-message")?.prefix(400) ?? "")")
    }

    /// The seconds of `RetryInfo` in the details of a status.
    private static func retryDelay(_ details: String?) -> Double? {
        guard let details, let bytes = Base64.decode(Array(details.utf8).span) else { return nil }
        do {
            return try RPCStatus(bytes.span, format: .protobuf).retryDelay.map { Double($0) / 1e9 }
        } catch {
            // The code alone decides when its details cannot be read.
            return nil
        }
    }
}

extension LoadRun.Signal {
    /// The path of the gRPC method.
    fileprivate var method: String {
        switch self {
        case .spans: "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
        case .logs: "/opentelemetry.proto.collector.logs.v1.LogsService/Export"
        case .samples: "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"
        }
    }
}
