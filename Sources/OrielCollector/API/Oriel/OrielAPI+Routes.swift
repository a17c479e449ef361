import HTTPTypes
import Hummingbird
import NIOCore

extension OrielAPI {
    /// Adds the API's paths to the daemon's routes.
    func addRoutes(to routes: inout RouteTable) {
        routes.on(.query, .get, "\(Self.basePath)/**") { request, context in
            await narrowed(to: context.access).respond(to: request.head.path ?? "/").response(to: request.method)
        }
    }
}

extension HTTPProblem {
    /// A refusal that was made before the API was asked, in the API's shape.
    var apiResponse: Response {
        var headers = headers
        headers[.contentType] = "application/json"
        return Response(
            status: status, headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: APIError(status: status.code, message).body)))
    }
}

extension APIAnswer {
    func response(to method: HTTPRequest.Method) -> Response {
        var headers = HTTPFields()
        headers[.contentType] = contentType
        headers[.cacheControl] = "no-store"
        if let retryAfterSeconds { headers[.retryAfter] = String(retryAfterSeconds) }
        let content: ResponseBody
        switch body {
        case .parts(let parts):
            let memory = memory
            content = ResponseBody(contentLength: parts.reduce(0) { $0 + $1.count }) { writer in
                for part in parts { try await writer.write(ByteBuffer(bytes: part)) }
                try await writer.finish(nil)
                withExtendedLifetime(memory) {}
            }
        // Without a body to write there is nothing that would ever end the answer.
        case .lines where method == .head: content = ResponseBody()
        case .lines(let follower):
            content = ResponseBody { writer in
                var follower = follower
                while let lines = await follower.next() {
                    try await writer.write(ByteBuffer(bytes: lines))
                }
                try await writer.finish(nil)
            }
        }
        return Response(status: HTTPResponse.Status(code: status), headers: headers, body: content)
    }
}
