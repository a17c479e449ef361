public import OrielClient

extension Oriel {
    /// The OTLP receivers of the three signals. OTLP is spoken over HTTP in protobuf.
    public struct OTLPConfiguration: Hashable, Sendable {
        public var logs = OTLPReceiver(endpoint: OTLPConfiguration.endpoint(.logs, base: OTLPConfiguration.defaultBase))
        public var metrics = OTLPReceiver(endpoint: OTLPConfiguration.endpoint(.metrics, base: OTLPConfiguration.defaultBase))
        public var spans = OTLPReceiver(endpoint: OTLPConfiguration.endpoint(.spans, base: OTLPConfiguration.defaultBase))

        /// The receivers behind a base URL.
        public init(base: String) {
            setBase(base)
        }

        /// The receivers of a collector on this machine.
        public init() {}

        public subscript(signal: ExportSignal) -> OTLPReceiver {
            get {
                switch signal {
                case .logs: logs
                case .metrics: metrics
                case .spans: spans
                }
            }
            set {
                switch signal {
                case .logs: logs = newValue
                case .metrics: metrics = newValue
                case .spans: spans = newValue
                }
            }
        }

        /// Sends all signals to the receivers behind a base URL, such as `http://collector:4318`; `/v1/logs`, `/v1/metrics` and `/v1/traces` are appended.
        public mutating func setBase(_ base: String) {
            for signal in ExportSignal.allCases { self[signal].endpoint = OTLPConfiguration.endpoint(signal, base: base) }
        }

        static let defaultBase = "http://localhost:4318"

        /// The URL of a signal behind a base URL, by the rules of `OTEL_EXPORTER_OTLP_ENDPOINT`.
        static func endpoint(_ signal: ExportSignal, base: String) -> String {
            let end = base.firstIndex { $0 == "?" || $0 == "#" } ?? base.endIndex
            let path = base[..<end]
            return path + (path.hasSuffix("/") ? "" : "/") + "v1/" + signal.otlpName + base[end...]
        }
    }

    /// An OTLP receiver and how it is spoken to.
    public struct OTLPReceiver: Hashable, Sendable {
        /// How requests are packed.
        public enum Compression: String, Hashable, Sendable, CaseIterable {
            case none
            case gzip
        }

        /// The whole URL; `http` or `https`.
        public var endpoint: String
        /// Sent with each request. Names occur once.
        public var headers: [String: String] = [:]
        public var compression: Compression = .gzip
        /// The longest that a request may take.
        public var timeout: Duration = .seconds(10)
        /// A PEM file with the certificates that the receiver's must be signed by; `nil` trusts what the system does.
        public var certificateFile: String?
        /// A PEM file with the client's own certificate.
        public var clientCertificateFile: String?
        /// A PEM file with the key of it.
        public var clientKeyFile: String?

        public init(endpoint: String) {
            self.endpoint = endpoint
        }
    }
}

extension ExportSignal {
    /// What OTLP calls the signal: in paths, and in upper case in variables.
    var otlpName: String { self == .spans ? "traces" : rawValue }
}
