import HTTPTypes
import Hummingbird
import NIOCore
import OrielCompression
import OrielOTLP

/// OTLP/HTTP: `POST /v1/{traces,metrics,logs}`, protobuf and JSON.
extension OTLPReceiver {
    /// Adds the routes. A base path before them is dropped before routing (``RequestPath``), so aliases need no routes of their own.
    func addRoutes(to routes: inout RouteTable) {
        for signal in OTLPSignal.allCases {
            routes.on(.ingest, .post, signal.path) { request, context in
                await self.respond(to: request, context: context, signal: signal)
            }
        }
        routes.on(.ingest, .post, "/v1development/profiles") { request, _ in
            let status = RPCStatus(.unimplemented, "OTLP profiles are not supported")
            return Self.statusResponse(status, status: .notFound, format: Self.format(of: request.head) ?? .json)
        }
    }

    private func respond(to request: Request, context: CollectorRequestContext, signal: OTLPSignal) async -> Response {
        guard let format = Self.format(of: request.head) else {
            let given = request.headers[.contentType].map { "\"\($0)\"" } ?? "none"
            return HTTPProblem(
                .unsupportedMediaType, "the content type must be application/x-protobuf or application/json; it is \(given)"
            ).response()
        }
        do throws(IngestFailure) {
            let encodings = try Self.encodings(request.headers[.contentEncoding])
            let outcome = try await receive(
                signal, format: format, body: context.body, encodings: encodings, path: signal.path, reservation: context.reservation,
                access: context.access)
            return Response(
                status: .ok, headers: [.contentType: format.mediaType],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: outcome.encoded(signal.response, format: format))))
        } catch {
            return Self.response(error, format: format)
        }
    }

    /// The refusal of a request before its body was read, in the shape of OTLP's errors.
    static func refusal(_ head: HTTPRequest, _ problem: HTTPProblem) -> Response {
        guard let format = format(of: head) else { return problem.response() }
        var response = statusResponse(GRPCStatus(refusal: problem).rpcStatus, status: problem.status, format: format)
        response.headers.append(contentsOf: problem.headers)
        return response
    }

    private static func response(_ failure: IngestFailure, format: OTLPFormat) -> Response {
        var response = statusResponse(failure.grpcStatus.rpcStatus, status: failure.status, format: format)
        if case .overloaded(_, let seconds) = failure { response.headers[.retryAfter] = String(seconds) }
        return response
    }

    private static func statusResponse(_ message: RPCStatus, status: HTTPResponse.Status, format: OTLPFormat) -> Response {
        Response(
            status: status, headers: [.contentType: format.mediaType],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: message.encoded(format))))
    }

    /// The media type without its parameters; nil if it is none of OTLP's.
    private static func format(of head: HTTPRequest) -> OTLPFormat? {
        guard let type = head.headerFields[.contentType] else { return nil }
        var media = type.prefix { $0 != ";" }
        while media.last == " " { media = media.dropLast() }
        while media.first == " " { media = media.dropFirst() }
        switch media.lowercased() {
        case "application/x-protobuf", "application/protobuf": return .protobuf
        case "application/json": return .json
        default: return nil
        }
    }

    private static func encodings(_ header: String?) throws(IngestFailure) -> [ContentEncoding] {
        guard let header else { return [] }
        do {
            return try ContentEncoding.list(headerValue: header)
        } catch {
            throw .unsupportedEncoding("\(error)")
        }
    }
}
