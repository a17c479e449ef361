import OrielStore
import OrielTelemetry
import Synchronization

/// The tokens that are valid now: those of the store and those of the tokens file.
final class TokenRegistry: Sendable {
    private struct State {
        var bearers: [UInt64: [Bearer]] = [:]

        var all: [Bearer] { bearers.values.flatMap { $0 } }

        mutating func insert(_ bearer: Bearer) {
            bearers[AccessToken.key(of: bearer.record.digest), default: []].append(bearer)
        }

        mutating func remove(_ bearer: Bearer) {
            bearers[AccessToken.key(of: bearer.record.digest)]?.removeAll { $0 === bearer }
        }
    }

    /// What a token is made with.
    struct Order: Sendable {
        var name: String
        var scopes: Set<AccessScope>
        var tenant: String?
        var limits = TokenLimits()

        /// Throws when no token can be made so.
        func check() throws(APIError) {
            guard name.utf8.count <= 100, Tenancy.isValid(name), !name.utf8.contains(where: ":@/".utf8.contains) else {
                throw APIError(status: 400, "a token is named by 1 to 100 letters, digits and -_. (ASCII)", parameter: "name")
            }
            guard !scopes.isEmpty else {
                let known = AccessScope.allCases.map(\.rawValue).joined(separator: ", ")
                throw APIError(status: 400, "a token needs at least one scope of \(known)", parameter: "scopes")
            }
            if let tenant {
                guard Tenancy.isValid(tenant) else {
                    throw APIError(status: 400, "a tenant is named by 1 to 128 letters, digits and -_.:@/ (ASCII)", parameter: "tenant")
                }
                let surplus = scopes.subtracting([.ingest, .query]).sorted()
                guard surplus.isEmpty else {
                    throw APIError(
                        status: 400,
                        "scope \(surplus[0].rawValue) is about all tenants together; a token with a tenant may have ingest and query", parameter: "scopes")
                }
            }
            for limit in [limits.requests, limits.queries, limits.ingestBytesPerSecond] {
                if let limit, limit < 1 { throw APIError(status: 400, "a limit is a number from 1 up", parameter: "limits") }
            }
        }
    }

    /// More than anybody needs, few enough to list.
    static let maximumTokens = 10_000

    private let store: (any TokenStore)?
    private let file: String?
    private let openResponses: OpenResponses
    private let state = Mutex(State())
    private let count = Atomic<Int>(0)

    /// - Parameters:
    ///   - store: where created tokens are kept; without one they end with the process.
    ///   - file: the path of the tokens file.
    init(store: (any TokenStore)?, file: String?, openResponses: OpenResponses) {
        self.store = store
        self.file = file
        self.openResponses = openResponses
    }

    /// Whether there are no tokens at all, and nobody can be asked for one.
    var isEmpty: Bool { count.load(ordering: .acquiring) == 0 }

    var tokenCount: Int { count.load(ordering: .relaxed) }

    /// The token with this text.
    func find(_ token: String) -> Bearer? {
        if isEmpty { return nil }
        let digest = AccessToken.digest(of: token)
        let candidates = state.withLock { $0.bearers[AccessToken.key(of: digest)] ?? [] }
        return candidates.first { AccessToken.isEqual(digest, $0.record.digest) }
    }

    /// All tokens, those of the file first, then by age.
    var bearers: [Bearer] {
        // Those of the file were created at 0.
        state.withLock { $0.all }.sorted { ($0.record.created, $0.record.name) < ($1.record.created, $1.record.name) }
    }

    /// Reads the store and the file, at the start.
    func load() async throws {
        if let store {
            let records = try await store.tokens()
            change { state in
                for record in records { state.insert(Bearer(record, isFromFile: false)) }
            }
        }
        try reloadFile()
    }

    /// Reads the file again. Tokens that are unchanged keep their state; those that are gone end at once. A file that cannot be read changes nothing.
    ///
    /// - Returns: how many tokens came and went.
    @discardableResult
    func reloadFile() throws(ConfigurationError) -> (added: Int, removed: Int) {
        guard let file else { return (0, 0) }
        let records = try TokensFile.read(file)
        var gone: [Bearer] = []
        var added = 0
        change { state in
            let old = state.all.filter(\.isFromFile)
            gone = old.filter { !records.contains($0.record) }
            for bearer in gone { state.remove(bearer) }
            for record in records where !old.contains(where: { $0.record == record }) {
                state.insert(Bearer(record, isFromFile: true))
                added += 1
            }
        }
        end(gone)
        return (added, gone.count)
    }

    /// Makes a token, durably.
    ///
    /// - Returns: its text, which nobody can find out later, and what is kept of it.
    func create(_ order: Order) async throws(APIError) -> (token: String, record: TokenRecord) {
        try order.check()
        let known = state.withLock { $0.all }
        guard known.count < Self.maximumTokens else { throw APIError(status: 409, "there are \(known.count) tokens already; revoke some") }
        guard !known.contains(where: { $0.record.name == order.name }) else {
            throw APIError(status: 409, "there is a token \"\(order.name)\" already; revoke it or choose another name", parameter: "name")
        }
        let token = AccessToken.make()
        let digest = Array(AccessToken.digest(of: token))
        let record = TokenRecord(
            id: Self.id(of: digest), name: order.name, digest: digest, scopes: order.scopes, tenant: order.tenant, limits: order.limits, created: .now)
        if let store {
            do {
                try await store.insertToken(record)
            } catch {
                throw APIError(error)
            }
        }
        change { $0.insert(Bearer(record, isFromFile: false)) }
        return (token, record)
    }

    /// Ends a token, durably; requests with it are refused and its tails end before this returns.
    func revoke(_ name: String) async throws(APIError) -> TokenRecord {
        let all = state.withLock { $0.all }
        guard let bearer = all.first(where: { $0.record.id == name }) ?? all.first(where: { $0.record.name == name }) else {
            let hint = Suggestion.hint(for: name, in: all.map(\.record.name))
            throw APIError(status: 404, "there is no token \"\(name.prefix(100))\"\(hint)")
        }
        guard !bearer.isFromFile else {
            throw APIError(status: 409, "the token \"\(bearer.record.name)\" comes from the tokens file; take it out there and send SIGHUP to the server")
        }
        if let store {
            do {
                _ = try await store.removeToken(id: bearer.record.id)
            } catch {
                throw APIError(error)
            }
        }
        change { $0.remove(bearer) }
        end([bearer])
        return bearer.record
    }

    private func end(_ bearers: [Bearer]) {
        for bearer in bearers {
            bearer.revoke()
            openResponses.end(ofToken: bearer.record.id)
        }
    }

    private func change(_ body: (inout State) -> Void) {
        state.withLock { state in
            body(&state)
            count.store(state.bearers.values.reduce(0) { $0 + $1.count }, ordering: .releasing)
        }
    }

    /// The digest's first bytes: they do not lead back to the token.
    static func id(of digest: [UInt8]) -> String {
        digest.prefix(5).reduce(into: "") { text, byte in
            text.unicodeScalars.append(UnicodeScalar(Hexadecimal.digit(byte >> 4)))
            text.unicodeScalars.append(UnicodeScalar(Hexadecimal.digit(byte & 15)))
        }
    }
}
