import OrielClient

/// A URL that requests go to, taken apart.
struct OTLPEndpoint: Hashable, Sendable {
    enum Address: Hashable, Sendable {
        /// A name or an address, without brackets.
        case host(String, port: UInt16)
        case unix(path: String)
    }

    let address: Address
    let isSecure: Bool
    /// Path and query, as a request says them.
    let target: String

    /// What `Host` says.
    var authority: String {
        switch address {
        case .unix: return "localhost"
        case .host(let name, let port):
            // A zone is of this machine only.
            let bare = name.contains(":") ? "[\(name.prefix { $0 != "%" })]" : name
            return port == (isSecure ? 443 : 80) ? bare : "\(bare):\(port)"
        }
    }

    /// Whether the host is this machine by what it is called.
    var isLocal: Bool {
        guard case .host(let name, _) = address else { return true }
        let lowercased = name.lowercased()
        if lowercased == "localhost" || lowercased.hasSuffix(".localhost") || lowercased == "::1" { return true }
        let numbers = lowercased.split(separator: ".", omittingEmptySubsequences: false)
        return numbers.count == 4 && numbers[0] == "127" && numbers.allSatisfy { UInt8($0) != nil }
    }

    /// The receiver, for messages.
    var receiver: String {
        switch address {
        case .unix(let path): "unix:\(path)"
        case .host: "\(isSecure ? "https" : "http")://\(authority)"
        }
    }

    /// - Parameters:
    ///   - signal: what is sent there.
    ///   - isBase: whether the path of the signal is added.
    init(_ text: String, signal: ExportSignal, isBase: Bool) throws(OTLPExporterError) {
        let parts = try Parts(text)
        let signalPath =
            switch signal {
            case .logs: "/v1/logs"
            case .metrics: "/v1/metrics"
            case .spans: "/v1/traces"
            }
        address = parts.address
        isSecure = parts.isSecure
        guard let path = parts.path else {
            target = signalPath
            return
        }
        var base = path
        if isBase {
            while base.hasSuffix("/") { base.removeLast() }
            base += signalPath
        } else if base.isEmpty {
            base = "/"
        }
        target = base + parts.query
    }

    private struct Parts {
        let address: Address
        let isSecure: Bool
        /// `nil` where the form of the URL has no room for one.
        var path: String?
        /// With its question mark.
        var query = ""

        init(_ text: String) throws(OTLPExporterError) {
            let shown = EndpointText.withoutSecrets(text)
            func fault(_ reason: String) -> OTLPExporterError { .invalidEndpoint(shown, reason: reason) }

            guard !text.isEmpty else { throw fault("it is empty; a right one is http://localhost:4318") }
            guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { throw fault("spaces and letters beyond ASCII must be percent-encoded") }
            guard let colon = text.firstIndex(of: ":") else { throw fault("a scheme is missing; http://\(shown) may be meant") }
            let scheme = text[..<colon].lowercased()
            let rest = text[text.index(after: colon)...]
            switch scheme {
            case "unix":
                let path = rest.hasPrefix("///") ? rest.dropFirst(2) : rest
                guard path.hasPrefix("/"), !path.hasPrefix("//") else { throw fault("a path must follow, as in unix:/run/oriel.sock") }
                address = .unix(path: try Self.socketPath(String(path), fault))
                isSecure = false
            case "http", "https", "http+unix":
                guard rest.hasPrefix("//") else { throw fault("// must follow the scheme, as in \(scheme)://localhost:4318") }
                let content = rest.dropFirst(2).prefix { $0 != "#" }
                let authority = content.prefix { $0 != "/" && $0 != "?" }
                let target = content[authority.endIndex...]
                path = String(target.prefix { $0 != "?" })
                query = String(target.drop { $0 != "?" })
                isSecure = scheme == "https"
                if authority.contains("@") { throw fault("it holds a user; send credentials by a header, such as Authorization") }
                if scheme == "http+unix" {
                    guard let decoded = Self.percentDecoded(authority), decoded.hasPrefix("/") else {
                        throw fault("the path of the socket must be percent-encoded, as in http+unix://%2Frun%2Foriel.sock")
                    }
                    address = .unix(path: try Self.socketPath(decoded, fault))
                } else {
                    address = try Self.host(authority, isSecure: isSecure, fault)
                }
            case "grpc", "grpcs": throw fault("OTLP is sent over HTTP here; a right one is http://localhost:4318")
            default:
                // "localhost:4318" looks like a scheme, too.
                let isPort = UInt16(rest.prefix { $0 != "/" }) != nil
                throw fault(isPort ? "a scheme is missing; http://\(shown) may be meant" : "the scheme must be http, https, unix or http+unix")
            }
        }

        private static func host(_ authority: Substring, isSecure: Bool, _ fault: (String) -> OTLPExporterError) throws(OTLPExporterError) -> Address {
            let name: Substring
            var rest: Substring
            if authority.hasPrefix("[") {
                guard let end = authority.firstIndex(of: "]") else { throw fault("the bracket of the address does not close") }
                name = authority[authority.index(after: authority.startIndex)..<end]
                rest = authority[authority.index(after: end)...]
                guard name.contains(":") else { throw fault("in brackets there must be an IPv6 address, as in http://[::1]:4318") }
            } else {
                name = authority.prefix { $0 != ":" }
                rest = authority[name.endIndex...]
                if rest.dropFirst().contains(":") { throw fault("an IPv6 address must be in brackets, as in http://[::1]:4318") }
            }
            guard let host = percentDecoded(name), !host.isEmpty, host.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else {
                throw fault("it names no host; a right one is http://localhost:4318")
            }
            guard !rest.isEmpty else { return .host(host, port: isSecure ? 443 : 80) }
            guard rest.removeFirst() == ":", let port = rest.isEmpty ? (isSecure ? 443 : 80) : UInt16(rest), port > 0 else {
                throw fault("the port must be a number from 1 to 65535")
            }
            return .host(host, port: port)
        }

        private static func socketPath(_ path: String, _ fault: (String) -> OTLPExporterError) throws(OTLPExporterError) -> String {
            guard path.utf8.count <= SocketAddress.maximumUnixPathBytes, !path.utf8.contains(0) else {
                throw fault("the path of a socket has \(SocketAddress.maximumUnixPathBytes) bytes at most")
            }
            return path
        }

        private static func percentDecoded(_ text: Substring) -> String? {
            var bytes: [UInt8] = []
            var rest = text.utf8[...]
            while let byte = rest.popFirst() {
                guard byte == UInt8(ascii: "%") else {
                    bytes.append(byte)
                    continue
                }
                guard let high = rest.popFirst(), let low = rest.popFirst(),
                    let value = UInt8(String(decoding: [high, low], as: UTF8.self), radix: 16)
                else { return nil }
                bytes.append(value)
            }
            return String(validating: bytes, as: UTF8.self)
        }
    }
}
