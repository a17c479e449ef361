import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// A request that arrived whole.
struct ReceivedRequest: Sendable {
    let head: HTTPRequest
    let body: ByteBuffer
    let reservation: AdmissionReservation
    let peer: SocketAddress?
    let isHTTP2: Bool
    let grant: AccessGrant
}

/// What one listener does with requests: access rules, limits, and the way to a route or a gRPC method.
struct RequestDispatcher: Sendable {
    /// Whether a request's body is read.
    enum Admission {
        case refuse(Response)
        /// - Parameter crossOrigin: the foreign origin that the response must name.
        case read(limit: Int, crossOrigin: String?, grant: AccessGrant)
    }

    let listener: ListenerDescription
    let responder: RouterResponder<CollectorRequestContext>
    let grpc: GRPCServices
    let ingestPaths: Set<String>
    let requirements: RouteRequirements
    let access: AccessControl
    let policy: AccessPolicy
    let limits: ServerLimits
    let budget: AdmissionBudget
    let statistics: ServerStatistics
    let logger: Logger
    let date: HTTPDate
    let openResponses: OpenResponses
    /// Writes a refusal in the error shape of the request's surface.
    let renderRefusal: @Sendable (HTTPRequest, HTTPProblem) -> Response

    func normalize(_ head: HTTPRequest) -> HTTPRequest {
        guard let target = head.path else { return head }
        let path = RequestPath.normalize(target)
        if path.utf8.count == target.utf8.count { return head }
        var head = head
        head.path = path
        return head
    }

    /// Decides from the head alone whether to read on.
    func admit(_ head: HTTPRequest, isHTTP2: Bool) -> Admission {
        let isGRPC = GRPCServices.isGRPC(head)
        let path = Self.path(of: head)
        let isIngest = isGRPC || ingestPaths.contains(path)
        var crossOrigin: String?
        // gRPC cannot be sent by a page, and its answers have no place for a 403.
        switch policy.decide(head, isIngest: isIngest, listener: listener) {
        case .allowed: break
        case .allowedAcrossOrigins(let origin): crossOrigin = origin
        case .preflight(let response):
            return listener.roles.contains(.ingest) ? .refuse(response) : .refuse(HTTPProblem(.notFound, "not found").response())
        case .refused(let problem): return .refuse(refusal(for: head, problem))
        }
        if isGRPC, !isHTTP2 {
            return .refuse(HTTPProblem(.httpVersionNotSupported, "gRPC needs HTTP/2; this request came over HTTP/1.1").response())
        }
        let grant: AccessGrant
        do {
            grant = try access.admit(head, isGRPC ? grpc.requirement(path, roles: listener.roles) : requirements[path], listener: listener)
        } catch {
            var response = refusal(for: head, error)
            if let crossOrigin { AccessPolicy.addCrossOriginHeaders(origin: crossOrigin, to: &response.headers) }
            return .refuse(response)
        }
        let limit = isGRPC ? limits.maximumIngestBodySize + GRPCFrame.headerSize : isIngest ? limits.maximumIngestBodySize : limits.maximumBodySize
        if let length = head.headerFields[.contentLength].flatMap({ Int($0) }), length > limit {
            return .refuse(refusal(for: head, .bodyTooLarge(limit: limit)))
        }
        if let expect = head.headerFields[.expect], expect.lowercased() != "100-continue" {
            return .refuse(HTTPProblem(.expectationFailed, "the only expectation that is met is 100-continue").response())
        }
        return .read(limit: limit, crossOrigin: crossOrigin, grant: grant)
    }

    /// The answer to a request that is refused before or while its body arrives.
    func refusal(for head: HTTPRequest, _ problem: HTTPProblem) -> Response {
        if GRPCServices.isGRPC(head) { return GRPCStatus(refusal: problem).response() }
        let path = Self.path(of: head)
        if ingestPaths.contains(path) { return renderRefusal(head, problem) }
        if path.hasPrefix("/api/oriel/") { return problem.apiResponse }
        return problem.response()
    }

    /// Answers a request. Never throws: a failure becomes a 500 that is logged here.
    func respond(to request: ReceivedRequest) async -> Response {
        let response: Response
        if GRPCServices.isGRPC(request.head) {
            response = await grpc.respond(to: request, roles: listener.roles, limit: limits.maximumIngestBodySize, logger: logger)
        } else {
            response = await route(request)
        }
        statistics.countResponse(status: response.status.code)
        return response
    }

    private func route(_ request: ReceivedRequest) async -> Response {
        let path = Self.path(of: request.head)
        guard requirements[path] != nil else {
            return HTTPProblem(.notFound, "there is nothing at \(path.prefix(200)) on this listener; \(requirements.correction(of: path))").response()
        }
        let context = CollectorRequestContext(
            source: .init(
                logger: logger, body: request.body, reservation: request.reservation, listener: listener, peer: request.peer,
                access: request.grant.access))
        let routed = Request(head: request.head, body: RequestBody(buffer: request.body))
        do {
            return try await responder.respond(to: routed, context: context)
        } catch let problem as HTTPProblem where [401, 403].contains(problem.status.code) {
            return refusal(for: request.head, problem)
        } catch let problem as HTTPProblem {
            return problem.response()
        } catch let error as HTTPError where error.status == .notFound {
            return HTTPProblem(.notFound, "there is nothing at \(routed.uri.path) on this listener").response()
        } catch is CancellationError {
            return HTTPProblem(.serviceUnavailable, "the request was cancelled").response()
        } catch {
            logger.error("request failed", metadata: ["path": "\(routed.uri.path)", "error": "\(error)"])
            return HTTPProblem(.internalServerError, "an internal error occurred; the server's log has it").response()
        }
    }

    /// The path of a request without its query.
    static func path(of head: HTTPRequest) -> String {
        guard let target = head.path else { return "/" }
        guard let end = target.utf8.firstIndex(of: UInt8(ascii: "?")) else { return target }
        return String(target[..<end])
    }
}
