import OrielCompression
import OrielOTLP

/// OTLP/HTTP with protobuf bodies.
struct HTTPExportConnection: ExportConnection, ~Copyable {
    private var connection: BlockingHTTPConnection
    private let signal: LoadRun.Signal
    private let headers: [(String, String)]

    init(_ endpoint: LoadEndpoint, signal: LoadRun.Signal, compression: ContentEncoding) throws(LoadError) {
        connection = try BlockingHTTPConnection(endpoint)
        self.signal = signal
        var headers = [("content-type", "application/x-protobuf")]
        if compression != .identity { headers.append(("content-encoding", compression.rawValue)) }
        self.headers = headers
    }

    mutating func export(_ body: [UInt8]) throws(LoadError) -> ExportAnswer {
        let response = try connection.send(method: "POST", path: signal.path, headers: headers, body: body)
        switch response.status {
        case 200: return .accepted(rejectedRows: signal.rejectedRows(response.body))
        case 429, 503: return .busy(retryAfter: Double(response.retryAfter ?? 1))
        default: return .refused("\(response.status): \(String(decoding: response.body.prefix(400), as: UTF8.self))")
        }
    }
}

extension LoadRun.Signal {
    private var service: OTLPExportResponse.Service {
        switch self {
        case .spans: .traces
        case .logs: .logs
        case .samples: .metrics
        }
    }

    /// How many rows the `partial_success` of an export response rejects.
    func rejectedRows(_ body: [UInt8]) -> Int {
        let bytes = body.span
        do {
            return Int(clamping: try OTLPExportResponse(bytes, service: service, format: .protobuf).rejectedCount)
        } catch {
            // An answer that is no export response accepts nothing that could be relied on.
            return Int.max
        }
    }
}
