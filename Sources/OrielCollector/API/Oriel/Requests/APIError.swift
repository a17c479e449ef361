public import OrielStore
import OrielTelemetry

/// An answer that is an error: a status, what was wrong and what would be right.
public struct APIError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The HTTP status code.
    public var status: Int
    public var message: String
    /// The query parameter at fault, if one is.
    public var parameter: String?
    /// When a retry may succeed.
    public var retryAfterSeconds: Int?

    public init(status: Int, _ message: String, parameter: String? = nil, retryAfterSeconds: Int? = nil) {
        self.status = status
        self.message = message
        self.parameter = parameter
        self.retryAfterSeconds = retryAfterSeconds
    }

    /// A parameter whose value cannot be used.
    static func invalid(_ parameter: String, _ value: String, expected: String) -> APIError {
        APIError(status: 400, "\(parameter)=\(value.prefix(200)) cannot be used: expected \(expected)", parameter: parameter)
    }

    /// What a store could not do.
    public init(_ error: StoreError) {
        switch error {
        case .overloaded(let seconds), .diskFull(_, _, let seconds):
            self.init(status: 503, error.description, retryAfterSeconds: seconds)
        case .closed: self.init(status: 503, "the server is stopping; retry in a moment", retryAfterSeconds: 2)
        case .cancelled: self.init(status: 503, "the request was cancelled")
        case .deadlineExceeded: self.init(status: 503, error.description)
        case .memoryBudgetExceeded, .tooManyGroups: self.init(status: 422, error.description)
        case .unsupported: self.init(status: 501, error.description)
        case .invalidPosition: self.init(status: 400, error.description, parameter: "cursor")
        case .readOnly, .locked, .noStore, .newerFormat, .unusable, .damaged, .malformedBatch: self.init(status: 500, error.description)
        }
    }

    public var description: String { message }
}

extension APIError {
    /// `{"error":{"message":…,"parameter":…}}`.
    var body: [UInt8] {
        var writer = JSONWriter()
        write(to: &writer)
        return writer.bytes
    }

    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.key("error")
            writer.object { writer in
                writer.key("message")
                writer.string(message)
                if let parameter {
                    writer.key("parameter")
                    writer.string(parameter)
                }
            }
        }
    }
}
