import HTTPTypes
import OrielStore

/// Who makes a request, and what that allows.
struct Access: Sendable {
    enum Caller: Sendable {
        /// Nobody in particular, with the roles that the listener gives to everybody.
        case anonymous(Set<ListenerRole>, isUnixSocket: Bool)
        case bearer(Bearer)
    }

    let caller: Caller
    /// The tenant that the request itself names, where that counts. A token with a tenant of its own allows no other.
    private let namedTenant: String?

    init(_ caller: Caller, namedTenant: String? = nil) {
        self.caller = caller
        self.namedTenant = namedTenant
    }

    /// The token that was shown, if one was.
    var bearer: Bearer? {
        if case .bearer(let bearer) = caller { bearer } else { nil }
    }

    /// Whether requests of a role may be made.
    func allows(_ role: ListenerRole) -> Bool {
        switch caller {
        case .anonymous(let roles, _): roles.contains(role)
        case .bearer(let bearer): bearer.record.scopes.contains(role.scope)
        }
    }

    /// Refuses what is not allowed.
    func require(_ role: ListenerRole) throws(HTTPProblem) {
        if allows(role) { return }
        switch caller {
        case .anonymous: throw .unauthenticated("this needs a token with scope \(role.scope.rawValue), sent as Authorization: Bearer TOKEN")
        case .bearer(let bearer): throw .missingScope(role.scope, name: bearer.record.name)
        }
    }

    /// The tenant whose telemetry alone is written and read; `nil` for all.
    var tenant: String? { bearer?.record.tenant ?? namedTenant }

    /// The store as this request may see it. Every route gets its store through this.
    func narrow(_ store: any TelemetryStore) -> any TelemetryStore {
        if let tenant { TenantStore(store, tenant: tenant) } else { store }
    }

    var isRevoked: Bool { bearer?.isRevoked ?? false }

    /// The id of the token, for what must end with it.
    var tokenID: String? { bearer?.record.id }
}

extension Access: CustomStringConvertible {
    /// For the log; never the token itself.
    var description: String {
        switch caller {
        case .anonymous(_, isUnixSocket: true): "unix socket"
        case .anonymous: "anonymous"
        case .bearer(let bearer): "token \(bearer.record.name) (\(bearer.record.id))"
        }
    }
}

extension ListenerRole {
    /// What a token needs for requests of this role.
    var scope: AccessScope {
        switch self {
        case .ingest: .ingest
        case .query: .query
        case .admin: .admin
        case .metrics: .metrics
        }
    }
}

extension HTTPProblem {
    static func unauthenticated(_ message: String, error: String? = nil) -> HTTPProblem {
        HTTPProblem(.unauthorized, message, headers: [.wwwAuthenticate: "Bearer realm=\"oriel\"" + (error.map { ", error=\"\($0)\"" } ?? "")])
    }

    static func missingScope(_ scope: AccessScope, name: String) -> HTTPProblem {
        HTTPProblem(
            .forbidden, "the token \"\(name)\" lacks the scope \(scope.rawValue)",
            headers: [.wwwAuthenticate: "Bearer realm=\"oriel\", error=\"insufficient_scope\", scope=\"\(scope.rawValue)\""])
    }

    static func limited(_ message: String, retryAfterSeconds: Int) -> HTTPProblem {
        HTTPProblem(.tooManyRequests, message + "; retry in \(retryAfterSeconds) s", headers: [.retryAfter: String(retryAfterSeconds)])
    }
}
