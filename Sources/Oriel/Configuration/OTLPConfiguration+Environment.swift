import OrielClient

/// What a timeout of 0 stands for.
enum OTLPTimeout {
    /// OpenTelemetry means "no limit"; a thread that waits for ever could never be ended.
    static let unlimited: Duration = .seconds(3600)
}

extension Oriel.OTLPConfiguration {
    private static let prefix = "OTEL_EXPORTER_OTLP"

    mutating func read(_ reader: inout EnvironmentReader) {
        let general = Self.prefix
        readEndpoints(&reader)
        for signal in ExportSignal.allCases {
            let own = "\(general)_\(signal.otlpName.uppercased())"
            for prefix in [general, own] {
                readHeaders("\(prefix)_HEADERS", &self[signal].headers, &reader, isFirst: signal == .logs || prefix == own)
                var receiver = self[signal]
                var quiet = reader
                quiet.choice("\(prefix)_COMPRESSION", &receiver.compression)
                quiet.milliseconds("\(prefix)_TIMEOUT", zero: OTLPTimeout.unlimited, &receiver.timeout)
                if let file = quiet.variables["\(prefix)_CERTIFICATE"] { receiver.certificateFile = file }
                if let file = quiet.variables["\(prefix)_CLIENT_CERTIFICATE"] { receiver.clientCertificateFile = file }
                if let file = quiet.variables["\(prefix)_CLIENT_KEY"] { receiver.clientKeyFile = file }
                // The general variables are read for each signal, but what is wrong with them is told once.
                if signal == .logs || prefix == own { reader = quiet }
                self[signal] = receiver
            }
        }
    }

    // MARK: Headers

    private func readHeaders(_ name: String, _ headers: inout [String: String], _ reader: inout EnvironmentReader, isFirst: Bool) {
        guard let value = reader.variables[name] else { return }
        guard let pairs = KeyValueList.read(value), pairs.allSatisfy({ Self.isHeader($0.key, $0.value) }) else {
            // Headers hold tokens, so the value is not told.
            if isFirst {
                reader.note(name, "…", expected: "key=value pairs with commas between them, percent-encoded where needed", used: "no headers from it")
            }
            return
        }
        for (key, value) in pairs {
            // Names of headers have no case.
            if let known = headers.keys.first(where: { $0.lowercased() == key.lowercased() }) { headers[known] = nil }
            headers[key] = value
        }
    }

    /// Whether a name is a token of RFC 9110, and a value has nothing that would end the header.
    private static func isHeader(_ name: String, _ value: String) -> Bool {
        let marks = Array("!#$%&'*+-.^_`|~".utf8)
        let isToken = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
            default: marks.contains(byte)
            }
        }
        return isToken && value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
    }

    // MARK: Endpoints

    private mutating func readEndpoints(_ reader: inout EnvironmentReader) {
        let protocolName = "\(Self.prefix)_PROTOCOL"
        let general = Dialect(reader.variables[protocolName])
        note(general, protocolName, Self.defaultBase, &reader)
        let baseName = "\(Self.prefix)_ENDPOINT"
        let base = reader.variables[baseName].flatMap { endpoint(baseName, $0, general, used: Self.defaultBase, &reader) }
        if let base { setBase(base) }

        for signal in ExportSignal.allCases {
            let own = "\(Self.prefix)_\(signal.otlpName.uppercased())"
            let ownProtocol = reader.variables["\(own)_PROTOCOL"]
            let dialect = ownProtocol == nil ? general : Dialect(ownProtocol)
            // A URL of one signal is used as it is, but that of a gRPC receiver has no path, and the port of gRPC.
            if let value = reader.variables["\(own)_ENDPOINT"],
                let url = endpoint("\(own)_ENDPOINT", value, dialect, used: self[signal].endpoint, &reader)
            {
                self[signal].endpoint = dialect.isGRPC ? Self.endpoint(signal, base: url) : url
            } else if dialect.isGRPC, !general.isGRPC {
                self[signal].endpoint = ReceiverURL.withHTTPPort(self[signal].endpoint)
            }
            if ownProtocol != nil { note(dialect, "\(own)_PROTOCOL", self[signal].endpoint, &reader) }
        }
    }

    /// A protocol that was asked for.
    private enum Dialect {
        case protobuf
        case other(String)

        init(_ name: String?) {
            self = name.map { $0.lowercased() == "http/protobuf" ? .protobuf : .other($0) } ?? .protobuf
        }

        var isGRPC: Bool {
            if case .other(let name) = self { name.lowercased() == "grpc" } else { false }
        }
    }

    private func note(_ dialect: Dialect, _ name: String, _ endpoint: String, _ reader: inout EnvironmentReader) {
        guard case .other(let value) = dialect else { return }
        reader.note(name, value, expected: "http/protobuf", used: "http/protobuf, on port 4318 where the port would be gRPC's")
    }

    private func endpoint(_ name: String, _ value: String, _ dialect: Dialect, used: String, _ reader: inout EnvironmentReader) -> String? {
        let url = dialect.isGRPC ? ReceiverURL.withHTTPPort(value.contains("://") ? value : "http://\(value)") : value
        guard ReceiverURL.isValid(url) else {
            reader.note(name, ReceiverURL.withoutSecret(value), expected: "a URL that begins with http:// or https://", used: ReceiverURL.withoutSecret(used))
            return nil
        }
        return url
    }
}

/// What has to be known about the URL of a receiver before anybody connects to it.
enum ReceiverURL {
    /// Whether it has the scheme of HTTP, a host, and a port that is one if there is any.
    static func isValid(_ url: String) -> Bool {
        guard let authority = authority(url), url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return false }
        let host = authority.lastIndex(of: "@").map { authority[authority.index(after: $0)...] } ?? authority
        guard let colon = host.lastIndex(of: ":"), !host.hasSuffix("]") else { return !host.isEmpty }
        guard let port = Int(host[host.index(after: colon)...]) else { return false }
        return colon > host.startIndex && (1...65_535).contains(port)
    }

    /// The same with 4318 for the port that gRPC has.
    static func withHTTPPort(_ url: String) -> String {
        guard let authority = authority(url), authority.hasSuffix(":4317") else { return url }
        return url[..<authority.endIndex].dropLast(4) + "4318" + url[authority.endIndex...]
    }

    /// The same without user and password.
    static func withoutSecret(_ url: String) -> String {
        guard let authority = authority(url), let at = authority.lastIndex(of: "@") else { return url }
        return url[..<authority.startIndex] + "…" + url[at...]
    }

    private static func authority(_ url: String) -> Substring? {
        let lowercased = url.lowercased()
        guard let scheme = ["http://", "https://"].first(where: { lowercased.hasPrefix($0) }) else { return nil }
        return url.dropFirst(scheme.count).prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    }
}
