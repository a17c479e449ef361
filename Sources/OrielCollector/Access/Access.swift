import HTTPTypes
import OrielStore

/// Who makes a request, and what that allows.
enum Access: Sendable {
    /// Nobody in particular, with the roles that the listener gives to everybody.
    case anonymous(Set<ListenerRole>, isUnixSocket: Bool)
    case bearer(Bearer)

    /// Whether requests of a role may be made.
    func allows(_ role: ListenerRole) -> Bool {
        switch self {
        case .anonymous(let roles, _): roles.contains(role)
        case .bearer(let bearer): bearer.record.scopes.contains(role.scope)
        }
    }

    /// Refuses what is not allowed.
    func require(_ role: ListenerRole) throws(HTTPProblem) {
        if allows(role) { return }
        switch self {
        case .anonymous: throw .unauthenticated("this needs a token with scope \(role.scope.rawValue), sent as Authorization: Bearer TOKEN")
        case .bearer(let bearer): throw .missingScope(role.scope, name: bearer.record.name)
        }
    }

    /// The tenant whose telemetry alone is written and read; `nil` for all.
    var tenant: String? {
        if case .bearer(let bearer) = self { bearer.record.tenant } else { nil }
    }

    /// The store as this request may see it. Every route gets its store through this.
    func narrow(_ store: any TelemetryStore) -> any TelemetryStore {
        if let tenant { TenantStore(store, tenant: tenant) } else { store }
    }

    var isRevoked: Bool {
        if case .bearer(let bearer) = self { bearer.isRevoked } else { false }
    }

    /// The id of the token, for what must end with it.
    var tokenID: String? {
        if case .bearer(let bearer) = self { bearer.record.id } else { nil }
    }
}

extension Access: CustomStringConvertible {
    /// For the log; never the token itself.
    var description: String {
        switch self {
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
