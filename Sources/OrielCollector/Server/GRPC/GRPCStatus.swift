import HTTPTypes
import Hummingbird
import OrielOTLP
import OrielTelemetry

/// How a gRPC call ended, thrown by a method that did not succeed.
struct GRPCStatus: Error, Sendable, Equatable {
    typealias Code = RPCStatus.Code

    var code: Code
    var message: String
    /// When the caller may try again, sent as `google.rpc.RetryInfo`.
    var retryDelaySeconds: Int?

    init(_ code: Code, _ message: String, retryDelaySeconds: Int? = nil) {
        self.code = code
        self.message = message
        self.retryDelaySeconds = retryDelaySeconds
    }

    /// The gRPC form of an HTTP refusal.
    init(refusal problem: HTTPProblem) {
        switch problem.status.code {
        case 400: self.init(.invalidArgument, problem.message)
        case 401: self.init(.unauthenticated, problem.message)
        case 413: self.init(.resourceExhausted, problem.message)
        case 429: self.init(.resourceExhausted, problem.message, retryDelaySeconds: problem.headers[.retryAfter].flatMap { Int($0) } ?? 1)
        case 503: self.init(.unavailable, problem.message, retryDelaySeconds: 1)
        case 403, 421: self.init(.permissionDenied, problem.message)
        case 408: self.init(.deadlineExceeded, problem.message)
        default: self.init(.internalError, problem.message)
        }
    }

    /// The same as the message that OTLP/HTTP sends.
    var rpcStatus: RPCStatus {
        RPCStatus(code, message, retryDelay: retryDelaySeconds.map { Int64($0) * 1_000_000_000 })
    }

    /// The trailers that carry the status.
    var trailers: HTTPFields {
        var trailers = HTTPFields()
        trailers[.grpcStatus] = String(code.rawValue)
        if !message.isEmpty { trailers[.grpcMessage] = Self.percentEncode(message) }
        if retryDelaySeconds != nil {
            var digits: [UInt8] = []
            Base64.append(rpcStatus.encoded(.protobuf).span, to: &digits)
            // Binary metadata is sent without padding.
            while digits.last == UInt8(ascii: "=") { digits.removeLast() }
            trailers[.grpcStatusDetails] = String(decoding: digits, as: UTF8.self)
        }
        return trailers
    }

    /// A whole response that carries nothing but the status.
    func response() -> Response {
        let trailers = trailers
        return Response(
            status: .ok, headers: [.contentType: "application/grpc"],
            body: ResponseBody { writer in try await writer.finish(trailers) })
    }

    /// `grpc-message` holds printable ASCII; other bytes and `%` are written as %XX of their UTF-8.
    static func percentEncode(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            if (0x20...0x7E).contains(byte), byte != UInt8(ascii: "%") {
                bytes.append(byte)
            } else {
                bytes.append(UInt8(ascii: "%"))
                bytes.append(digits[Int(byte >> 4)])
                bytes.append(digits[Int(byte & 15)])
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension HTTPField.Name {
    static let grpcStatus = HTTPField.Name(known: "grpc-status")
    static let grpcMessage = HTTPField.Name(known: "grpc-message")
    static let grpcStatusDetails = HTTPField.Name(known: "grpc-status-details-bin")
    static let grpcEncoding = HTTPField.Name(known: "grpc-encoding")
    static let grpcAcceptEncoding = HTTPField.Name(known: "grpc-accept-encoding")
    static let grpcTimeout = HTTPField.Name(known: "grpc-timeout")

    /// A name that is a token for certain, being written in this source.
    init(known name: String) {
        guard let field = HTTPField.Name(name) else { preconditionFailure("\(name) is no header field name") }
        self = field
    }
}
