import Logging
import NIOCore
import OrielOTLP
import OrielStore
import OrielTelemetry

/// One setting: its name in the file, and how its text becomes part of the configuration.
///
/// The environment variable and the flag follow from the name: `log.level` is `ORIEL_LOG_LEVEL` and `--log-level`, unless a shorter
/// one is given.
struct ConfigurationSetting: Sendable {
    /// Why a text is not a value of the setting.
    struct Refusal: Error {
        let problem: String
    }

    /// The path of keys in the file, joined by dots.
    let path: String
    let flag: String
    let environment: String
    /// Whether the file may give a sequence of texts.
    let isList: Bool
    let apply: @Sendable (inout CollectorConfiguration, [String]) throws(Refusal) -> Void
    let show: @Sendable (CollectorConfiguration) -> String
    /// The elements of a list as YAML; `nil` for a single value.
    let items: (@Sendable (CollectorConfiguration) -> [String])?

    init(
        _ path: String, flag: String? = nil, environment: String? = nil, isList: Bool = false,
        show: @escaping @Sendable (CollectorConfiguration) -> String, items: (@Sendable (CollectorConfiguration) -> [String])? = nil,
        apply: @escaping @Sendable (inout CollectorConfiguration, [String]) throws(Refusal) -> Void
    ) {
        let words = path.split { $0 == "." || $0 == "_" }
        self.path = path
        self.flag = flag ?? "--" + words.joined(separator: "-")
        self.environment = environment ?? "ORIEL_" + words.joined(separator: "_").uppercased()
        self.isList = isList
        self.apply = apply
        self.show = show
        self.items = items
    }

    /// All settings but `data` and `listeners`' long form, which the resolver reads itself.
    static let all: [ConfigurationSetting] = [
        ConfigurationSetting(
            "listeners", flag: "--listen", environment: "ORIEL_LISTEN", isList: true,
            show: { $0.listeners.map(\.address.description).joined(separator: ", ") }, items: { $0.listeners.map(\.yaml) }
        ) { (configuration, texts) throws(Refusal) in
            configuration.listeners = try texts.map { (text) throws(Refusal) in
                do {
                    return ListenerConfiguration(address: try ListenerAddress(parsing: text))
                } catch {
                    throw Refusal(problem: "\(error)")
                }
            }
        },
        bool("server.allow_anonymous", \.allowsAnonymous, flag: "--allow-anonymous", environment: "ORIEL_ALLOW_ANONYMOUS"),
        ConfigurationSetting("tokens_file", show: { $0.tokensFile ?? "" }) { (configuration, texts) throws(Refusal) in
            configuration.tokensFile = try single(texts)
        },
        ConfigurationSetting(
            "server.allowed_hosts", isList: true, show: { $0.allowedHosts.joined(separator: ", ") },
            items: { $0.allowedHosts.map { YAMLText.scalar($0) } }
        ) { (configuration, texts) throws(Refusal) in configuration.allowedHosts = texts },
        count("server.maximum_connections", \.limits.maximumConnections, in: 1...1_000_000),
        size("server.maximum_body_size", \.limits.maximumBodySize, in: 1024...1 << 30),
        size("server.maximum_header_size", \.limits.maximumHeaderListSize, in: 1024...1 << 20),
        time("server.idle_timeout", \.limits.idleTimeout),
        time("server.drain_timeout", \.limits.drainTimeout),
        size("ingest.maximum_request_size", \.limits.maximumIngestBodySize, in: 1024...1 << 30),
        size("ingest.admission_budget", \.admissionBudget, in: 1 << 20...1 << 40),
        bool("tenancy.header", \.readsTenantHeader),
        duration("retention.logs", \.retention.logs),
        duration("retention.traces", \.retention.traces),
        duration("retention.metrics", \.retention.metrics),
        ConfigurationSetting(
            "retention.disk", flag: "--disk-budget", environment: "ORIEL_DISK_BUDGET",
            show: { $0.retention.disk.map { SizeText.format($0) } ?? "none" }
        ) { (configuration, texts) throws(Refusal) in
            let text = try single(texts)
            configuration.retention.disk = text.lowercased() == "none" ? nil : try parseSize(text, in: 16 << 20...1 << 50, example: "200GB, or none")
        },
        percentage("retention.shares.logs", \.retention.shares.logs),
        percentage("retention.shares.traces", \.retention.shares.traces),
        percentage("retention.shares.metrics", \.retention.shares.metrics),
        size("retention.free_space", \.retention.freeSpace, in: 1 << 20...1 << 50),
        choice("otlp.metrics.translation", \.metrics.translation),
        ConfigurationSetting(
            "otlp.metrics.promote_resource_attributes", isList: true,
            show: { $0.metrics.promotedResourceAttributes.joined(separator: ", ") },
            items: { $0.metrics.promotedResourceAttributes.map { YAMLText.scalar($0) } }
        ) { (configuration, texts) throws(Refusal) in configuration.metrics.promotedResourceAttributes = texts },
        ConfigurationSetting("log.level", show: { $0.log.level.rawValue }) { (configuration, texts) throws(Refusal) in
            configuration.log.level = try oneOf(Logger.Level.self, texts)
        },
        choice("log.format", \.log.format),
    ]

    private static func single(_ texts: [String]) throws(Refusal) -> String {
        guard texts.count == 1 else { throw Refusal(problem: "expected one value") }
        return texts[0]
    }

    private static func oneOf<Value: RawRepresentable<String> & CaseIterable>(_ type: Value.Type, _ texts: [String]) throws(Refusal) -> Value {
        let text = try single(texts)
        if let value = Value.allCases.first(where: { $0.rawValue.lowercased() == text.lowercased() }) { return value }
        let known = Value.allCases.map(\.rawValue)
        throw Refusal(problem: "\"\(text)\" is none of \(known.joined(separator: ", "))" + Suggestion.hint(for: text, in: known))
    }

    private static func choice<Value: RawRepresentable<String> & CaseIterable & Sendable>(
        _ name: String, _ path: any WritableKeyPath<CollectorConfiguration, Value> & Sendable
    ) -> Self {
        ConfigurationSetting(name, show: { $0[keyPath: path].rawValue }) { (configuration, texts) throws(Refusal) in
            configuration[keyPath: path] = try oneOf(Value.self, texts)
        }
    }

    private static func bool(
        _ name: String, _ path: any WritableKeyPath<CollectorConfiguration, Bool> & Sendable, flag: String? = nil, environment: String? = nil
    ) -> Self {
        ConfigurationSetting(name, flag: flag, environment: environment, show: { "\($0[keyPath: path])" }) {
            (configuration, texts) throws(Refusal) in
            let text = try single(texts)
            switch text.lowercased() {
            case "true", "yes", "on", "1": configuration[keyPath: path] = true
            case "false", "no", "off", "0": configuration[keyPath: path] = false
            default: throw Refusal(problem: "\"\(text)\" is neither true nor false")
            }
        }
    }

    private static func count(_ name: String, _ path: any WritableKeyPath<CollectorConfiguration, Int> & Sendable, in range: ClosedRange<Int>) -> Self {
        ConfigurationSetting(name, show: { "\($0[keyPath: path])" }) { (configuration, texts) throws(Refusal) in
            let text = try single(texts)
            guard let value = Int(text), range.contains(value) else {
                throw Refusal(problem: "\"\(text)\" is not a number from \(range.lowerBound) to \(range.upperBound)")
            }
            configuration[keyPath: path] = value
        }
    }

    private static func size(_ name: String, _ path: any WritableKeyPath<CollectorConfiguration, Int> & Sendable, in range: ClosedRange<Int>) -> Self {
        ConfigurationSetting(name, show: { SizeText.format($0[keyPath: path]) }) { (configuration, texts) throws(Refusal) in
            configuration[keyPath: path] = try parseSize(try single(texts), in: range, example: "64MiB")
        }
    }

    private static func parseSize(_ text: String, in range: ClosedRange<Int>, example: String) throws(Refusal) -> Int {
        guard let value = SizeText.parse(text), range.contains(value) else {
            throw Refusal(
                problem: "\"\(text)\" is not a size from \(SizeText.format(range.lowerBound)) to \(SizeText.format(range.upperBound)), as in \(example)")
        }
        return value
    }

    private static func percentage(_ name: String, _ path: any WritableKeyPath<CollectorConfiguration, Double> & Sendable) -> Self {
        ConfigurationSetting(name, show: { "\(AttributeValue.double($0[keyPath: path]).text)%" }) { (configuration, texts) throws(Refusal) in
            let text = try single(texts)
            let digits = text.hasSuffix("%") ? String(text.dropLast()) : text
            guard let value = Double(digits), (0...100).contains(value) else { throw Refusal(problem: "\"\(text)\" is not a percentage from 0% to 100%") }
            configuration[keyPath: path] = value
        }
    }

    private static func duration(_ name: String, _ path: any WritableKeyPath<CollectorConfiguration, Int64> & Sendable) -> Self {
        ConfigurationSetting(name, show: { DurationText.exact($0[keyPath: path]) }) { (configuration, texts) throws(Refusal) in
            configuration[keyPath: path] = try parseDuration(texts)
        }
    }

    private static func time(_ name: String, _ path: any WritableKeyPath<CollectorConfiguration, TimeAmount> & Sendable) -> Self {
        ConfigurationSetting(name, show: { DurationText.exact($0[keyPath: path].nanoseconds) }) { (configuration, texts) throws(Refusal) in
            configuration[keyPath: path] = .nanoseconds(try parseDuration(texts))
        }
    }

    private static func parseDuration(_ texts: [String]) throws(Refusal) -> Int64 {
        let text = try single(texts)
        guard let value = DurationText.nanoseconds(text), value >= 0 else { throw Refusal(problem: "\"\(text)\" is not a duration, as in 30s, 1h or 14d") }
        return value
    }
}
