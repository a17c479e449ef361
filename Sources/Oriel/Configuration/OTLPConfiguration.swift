public import OrielClient
import OrielExporterOTLP

extension Oriel {
    /// The OTLP receivers of the three signals. OTLP is spoken over HTTP in protobuf.
    public struct OTLPConfiguration: Hashable, Sendable {
        /// Takes log records.
        public var logs = OTLPReceiver(endpoint: OTLPConfiguration.endpoint(.logs, base: OTLPConfiguration.defaultBase))
        /// Takes points of metrics.
        public var metrics = OTLPReceiver(endpoint: OTLPConfiguration.endpoint(.metrics, base: OTLPConfiguration.defaultBase))
        /// Takes spans.
        public var spans = OTLPReceiver(endpoint: OTLPConfiguration.endpoint(.spans, base: OTLPConfiguration.defaultBase))

        /// The receivers behind a base URL.
        public init(base: String) {
            setBase(base)
        }

        /// The receivers of a collector on this machine.
        public init() {}

        /// The receiver of a signal.
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

        /// Sends all signals to the receivers behind a base URL, such as `http://collector:4318`; `/v1/logs`, `/v1/metrics` and `/v1/traces` are appended. Or
        /// to those of a Unix socket: `unix:/run/oriel/oriel.sock`, `http+unix://%2Frun%2Foriel%2Foriel.sock`.
        public mutating func setBase(_ base: String) {
            for signal in ExportSignal.allCases { self[signal].endpoint = OTLPConfiguration.endpoint(signal, base: base) }
        }

        /// Sends a header with the requests of all signals, in place of one of that name, whatever its case: `setHeader("Authorization", "Bearer \(token)")`.
        ///
        /// - Parameter value: `nil` takes the header away.
        public mutating func setHeader(_ name: String, _ value: String?) {
            for signal in ExportSignal.allCases {
                self[signal].headers = self[signal].headers.filter { $0.key.lowercased() != name.lowercased() }
                self[signal].headers[name] = value
            }
        }

        /// The longest that a request of any signal may take.
        var longestTimeout: Duration { max(logs.timeout, metrics.timeout, spans.timeout) }

        static let defaultBase = "http://localhost:4318"

        /// The URL of a signal behind a base URL, by the rules of `OTEL_EXPORTER_OTLP_ENDPOINT`.
        static func endpoint(_ signal: ExportSignal, base: String) -> String {
            // Nothing can follow the path of a socket; requests ask for the signal's path there by themselves.
            if EndpointText.isSocket(base) { return base }
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

        /// The whole URL: `http`, `https`, `unix:` with the path of a socket, or `http+unix` with that path percent-encoded in place of the host.
        public var endpoint: String
        /// Sent with each request. Names occur once.
        public var headers: [String: String] = [:]
        /// How requests are packed.
        public var compression: Compression = .gzip
        /// The longest that a request may take, unless that of the delivery is set and is shorter.
        public var timeout: Duration = .seconds(10)
        /// A PEM file with the certificates that the receiver's must be signed by; `nil` trusts what the system does.
        public var certificateFile: String?
        /// A PEM file with the client's own certificate.
        public var clientCertificateFile: String?
        /// A PEM file with the key of it.
        public var clientKeyFile: String?

        /// A receiver at a whole URL, with the defaults for all else.
        public init(endpoint: String) {
            self.endpoint = endpoint
        }
    }
}

extension ExportSignal {
    /// What OTLP calls the signal: in paths, and in upper case in variables.
    var otlpName: String { self == .spans ? "traces" : rawValue }
}
