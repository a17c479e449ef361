import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import OrielOTLP

/// A unary gRPC call whose message is still as it was sent.
struct GRPCCall: Sendable {
    let path: String
    let headers: HTTPFields
    let message: GRPCFrame.Message
    let reservation: AdmissionReservation
    let peer: SocketAddress?
    /// Who calls. A method's store is `access.narrow(store)`.
    let access: Access
}

/// The gRPC methods of the daemon, unary ones only, framed by hand on the same HTTP/2 streams as everything else.
///
/// Measured against grpc-swift-2 this is faster for large messages and saves a second TLS library.
struct GRPCServices: Sendable {
    /// Answers with the reply's message, or throws a ``GRPCStatus``.
    typealias Method = @Sendable (GRPCCall) async throws -> ByteBuffer

    private struct Entry: Sendable {
        /// nil: served by every listener.
        let role: ListenerRole?
        let method: Method
    }

    private var methods: [String: Entry] = [:]

    /// Adds a method under its path, `/package.Service/Method`.
    mutating func on(_ role: ListenerRole?, _ path: String, use method: @escaping Method) {
        methods[path] = Entry(role: role, method: method)
    }

    /// What a method asks of its caller; `nil` when a listener with these roles has no such method.
    func requirement(_ path: String, roles: Set<ListenerRole>) -> AccessControl.Requirement? {
        guard let entry = methods[path], entry.role.map(roles.contains) ?? true else { return nil }
        return AccessControl.Requirement(role: entry.role, isOpen: entry.role == nil)
    }

    /// Whether a request is gRPC with protobuf messages.
    static func isGRPC(_ head: HTTPRequest) -> Bool {
        guard let type = head.headerFields[.contentType], type.utf8.count >= 16, type.hasPrefix("application/grpc") else { return false }
        let rest = type.dropFirst("application/grpc".count)
        return rest.isEmpty || rest.hasPrefix("+") || rest.hasPrefix(";")
    }

    func respond(to request: ReceivedRequest, roles: Set<ListenerRole>, limit: Int, logger: Logger) async -> Response {
        do {
            let reply = try await call(request, roles: roles, limit: limit)
            let frame = GRPCFrame.write(reply)
            return Response(
                status: .ok, headers: [.contentType: "application/grpc", .grpcAcceptEncoding: "gzip,zstd,deflate,snappy,identity"],
                body: ResponseBody { writer in
                    try await writer.write(frame)
                    try await writer.finish([.grpcStatus: "0"])
                })
        } catch let status as GRPCStatus {
            var response = status.response()
            // The peer learns which encodings it may use from the refusal of another.
            response.headers[.grpcAcceptEncoding] = "gzip,zstd,deflate,snappy,identity"
            return response
        } catch is CancellationError {
            return GRPCStatus(.cancelled, "the call was cancelled").response()
        } catch {
            logger.error("gRPC call failed", metadata: ["path": "\(request.head.path ?? "")", "error": "\(error)"])
            return GRPCStatus(.internalError, "an internal error occurred; the server's log has it").response()
        }
    }

    private func call(_ request: ReceivedRequest, roles: Set<ListenerRole>, limit: Int) async throws -> ByteBuffer {
        let path = request.head.path ?? ""
        guard request.head.method == .post else {
            throw GRPCStatus(.internalError, "gRPC calls are POST, not \(request.head.method.rawValue)")
        }
        guard let entry = methods[path], entry.role.map(roles.contains) ?? true else {
            throw GRPCStatus(.unimplemented, "there is no method \(path) on this listener")
        }
        if let role = entry.role {
            // Asked before the body was read already; this is the place that nobody gets around.
            do {
                try request.grant.access.require(role)
            } catch {
                throw GRPCStatus(refusal: error)
            }
        }
        let message = try GRPCFrame.read(request.body, limit: limit)
        let call = GRPCCall(
            path: path, headers: request.head.headerFields, message: message, reservation: request.reservation, peer: request.peer,
            access: request.grant.access)
        guard let header = request.head.headerFields[.grpcTimeout] else { return try await entry.method(call) }
        guard let timeout = GRPCTimeout.parse(header) else {
            throw GRPCStatus(.invalidArgument, "grpc-timeout \"\(header)\" is not digits and a unit of H, M, S, m, u, n")
        }
        return try await Self.run(entry.method, call, within: timeout)
    }

    /// Runs a method until the caller's deadline. What the method began (an append) may still complete after the deadline passed.
    private static func run(_ method: @escaping Method, _ call: GRPCCall, within timeout: Duration) async throws -> ByteBuffer {
        try await withThrowingTaskGroup(of: ByteBuffer.self) { group in
            group.addTask { try await method(call) }
            group.addTask {
                try await Task.sleep(for: timeout)
                throw GRPCStatus(.deadlineExceeded, "the call did not finish within the caller's deadline")
            }
            defer { group.cancelAll() }
            guard let reply = try await group.next() else {
                throw GRPCStatus(.internalError, "the call ended without a result")
            }
            return reply
        }
    }
}
