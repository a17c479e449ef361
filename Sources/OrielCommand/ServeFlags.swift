import ArgumentParser

/// The flags of the configuration, each under the name that ``ConfigurationResolver`` knows.
struct ServeFlags: ParsableArguments {
    @Option(name: .customLong("data"), help: ArgumentHelp("Folder for all data. Environment: ORIEL_DATA.", valueName: "dir"), completion: .directory)
    var data: String?

    @Option(name: .customLong("config"), help: ArgumentHelp("Configuration file.", valueName: "file"), completion: .file(extensions: ["yaml", "yml"]))
    var config: String?

    @Option(
        name: .customLong("listen"),
        help: ArgumentHelp("Address to listen on: tcp://HOST:PORT, unix:/PATH or fd:N. May be repeated.", valueName: "address"))
    var listen: [String] = []

    @Flag(name: .customLong("allow-anonymous"), help: "Let everybody who reaches an address send and ask without a token, also beyond this machine.")
    var allowAnonymous = false

    @Option(
        name: .customLong("tokens-file"),
        help: ArgumentHelp("YAML file with bearer tokens that are valid from the start, beside those of `oriel token`.", valueName: "file"), completion: .file()
    )
    var tokensFile: String?

    @Flag(name: .customLong("tenancy-header"), help: "Let X-Scope-OrgID name the tenant that a request writes or reads; a token's own tenant wins.")
    var tenancyHeader = false

    @Option(name: .customLong("server-allowed-hosts"), help: ArgumentHelp("Further Host header accepted on loopback. May be repeated.", valueName: "host"))
    var allowedHosts: [String] = []

    @Option(name: .customLong("server-maximum-connections"), help: ArgumentHelp("Connections at once.", valueName: "number"))
    var maximumConnections: String?

    @Option(name: .customLong("server-maximum-body-size"), help: ArgumentHelp("Largest body of a request that brings no telemetry.", valueName: "size"))
    var maximumBodySize: String?

    @Option(name: .customLong("server-maximum-header-size"), help: ArgumentHelp("Largest head of a request.", valueName: "size"))
    var maximumHeaderSize: String?

    @Option(name: .customLong("server-idle-timeout"), help: ArgumentHelp("How long a connection may be idle.", valueName: "duration"))
    var idleTimeout: String?

    @Option(name: .customLong("server-drain-timeout"), help: ArgumentHelp("How long requests may take to end at shutdown.", valueName: "duration"))
    var drainTimeout: String?

    @Option(name: .customLong("ingest-maximum-request-size"), help: ArgumentHelp("Largest request with telemetry, inflated.", valueName: "size"))
    var maximumRequestSize: String?

    @Option(name: .customLong("ingest-admission-budget"), help: ArgumentHelp("Memory for requests in progress.", valueName: "size"))
    var admissionBudget: String?

    @Option(name: .customLong("retention-logs"), help: ArgumentHelp("How long log records are kept, such as 30d.", valueName: "duration"))
    var retentionLogs: String?

    @Option(name: .customLong("retention-traces"), help: ArgumentHelp("How long spans are kept.", valueName: "duration"))
    var retentionTraces: String?

    @Option(name: .customLong("retention-metrics"), help: ArgumentHelp("How long samples are kept.", valueName: "duration"))
    var retentionMetrics: String?

    @Option(
        name: .customLong("disk-budget"),
        help: ArgumentHelp("What all data may take on the disk, such as 200GB; beyond it the oldest goes. Default: none.", valueName: "size"))
    var diskBudget: String?

    @Option(
        name: .customLong("retention-shares-logs"),
        help: ArgumentHelp("The part of log records while the disk does not suffice for all; only the proportions count.", valueName: "percent"))
    var logShare: String?

    @Option(name: .customLong("retention-shares-traces"), help: ArgumentHelp("The part of spans.", valueName: "percent"))
    var traceShare: String?

    @Option(name: .customLong("retention-shares-metrics"), help: ArgumentHelp("The part of samples.", valueName: "percent"))
    var metricShare: String?

    @Option(name: .customLong("retention-free-space"), help: ArgumentHelp("What stays free on the disk; with less, data is refused.", valueName: "size"))
    var freeSpace: String?

    @Option(name: .customLong("otlp-metrics-translation"), help: ArgumentHelp("How OTLP metric names become Prometheus names.", valueName: "strategy"))
    var translation: String?

    @Option(
        name: .customLong("otlp-metrics-promote-resource-attributes"),
        help: ArgumentHelp("Resource attribute that becomes a label of each series. May be repeated.", valueName: "key"))
    var promotedAttributes: [String] = []

    @Option(name: .customLong("log-level"), help: ArgumentHelp("Least level of the daemon's own log.", valueName: "level"))
    var logLevel: String?

    @Option(name: .customLong("log-format"), help: ArgumentHelp("The daemon's own log as text or json.", valueName: "format"))
    var logFormat: String?

    /// The flags that were given, as the resolver takes them.
    var given: [String: [String]] {
        var given: [String: [String]] = [:]
        let single: KeyValuePairs<String, String?> = [
            "--data": data, "--config": config, "--tokens-file": tokensFile,
            "--server-maximum-connections": maximumConnections, "--server-maximum-body-size": maximumBodySize,
            "--server-maximum-header-size": maximumHeaderSize, "--server-idle-timeout": idleTimeout, "--server-drain-timeout": drainTimeout,
            "--ingest-maximum-request-size": maximumRequestSize, "--ingest-admission-budget": admissionBudget, "--retention-logs": retentionLogs,
            "--retention-traces": retentionTraces, "--retention-metrics": retentionMetrics, "--disk-budget": diskBudget,
            "--retention-shares-logs": logShare, "--retention-shares-traces": traceShare, "--retention-shares-metrics": metricShare,
            "--retention-free-space": freeSpace, "--otlp-metrics-translation": translation,
            "--log-level": logLevel, "--log-format": logFormat,
        ]
        for (flag, value) in single {
            if let value { given[flag] = [value] }
        }
        if !listen.isEmpty { given["--listen"] = listen }
        if allowAnonymous { given["--allow-anonymous"] = ["true"] }
        if tenancyHeader { given["--tenancy-header"] = ["true"] }
        if !allowedHosts.isEmpty { given["--server-allowed-hosts"] = allowedHosts }
        if !promotedAttributes.isEmpty { given["--otlp-metrics-promote-resource-attributes"] = promotedAttributes }
        return given
    }
}
