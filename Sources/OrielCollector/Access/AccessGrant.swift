/// A request that was let in. It counts against its token's limits until the last reference goes: hold it until the response is written.
final class AccessGrant: Sendable {
    let access: Access
    private let role: ListenerRole?

    /// - Throws: a 429 when a limit of the token is reached.
    init(_ access: Access, role: ListenerRole?) throws(HTTPProblem) {
        // Before anything is set: a grant that was made is ended by its deinit, also when its init throws.
        try access.bearer?.begin(role)
        self.access = access
        self.role = role
    }

    /// For what needs no access.
    init(openTo access: Access) {
        if access.bearer != nil { assertionFailure("open requests have no token") }
        self.access = access
        role = nil
    }

    deinit {
        access.bearer?.end(role)
    }

    /// Charges body bytes as they arrive.
    func charge(_ bytes: Int) {
        if role == .ingest { access.bearer?.charge(bytes) }
    }
}
