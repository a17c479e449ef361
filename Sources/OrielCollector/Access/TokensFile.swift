import OrielStore
import OrielTelemetry

/// Reads the tokens that exist before the first start, from YAML:
///
/// ```yaml
/// tokens:
///   - name: gateway
///     token: oriel_…            # or sha256: the SHA-256 of the token, in hexadecimal
///     scopes: [ingest]
///     tenant: acme              # optional
///     limits:                   # optional, each
///       requests: 32
///       queries: 4
///       ingest_bytes_per_second: 4MiB
/// ```
enum TokensFile {
    /// A token that people think up can be guessed; the shortest that a generator makes is longer than this.
    static let minimumTokenLength = 20

    /// - Throws: with file, line and column.
    static func read(_ path: String) throws(ConfigurationError) -> [TokenRecord] {
        let bytes: [UInt8]
        do {
            bytes = try FileText.read(path, limit: 1 << 20)
        } catch {
            throw ConfigurationError(place: path, problem: "the tokens file cannot be read: \(error)")
        }
        return try parse(bytes, path: path)
    }

    static func parse(_ bytes: [UInt8], path: String) throws(ConfigurationError) -> [TokenRecord] {
        let root: YAMLNode?
        do {
            root = try YAMLReader.read(bytes)
        } catch {
            throw ConfigurationError(place: "\(path):\(error.position)", problem: error.problem)
        }
        var records: [TokenRecord] = []
        let reader = Reader(path: path)
        for (key, value) in try reader.entries(root, "the file", ["tokens"]) where key == "tokens" {
            guard case .sequence(let items) = value.value else { throw reader.error(value, "tokens is a list") }
            for item in items {
                let record = try reader.token(item)
                guard !records.contains(where: { $0.name == record.name || $0.digest == record.digest }) else {
                    throw reader.error(item, "the name or the token of \"\(record.name)\" occurs twice")
                }
                records.append(record)
            }
        }
        return records
    }

    private struct Reader {
        let path: String

        func error(_ node: YAMLNode, _ problem: String) -> ConfigurationError {
            ConfigurationError(place: "\(path):\(node.position)", problem: problem)
        }

        func entries(_ node: YAMLNode?, _ name: String, _ known: [String]) throws(ConfigurationError) -> [(key: String, value: YAMLNode)] {
            guard let node else { return [] }
            guard case .mapping(let entries) = node.value else { throw error(node, "\(name) must hold settings, as in \"\(known[0]): …\"") }
            for entry in entries where !known.contains(entry.key) {
                throw ConfigurationError(
                    place: "\(path):\(entry.keyPosition)",
                    problem: "unknown setting \"\(entry.key)\"\(Suggestion.hint(for: entry.key, in: known)); known are \(known.joined(separator: ", "))")
            }
            return entries.map { ($0.key, $0.value) }
        }

        func text(_ node: YAMLNode, _ name: String) throws(ConfigurationError) -> String {
            guard case .scalar(let text, _) = node.value else { throw error(node, "\(name) takes one value") }
            return text
        }

        func token(_ node: YAMLNode) throws(ConfigurationError) -> TokenRecord {
            var order = TokenRegistry.Order(name: "", scopes: [])
            var digest: [UInt8]?
            for (key, value) in try entries(node, "a token", ["name", "token", "sha256", "scopes", "tenant", "limits"]) {
                switch key {
                case "name": order.name = try text(value, key)
                case "tenant": order.tenant = try text(value, key)
                case "scopes": order.scopes = try scopes(value)
                case "limits": order.limits = try limits(value)
                default:
                    guard digest == nil else { throw error(value, "token and sha256 exclude each other") }
                    digest = key == "token" ? try self.digest(ofToken: value) : try self.digest(value)
                }
            }
            guard let digest else { throw error(node, "the token \"\(order.name)\" has neither token nor sha256") }
            do {
                try order.check()
            } catch {
                throw self.error(node, error.message)
            }
            return TokenRecord(
                id: TokenRegistry.id(of: digest), name: order.name, digest: digest, scopes: order.scopes, tenant: order.tenant, limits: order.limits,
                created: Timestamp(nanoseconds: 0))
        }

        private func digest(ofToken node: YAMLNode) throws(ConfigurationError) -> [UInt8] {
            let token = try text(node, "token")
            guard token.utf8.count >= minimumTokenLength, token.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
                throw error(
                    node,
                    "a token has at least \(minimumTokenLength) printable characters without spaces; make one with: openssl rand -hex 32")
            }
            return Array(AccessToken.digest(of: token))
        }

        private func digest(_ node: YAMLNode) throws(ConfigurationError) -> [UInt8] {
            let digits = Array(try text(node, "sha256").utf8)
            var bytes: [UInt8] = []
            for index in stride(from: 0, to: digits.count - 1, by: 2) {
                guard let high = Hexadecimal.nibble(digits[index]), let low = Hexadecimal.nibble(digits[index + 1]) else { break }
                bytes.append(high << 4 | low)
            }
            guard digits.count == 64, bytes.count == 32 else { throw error(node, "sha256 has 64 hexadecimal digits, as sha256sum prints them") }
            return bytes
        }

        private func scopes(_ node: YAMLNode) throws(ConfigurationError) -> Set<AccessScope> {
            guard case .sequence(let items) = node.value else { throw error(node, "scopes is a list, as in [ingest, query]") }
            var scopes: Set<AccessScope> = []
            for item in items {
                let name = try text(item, "a scope")
                let known = AccessScope.allCases.map(\.rawValue)
                guard let scope = AccessScope(rawValue: name) else {
                    throw error(item, "unknown scope \"\(name)\"\(Suggestion.hint(for: name, in: known)); there are \(known.joined(separator: ", "))")
                }
                scopes.insert(scope)
            }
            return scopes
        }

        private func limits(_ node: YAMLNode) throws(ConfigurationError) -> TokenLimits {
            var limits = TokenLimits()
            for (key, value) in try entries(node, "limits", ["requests", "queries", "ingest_bytes_per_second"]) {
                let text = try text(value, key)
                guard let number = key == "ingest_bytes_per_second" ? SizeText.parse(text) : Int(text), number > 0 else {
                    throw error(value, "\(key) is a number from 1 up" + (key == "ingest_bytes_per_second" ? ", as in 4MiB" : ""))
                }
                switch key {
                case "requests": limits.requests = number
                case "queries": limits.queries = number
                default: limits.ingestBytesPerSecond = number
                }
            }
            return limits
        }
    }
}
