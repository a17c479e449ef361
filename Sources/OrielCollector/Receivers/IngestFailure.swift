import HTTPTypes
import OrielOTLP
import OrielStore

/// Why a request with telemetry was not taken, before it gets the shape of its protocol.
enum IngestFailure: Error, Sendable {
    /// Inflated it exceeds the limit.
    case tooLarge(limit: Int)
    /// The compression or its name is not supported.
    case unsupportedEncoding(String)
    /// The content type is not one of those that are taken.
    case unsupportedMediaType(String)
    /// It cannot be inflated or decoded.
    case malformed(String)
    /// Nothing is wrong with the request; it may be sent again after a moment.
    case overloaded(String, retryAfterSeconds: Int)
    /// Something failed here.
    case failed(String)

    init(_ error: StoreError) {
        switch error {
        case .overloaded(let seconds): self = .overloaded("\(error)", retryAfterSeconds: max(1, seconds))
        case .diskFull(_, _, let seconds): self = .overloaded("\(error)", retryAfterSeconds: max(1, seconds))
        case .readOnly: self = .overloaded("\(error)", retryAfterSeconds: 30)
        case .closed: self = .overloaded("the server is shutting down", retryAfterSeconds: 5)
        default: self = .failed("\(error)")
        }
    }

    static let budgetSpent = IngestFailure.overloaded(
        "the server is busy: its admission budget for requests in progress is spent", retryAfterSeconds: 1)

    var message: String {
        switch self {
        case .tooLarge(let limit): "the request exceeds the limit of \(limit) bytes after decompression; send smaller batches"
        case .unsupportedEncoding(let message), .unsupportedMediaType(let message), .malformed(let message), .failed(let message): message
        case .overloaded(let message, _): message
        }
    }

    var status: HTTPResponse.Status {
        switch self {
        case .tooLarge: .contentTooLarge
        case .unsupportedEncoding, .unsupportedMediaType: .unsupportedMediaType
        case .malformed: .badRequest
        case .overloaded: .serviceUnavailable
        case .failed: .internalServerError
        }
    }

    /// The same as a gRPC status; only UNAVAILABLE asks the client to come back.
    var grpcStatus: GRPCStatus {
        switch self {
        case .tooLarge: GRPCStatus(.resourceExhausted, message)
        case .unsupportedEncoding: GRPCStatus(.unimplemented, message)
        case .unsupportedMediaType, .malformed: GRPCStatus(.invalidArgument, message)
        case .overloaded(_, let seconds): GRPCStatus(.unavailable, message, retryDelaySeconds: seconds)
        case .failed: GRPCStatus(.internalError, message)
        }
    }
}
