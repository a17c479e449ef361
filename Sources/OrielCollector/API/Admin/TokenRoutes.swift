import FoundationEssentials
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import OrielStore
import OrielTelemetry

/// `/api/oriel/admin/v1/tokens`: what `oriel token` asks.
struct TokenRoutes: Sendable {
    static let path = "/api/oriel/admin/v1/tokens"

    let tokens: TokenRegistry
    let audit: AuditLog

    func addRoutes(to routes: inout RouteTable) {
        routes.on(.admin, .get, Self.path) { _, _ in list() }
        routes.on(.admin, .post, Self.path) { _, context in await create(context) }
        routes.on(.admin, .delete, Self.path + "/:name") { _, context in await revoke(context) }
    }

    /// The body of a POST.
    private struct CreateRequest: Decodable {
        struct Limits: Decodable {
            var requests: Int?
            var queries: Int?
            var ingestBytesPerSecond: Int?

            enum CodingKeys: String, CodingKey {
                case requests
                case queries
                case ingestBytesPerSecond = "ingest_bytes_per_second"
            }
        }

        var name: String
        var scopes: [String]
        var tenant: String?
        var limits: Limits?
    }

    private func list() -> Response {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("tokens", objects: tokens.bearers) { $0.token($1.record, isFromFile: $1.isFromFile, text: nil) }
        }
        return Self.response(.ok, writer.bytes)
    }

    private func create(_ context: CollectorRequestContext) async -> Response {
        var name = ""
        do throws(APIError) {
            let order = try Self.order(context.body)
            name = order.name
            let made = try await tokens.create(order)
            context.audit(
                audit, "token.create",
                details: [
                    "token": "\(made.record.name)", "id": "\(made.record.id)", "tenant": "\(made.record.tenant ?? "")",
                    "scopes": "\(made.record.scopes.sorted().map(\.rawValue).joined(separator: ","))",
                ])
            var writer = JSONWriter()
            writer.object { $0.token(made.record, isFromFile: false, text: made.token) }
            return Self.response(.created, writer.bytes)
        } catch {
            context.audit(audit, "token.create", error: error.message, details: ["token": "\(name)"])
            return Self.response(HTTPResponse.Status(code: error.status), error.body)
        }
    }

    private func revoke(_ context: CollectorRequestContext) async -> Response {
        let name = context.parameters.get("name") ?? ""
        do throws(APIError) {
            let record = try await tokens.revoke(name)
            context.audit(audit, "token.revoke", details: ["token": "\(record.name)", "id": "\(record.id)"])
            var writer = JSONWriter()
            writer.object { $0.token(record, isFromFile: false, text: nil) }
            return Self.response(.ok, writer.bytes)
        } catch {
            context.audit(audit, "token.revoke", error: error.message, details: ["token": "\(name.prefix(100))"])
            return Self.response(HTTPResponse.Status(code: error.status), error.body)
        }
    }

    private static func order(_ body: ByteBuffer) throws(APIError) -> TokenRegistry.Order {
        let request: CreateRequest
        do {
            request = try JSONDecoder().decode(CreateRequest.self, from: Data(body.readableBytesView))
        } catch {
            throw APIError(status: 400, "the body is not {\"name\": …, \"scopes\": […], \"tenant\": …, \"limits\": {…}}")
        }
        var scopes: Set<AccessScope> = []
        for name in request.scopes {
            let known = AccessScope.allCases.map(\.rawValue)
            guard let scope = AccessScope(rawValue: name) else {
                throw APIError(
                    status: 400, "unknown scope \"\(name.prefix(100))\"\(Suggestion.hint(for: name, in: known)); there are \(known.joined(separator: ", "))",
                    parameter: "scopes")
            }
            scopes.insert(scope)
        }
        return TokenRegistry.Order(
            name: request.name, scopes: scopes, tenant: request.tenant,
            limits: TokenLimits(
                requests: request.limits?.requests, queries: request.limits?.queries, ingestBytesPerSecond: request.limits?.ingestBytesPerSecond))
    }

    private static func response(_ status: HTTPResponse.Status, _ bytes: [UInt8]) -> Response {
        Response(
            status: status, headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}

extension CollectorRequestContext {
    /// Notes that this request's caller did, or tried to do, something.
    func audit(_ log: AuditLog, _ action: String, error: String? = nil, details: Logger.Metadata) {
        log.audit(action, by: access, peer: origin, error: error, details)
    }
}

extension JSONWriter {
    /// The members of a token.
    ///
    /// - Parameter text: the token itself, shown once.
    fileprivate mutating func token(_ record: TokenRecord, isFromFile: Bool, text: String?) {
        member("id", record.id)
        member("name", record.name)
        if let text { member("token", text) }
        member("scopes", texts: record.scopes.sorted().map(\.rawValue))
        member("tenant", optional: record.tenant)
        key("limits")
        object { writer in
            writer.member("requests", optional: record.limits.requests)
            writer.member("queries", optional: record.limits.queries)
            writer.member("ingest_bytes_per_second", optional: record.limits.ingestBytesPerSecond)
        }
        time("created", isFromFile ? nil : record.created)
        member("origin", isFromFile ? "file" : "store")
    }
}
