/// How OTLP metrics become Prometheus series. A store records these: changing them changes the names of series.
public struct OTLPMetricOptions: Hashable, Sendable {
    /// Prometheus' four strategies for names; raw values are the names that its configuration uses.
    public enum Translation: String, Hashable, Sendable, CaseIterable {
        /// Characters outside `[a-zA-Z0-9_:]` become `_`, unit and type become suffixes.
        case underscoreEscapingWithSuffixes = "UnderscoreEscapingWithSuffixes"
        /// Characters outside `[a-zA-Z0-9_:]` become `_`, nothing is appended.
        case underscoreEscapingWithoutSuffixes = "UnderscoreEscapingWithoutSuffixes"
        /// Names keep all characters, unit and type become suffixes.
        case noUTF8EscapingWithSuffixes = "NoUTF8EscapingWithSuffixes"
        /// Names are kept as they are.
        case noTranslation = "NoTranslation"

        /// Whether characters outside the classic set are replaced.
        public var escapes: Bool { self == .underscoreEscapingWithSuffixes || self == .underscoreEscapingWithoutSuffixes }
        /// Whether unit and type are appended.
        public var addsSuffixes: Bool { self == .underscoreEscapingWithSuffixes || self == .noUTF8EscapingWithSuffixes }
    }

    public var translation: Translation
    /// Keys of resource attributes that become labels of every series of the resource.
    public var promotedResourceAttributes: [String]

    /// Service, deployment, Kubernetes, cloud and host: what dashboards filter by. `service.name`, `service.namespace` and
    /// `service.instance.id` are in `job` and `instance` besides.
    public static let defaultPromotedResourceAttributes = [
        "service.name", "service.namespace", "service.instance.id", "service.version",
        "deployment.environment", "deployment.environment.name",
        "k8s.cluster.name", "k8s.namespace.name", "k8s.pod.name", "k8s.container.name", "k8s.deployment.name", "k8s.statefulset.name",
        "k8s.daemonset.name", "k8s.job.name", "k8s.cronjob.name", "k8s.replicaset.name", "k8s.node.name", "container.name",
        "cloud.region", "cloud.availability_zone", "host.name",
    ]

    public init(
        translation: Translation = .underscoreEscapingWithSuffixes,
        promotedResourceAttributes: [String] = OTLPMetricOptions.defaultPromotedResourceAttributes
    ) {
        self.translation = translation
        self.promotedResourceAttributes = promotedResourceAttributes
    }
}
