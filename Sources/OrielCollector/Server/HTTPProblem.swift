import HTTPTypes
import Hummingbird
import NIOCore

/// An error with its HTTP answer: a status and one plain sentence.
///
/// Thrown by a route handler or middleware it becomes a `text/plain` response. Surfaces with their own error shape (OTLP, the
/// Prometheus API, …) catch what they know and answer in it.
struct HTTPProblem: HTTPResponseError {
    var status: HTTPResponse.Status
    var message: String
    var headers: HTTPFields

    init(_ status: HTTPResponse.Status, _ message: String, headers: HTTPFields = [:]) {
        self.status = status
        self.message = message
        self.headers = headers
    }

    func response(from request: Request, context: some RequestContext) -> Response { response() }

    func response() -> Response {
        var headers = headers
        headers[.contentType] = "text/plain; charset=utf-8"
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(string: message + "\n")))
    }
}

extension HTTPProblem {
    /// The server is over its admission budget; the client may retry after a moment.
    static var overloaded: HTTPProblem {
        HTTPProblem(
            .serviceUnavailable,
            "the server is busy: its admission budget for requests in progress is spent; retry after a second",
            headers: [.retryAfter: "1"]
        )
    }

    static func bodyTooLarge(limit: Int) -> HTTPProblem {
        HTTPProblem(.contentTooLarge, "the request body exceeds the limit of \(limit) bytes; send smaller batches")
    }
}
