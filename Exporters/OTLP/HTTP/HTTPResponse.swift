/// An answer, with what matters of its head.
struct HTTPResponse: Hashable, Sendable {
    var status = 0
    /// What the status line says beside the number.
    var phrase = ""
    /// Lower case, without parameters.
    var contentType = ""
    var retryAfter: String?
    var date: String?
    var location: String?
    /// The first bytes of the body, ``HTTPResponseParser/bodyLimit`` at most.
    var body: [UInt8] = []
    /// Whether another request may follow on the connection.
    var keepsAlive = true
}
