public import Logging
public import OrielOTLP

/// Everything that `oriel serve` can be told.
///
/// Made by ``ConfigurationResolver`` from flags over environment over file over these defaults, or by hand in tests.
public struct CollectorConfiguration: Sendable {
    /// The data folder, absolute.
    public var dataFolder: String
    public var listeners: [ListenerConfiguration]
    /// Whether listeners beyond loopback are opened although anybody who reaches them may use them.
    public var allowsAnonymous = false
    /// Whether the header `X-Scope-OrgID` of a request names the tenant whose telemetry it writes or reads; if not, it is ignored.
    public var readsTenantHeader = false
    /// A file with tokens that are valid from the first start on.
    public var tokensFile: String?
    /// How often the files of certificates are looked at for changes.
    var certificateCheckInterval = Duration.seconds(30)
    /// Host names accepted on loopback listeners beside loopback's own.
    public var allowedHosts: [String] = []
    public var limits = ServerLimits()
    /// Bytes that ingest requests in progress may hold together.
    public var admissionBudget = 128 << 20
    public var retention = Retention()
    public var metrics = MetricsConfiguration()
    public var log = LogConfiguration()

    public init(dataFolder: String, listeners: [ListenerConfiguration]? = nil) {
        self.dataFolder = dataFolder
        self.listeners = listeners ?? Self.defaultListeners(dataFolder: dataFolder)
    }

    /// How long rows are kept, in nanoseconds; 0 keeps them for ever. And how much of the disk they take.
    public struct Retention: Sendable, Hashable {
        public var logs: Int64 = 30 * 86_400_000_000_000
        public var traces: Int64 = 14 * 86_400_000_000_000
        public var metrics: Int64 = 90 * 86_400_000_000_000
        /// Bytes that all data may take; beyond it the oldest rows go. `nil` for no limit but the disk.
        public var disk: Int?
        public var shares = Shares()
        /// Bytes that stay free on the file system: below it data is refused until there is room again.
        public var freeSpace = 128 << 20

        /// How the disk is shared out while there is not enough for all, in percent; only the proportions count.
        public struct Shares: Sendable, Hashable {
            public var logs = 35.0
            public var traces = 35.0
            public var metrics = 30.0
        }
    }

    /// How OTLP metrics become series.
    public struct MetricsConfiguration: Sendable, Hashable {
        /// How names are escaped and suffixed.
        public var translation = OTLPMetricOptions.Translation.underscoreEscapingWithSuffixes
        /// Resource attributes that every series of the resource gets as labels.
        public var promotedResourceAttributes = OTLPMetricOptions.defaultPromotedResourceAttributes
    }

    /// The daemon's own log.
    public struct LogConfiguration: Sendable, Hashable {
        public enum Format: String, Sendable, CaseIterable {
            case text
            case json
        }

        public var level = Logger.Level.info
        public var format = Format.text
    }

    /// OTLP's two ports on both loopback addresses with all roles but anonymous admin, and a socket in the data folder.
    public static func defaultListeners(dataFolder: String) -> [ListenerConfiguration] {
        var listeners: [ListenerConfiguration] = []
        for port in [4317, 4318] {
            listeners.append(ListenerConfiguration(address: .tcp(host: "127.0.0.1", port: port)))
            var listener = ListenerConfiguration(address: .tcp(host: "::1", port: port))
            listener.isOptional = true
            listeners.append(listener)
        }
        listeners.append(ListenerConfiguration(address: .unix(path: socketPath(dataFolder: dataFolder))))
        return listeners
    }

    /// The socket by which the command line finds the daemon of a data folder.
    public static func socketPath(dataFolder: String) -> String { dataFolder + "/oriel.sock" }
}
