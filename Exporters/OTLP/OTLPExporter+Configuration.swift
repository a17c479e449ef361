public import OrielClient

extension OTLPExporter {
    /// How request bodies are packed.
    public enum Compression: String, Hashable, Sendable, CaseIterable {
        case none
        /// Fast, and a fifth to a tenth of the bytes. Bodies below 1 KiB stay as they are.
        case gzip
    }

    /// A header that is sent with each request.
    public struct Header: Hashable, Sendable {
        public var name: String
        public var value: String

        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// Whom to believe and who to be over https. All files are PEM; they are read once, when the exporter is made.
    public struct TLS: Hashable, Sendable {
        /// Certificates of the authorities that may have signed the receiver's certificate, instead of those of the system.
        public var certificateAuthorityFile: String?
        /// The client's own certificate, with those between it and its authority behind it.
        public var certificateFile: String?
        /// The private key of the client's certificate.
        public var privateKeyFile: String?
        /// Whether the receiver's certificate must be good, and be that of the host in the endpoint. Without it anybody in between can read along.
        public var verifiesCertificates = true

        public init() {}
    }

    /// What applies to one kind of telemetry, instead of what applies to all.
    public struct Override: Hashable, Sendable {
        /// A whole URL, used as it is: nothing is added to its path.
        public var endpoint: String?
        /// Instead of all other headers.
        public var headers: [Header]?
        public var compression: Compression?
        public var tls: TLS?
        /// The longest that one request may take; see ``Configuration/timeout``.
        public var timeout: Duration?

        public init(endpoint: String? = nil, headers: [Header]? = nil, compression: Compression? = nil, tls: TLS? = nil, timeout: Duration? = nil) {
            self.endpoint = endpoint
            self.headers = headers
            self.compression = compression
            self.tls = tls
            self.timeout = timeout
        }
    }

    /// Where telemetry is sent and how.
    ///
    /// Endpoints are URLs of one of these forms:
    ///
    /// - `http://host:port/path` and `https://host:port/path`; the ports are 80 and 443 if none is given. https needs the package trait `TLS`.
    /// - `unix:/path/to/socket`: HTTP over a Unix socket.
    /// - `http+unix://%2Fpath%2Fto%2Fsocket/path`: the same, with a path of the URL.
    public struct Configuration: Sendable {
        /// The base, to whose path `/v1/logs`, `/v1/metrics` and `/v1/traces` are added.
        public var endpoint: String
        public var headers: [Header] = []
        public var compression = Compression.none
        public var tls = TLS()
        /// The longest that one request may take, a millisecond at least, however late the deadline is that it is given; `nil` leaves it to the deadline.
        public var timeout: Duration?
        /// The kinds of telemetry that are sent. What is said of others is not looked at, and batches of them are refused.
        public var signals = Set(ExportSignal.allCases)
        public var overrides: [ExportSignal: Override] = [:]

        public init(endpoint: String = "http://localhost:4318") {
            self.endpoint = endpoint
        }
    }
}
