/// A connection that export requests are sent over, one after another.
protocol ExportConnection: ~Copyable {
    /// Sends an encoded request, compressed as the connection was told, and waits for the answer.
    ///
    /// - Throws: ``LoadError`` when the connection breaks or the server does not speak the protocol.
    mutating func export(_ body: [UInt8]) throws(LoadError) -> ExportAnswer
}

/// How an export request was answered.
enum ExportAnswer: Equatable {
    /// Taken in, but for so many rows.
    case accepted(rejectedRows: Int)
    /// Nothing was taken in; to be sent again after so many seconds.
    case busy(retryAfter: Double)
    /// Refused for good, with the server's words.
    case refused(String)
}

/// What OTLP is carried by.
enum ExportProtocol: String, CaseIterable, Sendable {
    case http
    case grpc
}
