import FoundationEssentials
import OrielTelemetry

/// A configuration with the origin of each of its values.
public struct ResolvedConfiguration: Sendable {
    public var configuration: CollectorConfiguration
    /// The file that was read, if any.
    public var file: String?
    /// Each setting's value and origin, in the order of the documentation: what `--print-config` prints.
    public var values: [Value]

    public struct Value: Sendable, Equatable {
        public let name: String
        public let value: String
        /// `default`, `/etc/oriel/oriel.yaml:3:9`, `ORIEL_DATA`, `--data`.
        public let origin: String
        /// The elements of a list as YAML; `nil` for a single value.
        var items: [String]?
    }

    /// What was given and has no effect, one sentence each.
    public var warnings: [String] = []

    /// The values as a configuration file that says the same, each with its origin as a comment. Values that are not set are comments wholly.
    public var description: String { YAMLText.settings(values) }
}

/// Makes a ``CollectorConfiguration`` from flags over environment over file over defaults.
public struct ConfigurationResolver {
    private let environment: [String: String]
    private let flags: [String: [String]]

    /// - Parameters:
    ///   - flags: values by flag name with its dashes, as in `["--listen": ["tcp://127.0.0.1:4318"]]`; a flag without a value has `["true"]`.
    ///   - environment: of the process.
    public init(flags: [String: [String]] = [:], environment: [String: String] = [:]) {
        self.flags = flags
        self.environment = environment
    }

    /// The names of all flags that settings have, `--data` and `--config` aside.
    public static var flagNames: [String] { ConfigurationSetting.all.map(\.flag) }

    /// Reads the file, if there is one, and puts everything together.
    ///
    /// - Throws: ``ConfigurationError`` with file, line and column, variable or flag; ``DataFolder/Failure``.
    public func resolve() throws -> ResolvedConfiguration {
        for flag in flags.keys where flag != "--data" && flag != "--config" && !Self.flagNames.contains(flag) {
            throw ConfigurationError(place: flag, problem: "there is no such flag" + hint(flag, Self.flagNames))
        }
        let file = try chooseFile()
        var given: [String: Given] = [:]
        var longListeners: [YAMLNode]?
        if let file { longListeners = try read(file, into: &given) }
        for setting in ConfigurationSetting.all {
            if let text = environment[setting.environment], !text.isEmpty {
                let texts = setting.isList ? text.split(separator: ",").map { Self.trim($0) } : [text]
                given[setting.path] = Given(texts: texts, place: setting.environment)
                if setting.path == "listeners" { longListeners = nil }
            }
            if let texts = flags[setting.flag] {
                given[setting.path] = Given(texts: texts, place: setting.flag)
                if setting.path == "listeners" { longListeners = nil }
            }
        }
        let data = try DataFolder.choose(flag: flags["--data"]?.last, file: given["data"]?.texts.first, environment: environment)
        var configuration = CollectorConfiguration(dataFolder: data.path)
        let dataOrigin = data.origin == "configuration file" ? given["data"]?.place ?? data.origin : data.origin
        var values = [ResolvedConfiguration.Value(name: "data", value: data.path, origin: dataOrigin)]
        for setting in ConfigurationSetting.all {
            var origin = "default"
            if setting.path == "listeners", let longListeners, let place = given["listeners"]?.place, let file {
                configuration.listeners = try longListeners.map { try listener($0, file: file) }
                origin = place
            } else if let given = given[setting.path] {
                do {
                    try setting.apply(&configuration, given.texts)
                } catch {
                    throw ConfigurationError(place: given.place, problem: "\(setting.path): \(error.problem)")
                }
                origin = given.place
            }
            values.append(.init(name: setting.path, value: setting.show(configuration), origin: origin, items: setting.items?(configuration)))
        }
        addSocket(to: &configuration, isDefault: given["listeners"] == nil)
        return ResolvedConfiguration(configuration: configuration, file: file, values: values, warnings: warnings())
    }

    /// Variables of the environment that look like settings and are none.
    private func warnings() -> [String] {
        // Of the command line, of tests and builds, and what Kubernetes sets for a service that is called oriel.
        let others = ["ORIEL_DATA", "ORIEL_CONFIG", "ORIEL_SERVER", "ORIEL_TOKEN", "ORIEL_TOKEN_FILE", "ORIEL_REVISION", "ORIEL_WARNINGS_AS_ERRORS"]
        let known = ConfigurationSetting.all.map(\.environment) + others
        return environment.keys.sorted().filter { name in
            name.hasPrefix("ORIEL_") && !known.contains(name) && !["ORIEL_SERVICE_", "ORIEL_PORT", "ORIEL_TEST_"].contains { name.hasPrefix($0) }
        }.map { "the environment variable \($0) is no setting and has no effect" + hint($0, known) }
    }

    private struct Given {
        let texts: [String]
        let place: String
    }

    /// The command line finds the daemon by its socket, so there is one even where the listeners were chosen by hand.
    private func addSocket(to configuration: inout CollectorConfiguration, isDefault: Bool) {
        let path = CollectorConfiguration.socketPath(dataFolder: configuration.dataFolder)
        if isDefault || configuration.listeners.contains(where: { $0.address == .unix(path: path) }) { return }
        configuration.listeners.append(ListenerConfiguration(address: .unix(path: path)))
    }

    // The file

    private func chooseFile() throws(ConfigurationError) -> String? {
        if let path = flags["--config"]?.last { return try existing(path, "--config") }
        if let path = environment["ORIEL_CONFIG"], !path.isEmpty { return try existing(path, "ORIEL_CONFIG") }
        return ["oriel.yaml", "/etc/oriel/oriel.yaml"].first { FileManager.default.fileExists(atPath: $0) }
    }

    private func existing(_ path: String, _ place: String) throws(ConfigurationError) -> String {
        guard FileManager.default.fileExists(atPath: path) else {
            throw ConfigurationError(place: place, problem: "there is no file \(path)")
        }
        return path
    }

    /// - Returns: the nodes of the listeners if they are given in their long form.
    private func read(_ file: String, into given: inout [String: Given]) throws(ConfigurationError) -> [YAMLNode]? {
        let bytes: [UInt8]
        do {
            bytes = try FileText.read(file, limit: 1 << 20)
        } catch {
            throw ConfigurationError(place: file, problem: "it cannot be read: \(error)")
        }
        let root: YAMLNode?
        do {
            root = try YAMLReader.read(bytes)
        } catch {
            throw ConfigurationError(place: "\(file):\(error.position)", problem: error.problem)
        }
        guard let root else { return nil }
        var listeners: [YAMLNode]?
        try walk(root, prefix: "", file: file, into: &given, listeners: &listeners)
        return listeners
    }

    private func walk(
        _ node: YAMLNode, prefix: String, file: String, into given: inout [String: Given], listeners: inout [YAMLNode]?
    ) throws(ConfigurationError) {
        guard case .mapping(let entries) = node.value else {
            let name = prefix.isEmpty ? "the file" : prefix
            throw ConfigurationError(place: "\(file):\(node.position)", problem: "\(name) must hold settings, as in \"key: value\"")
        }
        let known = ConfigurationSetting.all.map(\.path) + ["data"]
        for entry in entries {
            let path = prefix.isEmpty ? entry.key : "\(prefix).\(entry.key)"
            let place = "\(file):\(entry.value.position)"
            if known.contains(path) {
                if path == "listeners", case .sequence(let items) = entry.value.value {
                    listeners = items
                    given[path] = Given(texts: [], place: place)
                } else {
                    given[path] = Given(texts: try texts(entry.value, path: path, file: file), place: place)
                }
            } else if known.contains(where: { $0.hasPrefix(path + ".") }) {
                if case .scalar(let text, true) = entry.value.value, text.isEmpty || text == "~" || text == "null" { continue }
                try walk(entry.value, prefix: path, file: file, into: &given, listeners: &listeners)
            } else {
                let siblings = Set(
                    known.filter { prefix.isEmpty || $0.hasPrefix(prefix + ".") }
                        .compactMap { $0.dropFirst(prefix.isEmpty ? 0 : prefix.count + 1).split(separator: ".").first.map(String.init) })
                throw ConfigurationError(
                    place: "\(file):\(entry.keyPosition)",
                    problem: "unknown setting \"\(path)\"" + hint(entry.key, siblings.sorted(), orList: true))
            }
        }
    }

    private func texts(_ node: YAMLNode, path: String, file: String) throws(ConfigurationError) -> [String] {
        switch node.value {
        case .scalar(let text, _):
            return [text]
        case .sequence(let items):
            let isList = ConfigurationSetting.all.contains { $0.path == path && $0.isList }
            guard isList else { throw ConfigurationError(place: "\(file):\(node.position)", problem: "\(path) takes one value, not a list") }
            return try items.map { (item) throws(ConfigurationError) in
                guard case .scalar(let text, _) = item.value else {
                    throw ConfigurationError(place: "\(file):\(item.position)", problem: "\(path) is a list of texts")
                }
                return text
            }
        case .mapping:
            throw ConfigurationError(place: "\(file):\(node.position)", problem: "\(path) takes a value, not settings of its own")
        }
    }

    /// A listener: its address alone, or `{address, roles, tls: {certificate, key, client_ca}, optional}`.
    private func listener(_ node: YAMLNode, file: String) throws(ConfigurationError) -> ListenerConfiguration {
        let place = { (node: YAMLNode) in "\(file):\(node.position)" }
        let text = { (node: YAMLNode, name: String) throws(ConfigurationError) -> String in
            guard case .scalar(let text, _) = node.value else {
                throw ConfigurationError(place: "\(file):\(node.position)", problem: "\(name) takes one value")
            }
            return text
        }
        let address = { (node: YAMLNode) throws(ConfigurationError) -> ListenerAddress in
            do {
                return try ListenerAddress(parsing: try text(node, "address"))
            } catch let error as ListenerAddressError {
                throw ConfigurationError(place: "\(file):\(node.position)", problem: "\(error)")
            } catch let error as ConfigurationError {
                throw error
            } catch {
                throw ConfigurationError(place: "\(file):\(node.position)", problem: "\(error)")
            }
        }
        if case .scalar = node.value { return ListenerConfiguration(address: try address(node)) }
        guard case .mapping(let entries) = node.value else {
            throw ConfigurationError(place: place(node), problem: "a listener is an address or {address, roles, tls, optional}")
        }
        var found: ListenerAddress?
        var roles: Set<ListenerRole>?
        var tls: ListenerConfiguration.TLSFiles?
        var isOptional = false
        for entry in entries {
            switch entry.key {
            case "address": found = try address(entry.value)
            case "roles": roles = try self.roles(entry.value, file: file)
            case "tls": tls = try self.tls(entry.value, file: file)
            case "optional":
                let word = try text(entry.value, "optional")
                guard ["true", "false"].contains(word) else {
                    throw ConfigurationError(place: place(entry.value), problem: "optional: \"\(word)\" is neither true nor false")
                }
                isOptional = word == "true"
            default:
                throw ConfigurationError(
                    place: "\(file):\(entry.keyPosition)",
                    problem: "unknown setting \"\(entry.key)\" of a listener" + hint(entry.key, ["address", "roles", "tls", "optional"], orList: true))
            }
        }
        guard let found else { throw ConfigurationError(place: place(node), problem: "the listener has no address") }
        var listener = ListenerConfiguration(address: found, roles: roles, tls: tls)
        listener.isOptional = isOptional
        return listener
    }

    private func roles(_ node: YAMLNode, file: String) throws(ConfigurationError) -> Set<ListenerRole> {
        guard case .sequence(let items) = node.value else {
            throw ConfigurationError(place: "\(file):\(node.position)", problem: "roles is a list, as in [ingest, query]")
        }
        var roles: Set<ListenerRole> = []
        for item in items {
            let known = ListenerRole.allCases.map(\.rawValue)
            guard case .scalar(let name, _) = item.value, let role = ListenerRole(rawValue: name) else {
                var problem = "a role is one of \(known.joined(separator: ", "))"
                if case .scalar(let name, _) = item.value { problem = "unknown role \"\(name)\"" + hint(name, known, orList: true) }
                throw ConfigurationError(place: "\(file):\(item.position)", problem: problem)
            }
            roles.insert(role)
        }
        return roles
    }

    private func tls(_ node: YAMLNode, file: String) throws(ConfigurationError) -> ListenerConfiguration.TLSFiles {
        var certificate: String?
        var key: String?
        var clientAuthorities: String?
        if case .mapping(let entries) = node.value {
            for entry in entries {
                guard case .scalar(let path, _) = entry.value.value else {
                    throw ConfigurationError(place: "\(file):\(entry.value.position)", problem: "\(entry.key) is the path of a file")
                }
                switch entry.key {
                case "certificate": certificate = path
                case "key": key = path
                case "client_ca": clientAuthorities = path
                default:
                    throw ConfigurationError(
                        place: "\(file):\(entry.keyPosition)",
                        problem: "unknown setting \"tls.\(entry.key)\"" + hint(entry.key, ["certificate", "key", "client_ca"], orList: true))
                }
            }
        }
        guard let certificate, let key else {
            throw ConfigurationError(place: "\(file):\(node.position)", problem: "tls needs certificate and key, the paths of two PEM files")
        }
        return .init(certificate: certificate, key: key, clientAuthorities: clientAuthorities)
    }

    private func hint(_ word: String, _ known: some Sequence<String>, orList: Bool = false) -> String {
        let hint = Suggestion.hint(for: word, in: known)
        return hint.isEmpty && orList ? " (known here: \(known.sorted().joined(separator: ", ")))" : hint
    }

    private static func trim(_ text: Substring) -> String {
        var text = text
        while text.first == " " { text = text.dropFirst() }
        while text.last == " " { text = text.dropLast() }
        return String(text)
    }
}
