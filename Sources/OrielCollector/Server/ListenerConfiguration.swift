/// One listener: where it accepts, what it serves, and whether it speaks TLS.
public struct ListenerConfiguration: Sendable, Hashable {
    public var address: ListenerAddress
    public var roles: Set<ListenerRole>
    /// Certificates for TLS; nil serves plain HTTP and gRPC.
    public var tls: TLSFiles?
    /// Whether the daemon starts without it when the machine lacks its kind of address, as ::1 where IPv6 is off.
    public var isOptional = false

    public init(address: ListenerAddress, roles: Set<ListenerRole> = Set(ListenerRole.allCases), tls: TLSFiles? = nil) {
        self.address = address
        self.roles = roles
        self.tls = tls
    }

    /// The files of a listener's certificate, PEM.
    public struct TLSFiles: Sendable, Hashable {
        /// The certificate chain, leaf first.
        public var certificate: String
        /// The private key.
        public var key: String

        public init(certificate: String, key: String) {
            self.certificate = certificate
            self.key = key
        }
    }
}
