/// One listener: where it accepts, what it serves, and whether it speaks TLS.
public struct ListenerConfiguration: Sendable, Hashable {
    public var address: ListenerAddress
    public var roles: Set<ListenerRole>
    /// Certificates for TLS; nil serves plain HTTP and gRPC.
    public var tls: TLSFiles?
    /// Whether the daemon starts without it when the machine lacks its kind of address, as ::1 where IPv6 is off.
    public var isOptional = false

    /// - Parameter roles: nil gives the roles that the address is trusted with: all on a unix socket, whose file mode says who may
    ///   connect, all but admin elsewhere.
    public init(address: ListenerAddress, roles: Set<ListenerRole>? = nil, tls: TLSFiles? = nil) {
        self.address = address
        if let roles {
            self.roles = roles
        } else if case .unix = address {
            self.roles = Set(ListenerRole.allCases)
        } else {
            self.roles = [.ingest, .query, .metrics]
        }
        self.tls = tls
    }

    /// The files of a listener's certificate, PEM.
    public struct TLSFiles: Sendable, Hashable {
        /// The certificate chain, leaf first.
        public var certificate: String
        /// The private key.
        public var key: String
        /// Certificates of the authorities that must have signed a client's certificate; nil asks clients for none.
        public var clientAuthorities: String?

        public init(certificate: String, key: String, clientAuthorities: String? = nil) {
            self.certificate = certificate
            self.key = key
            self.clientAuthorities = clientAuthorities
        }

        /// All files that are read.
        var all: [String] { [certificate, key] + (clientAuthorities.map { [$0] } ?? []) }
    }
}
