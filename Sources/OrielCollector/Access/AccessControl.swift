import HTTPTypes
import Synchronization

/// Decides from a request's head who makes it and whether it may be made.
struct AccessControl: Sendable {
    /// What a route or method asks of who calls it.
    struct Requirement: Sendable, Hashable {
        let role: ListenerRole?
        /// Health probes come without tokens.
        var isOpen = false
    }

    let tokens: TokenRegistry
    /// `--allow-anonymous`.
    let allowsAnonymous: Bool
    /// `tenancy.header`: whether ``TenantHeader`` counts.
    let readsTenantHeader: Bool
    let statistics: AccessStatistics

    /// - Parameter requirement: `nil` for a path that is not known; who may do something may learn that it is not.
    func admit(_ head: HTTPRequest, _ requirement: Requirement?, listener: ListenerDescription) throws(HTTPProblem) -> AccessGrant {
        let anonymous = Access(.anonymous(anonymousRoles(listener), isUnixSocket: listener.isUnixSocket))
        if let requirement, requirement.isOpen { return AccessGrant(openTo: anonymous) }
        do {
            var access = try authenticate(head, anonymous, listener: listener)
            if let role = requirement?.role {
                try access.require(role)
                if readsTenantHeader { access = Access(access.caller, namedTenant: try TenantHeader.tenant(head, role: role, bearer: access.bearer)) }
            }
            return try AccessGrant(access, role: requirement?.role)
        } catch {
            statistics.count(error)
            throw error
        }
    }

    private func authenticate(_ head: HTTPRequest, _ anonymous: Access, listener: ListenerDescription) throws(HTTPProblem) -> Access {
        let header = head.headerFields[.authorization]
        if let header, let token = AccessToken.bearer(in: header) {
            if let bearer = tokens.find(token) { return Access(.bearer(bearer)) }
            // One of our own that is not known any more must not fall back to what everybody may do. Others are somebody else's: clients send what they are
            // configured with, also to a collector that asks for nothing.
            if !tokens.isEmpty || token.hasPrefix(AccessToken.prefix) {
                throw .unauthenticated("this token is not known here; it may have been revoked", error: "invalid_token")
            }
        } else if header != nil, !tokens.isEmpty, !listener.isUnixSocket {
            throw .unauthenticated("the Authorization header must read Bearer TOKEN", error: "invalid_request")
        }
        if case .anonymous(let roles, _) = anonymous.caller, roles.isEmpty {
            throw .unauthenticated("this server asks for a token, sent as Authorization: Bearer TOKEN")
        }
        return anonymous
    }

    /// What everybody may do who reaches a listener. Admin is for those who may open a unix socket, and for tokens.
    private func anonymousRoles(_ listener: ListenerDescription) -> Set<ListenerRole> {
        if listener.isUnixSocket { return listener.roles }
        guard allowsAnonymous || tokens.isEmpty && (listener.isLoopback || listener.asksForCertificate) else { return [] }
        return listener.roles.subtracting([.admin])
    }
}

/// Refusals since the start.
final class AccessStatistics: Sendable {
    let unauthenticated = Atomic<UInt64>(0)
    let forbidden = Atomic<UInt64>(0)
    let limited = Atomic<UInt64>(0)

    func count(_ problem: HTTPProblem) {
        switch problem.status.code {
        case 401: unauthenticated.add(1, ordering: .relaxed)
        case 403: forbidden.add(1, ordering: .relaxed)
        case 429: limited.add(1, ordering: .relaxed)
        // A head that makes no sense, whoever sent it.
        default: break
        }
    }
}
