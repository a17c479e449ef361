public import OrielTelemetry

/// What is kept of a bearer token: everything but the token.
public struct TokenRecord: Sendable, Hashable, Identifiable {
    /// Names the token in lists and logs; says nothing about its secret.
    public var id: String
    /// Given by its creator, unique.
    public var name: String
    /// SHA-256 of the token's text, 32 bytes. Enough for 256 random bits, which nobody can guess; no password may be kept so.
    public var digest: [UInt8]
    public var scopes: Set<AccessScope>
    /// The tenant whose telemetry the token writes and reads; `nil` for all.
    public var tenant: String?
    public var limits: TokenLimits
    public var created: Timestamp

    public init(
        id: String, name: String, digest: [UInt8], scopes: Set<AccessScope>, tenant: String? = nil, limits: TokenLimits = TokenLimits(), created: Timestamp
    ) {
        self.id = id
        self.name = name
        self.digest = digest
        self.scopes = scopes
        self.tenant = tenant
        self.limits = limits
        self.created = created
    }
}

/// Bounds on what the bearers of one token do together; `nil` sets none.
public struct TokenLimits: Sendable, Hashable {
    /// Requests of all kinds in progress.
    public var requests: Int?
    /// Queries in progress, tails included.
    public var queries: Int?
    /// Bytes of telemetry a second, as sent. A second's worth may come at once.
    public var ingestBytesPerSecond: Int?

    public init(requests: Int? = nil, queries: Int? = nil, ingestBytesPerSecond: Int? = nil) {
        self.requests = requests
        self.queries = queries
        self.ingestBytesPerSecond = ingestBytesPerSecond
    }
}
