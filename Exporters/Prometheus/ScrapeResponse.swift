import OrielClient

/// An HTTP answer, as bytes to send.
struct ScrapeResponse {
    enum Status: String, Hashable, Sendable {
        case ok = "200 OK"
        case badRequest = "400 Bad Request"
        case notFound = "404 Not Found"
        case methodNotAllowed = "405 Method Not Allowed"
        case headTooLarge = "431 Request Header Fields Too Large"

        /// What a person who sent the request should know.
        fileprivate var explanation: String {
            switch self {
            case .ok: ""
            case .badRequest: "This is no HTTP/1.1 request. The metrics are at /metrics.\n"
            case .notFound: "There is nothing here. The metrics are at /metrics.\n"
            case .methodNotAllowed: "Metrics are only read: use GET or HEAD.\n"
            case .headTooLarge: "The head of a request has at most \(ScrapeRequest.maximumLength) bytes.\n"
            }
        }
    }

    private(set) var bytes: [UInt8]
    /// Whether the connection goes on after it.
    let keepsAlive: Bool

    /// The answer to a request.
    init(to request: ScrapeRequest, source: ScrapeSource, offersOpenMetrics: Bool) {
        let isKnown = request.path == "/metrics" || request.path == "/"
        if !isKnown {
            self.init(.notFound, request)
        } else if request.method == .other {
            self.init(.methodNotAllowed, request)
        } else if request.path == "/" {
            self.init(.ok, "text/html; charset=utf-8", Array(Self.page.utf8), isHead: request.method == .head, keepsAlive: request.keepsAlive)
        } else {
            let format = offersOpenMetrics ? ExpositionFormat(accept: request.accept) : .prometheusText
            var body: [UInt8] = []
            format.write(source.snapshot(), to: &body)
            self.init(.ok, format.contentType, body, isHead: request.method == .head, keepsAlive: request.keepsAlive)
        }
    }

    /// The answer to what is no request.
    init(refusing status: Status) {
        self.init(status, "text/plain; charset=utf-8", Array(status.explanation.utf8), isHead: false, keepsAlive: false)
    }

    private init(_ status: Status, _ request: ScrapeRequest) {
        self.init(
            status, "text/plain; charset=utf-8", Array(status.explanation.utf8), isHead: request.method == .head, keepsAlive: request.keepsAlive)
    }

    private init(_ status: Status, _ contentType: String, _ body: [UInt8], isHead: Bool, keepsAlive: Bool) {
        var head = "HTTP/1.1 \(status.rawValue)\r\nContent-Type: \(contentType)\r\nContent-Length: \(body.count)\r\nCache-Control: no-store\r\n"
        if status == .methodNotAllowed { head += "Allow: GET, HEAD\r\n" }
        head += keepsAlive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n"
        bytes = Array(head.utf8)
        if !isHead { bytes += body }
        self.keepsAlive = keepsAlive
    }

    private static let page = """
        <!doctype html><html lang="en"><title>Metrics</title><p>This process is watched with Oriel. Its <a href="/metrics">metrics</a> are for Prometheus.</p></html>

        """
}
