import OrielClient
import OrielExporterOTLP

/// What a timeout of 0 stands for.
enum OTLPTimeout {
    /// OpenTelemetry means "no limit"; a thread that waits for ever could never be ended.
    static let unlimited: Duration = .seconds(3600)
}

extension Oriel.OTLPConfiguration {
    private static let prefix = "OTEL_EXPORTER_OTLP"

    private static func prefix(_ signal: ExportSignal) -> String { "\(prefix)_\(signal.otlpName.uppercased())" }

    mutating func read(_ reader: inout EnvironmentReader) {
        let general = Self.prefix
        readEndpoints(&reader)
        readHeaders(&reader)
        for signal in ExportSignal.allCases {
            let own = Self.prefix(signal)
            for prefix in [general, own] {
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

    /// Those of a signal take the place of the general ones, as in all SDKs: the receiver of one signal is not to get the key for another one.
    private mutating func readHeaders(_ reader: inout EnvironmentReader) {
        let general = headers("\(Self.prefix)_HEADERS", &reader)
        for signal in ExportSignal.allCases { self[signal].headers = headers("\(Self.prefix(signal))_HEADERS", &reader) ?? general ?? [:] }
    }

    /// - Returns: `nil` where nothing is said; none at all where something is wrong.
    private func headers(_ name: String, _ reader: inout EnvironmentReader) -> [String: String]? {
        guard let value = reader.variables[name] else { return nil }
        let expected = "key=value pairs with commas between them, percent-encoded where needed"
        // Headers hold tokens, so the value is not told.
        let (shown, used) = ("…", "no headers")
        guard let pairs = KeyValueList.read(value) else {
            reader.note(name, shown, expected: expected, used: used)
            return [:]
        }
        var headers: [String: String] = [:]
        do throws(OTLPExporterError) {
            for (key, value) in pairs {
                try OTLPExporter.check(OTLPExporter.Header(key, value))
                // Names of headers have no case.
                headers = headers.filter { $0.key.lowercased() != key.lowercased() }
                headers[key] = value
            }
        } catch {
            reader.note(name, shown, expected: "\(expected); \(error.reason)", used: used)
            return [:]
        }
        return headers
    }

    // MARK: Endpoints

    private mutating func readEndpoints(_ reader: inout EnvironmentReader) {
        let protocolName = "\(Self.prefix)_PROTOCOL"
        let general = Dialect(reader.variables[protocolName])
        note(general, protocolName, &reader)
        for signal in ExportSignal.allCases {
            let own = Self.prefix(signal)
            let ownProtocol = reader.variables["\(own)_PROTOCOL"]
            let dialect = ownProtocol == nil ? general : Dialect(ownProtocol)
            let isInsecure = isInsecure(signal, &reader)
            if let base = url("\(Self.prefix)_ENDPOINT", general.isGRPC || dialect.isGRPC, isInsecure, used: Self.defaultBase, &reader) {
                self[signal].endpoint = Self.endpoint(signal, base: base)
            }
            // A URL of one signal is used as it is, but that of a gRPC receiver has no path.
            if let url = url("\(own)_ENDPOINT", dialect.isGRPC, isInsecure, used: self[signal].endpoint, &reader) {
                self[signal].endpoint = dialect.isGRPC ? Self.endpoint(signal, base: url) : url
            }
            if ownProtocol != nil { note(dialect, "\(own)_PROTOCOL", &reader) }
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

    private func note(_ dialect: Dialect, _ name: String, _ reader: inout EnvironmentReader) {
        guard case .other(let value) = dialect else { return }
        reader.note(name, value, expected: "http/protobuf", used: "http/protobuf, on port 4318 where the port would be gRPC's")
    }

    /// Whether a receiver of gRPC whose endpoint has no scheme is spoken to without TLS; `nil` where nothing is said.
    private func isInsecure(_ signal: ExportSignal, _ reader: inout EnvironmentReader) -> Bool? {
        for name in ["\(Self.prefix(signal))_INSECURE", "\(Self.prefix)_INSECURE"] where reader.variables[name] != nil {
            var result = false
            reader.boolean(name, &result)
            return result
        }
        return nil
    }

    /// The URL that a variable holds; `nil` when it holds none that can be used.
    ///
    /// - Parameters:
    ///   - isGRPC: whether it is written as for gRPC: perhaps without a scheme, which then is that of TLS, and with the port of gRPC.
    ///   - used: what is used instead.
    private func url(_ name: String, _ isGRPC: Bool, _ isInsecure: Bool?, used: String, _ reader: inout EnvironmentReader) -> String? {
        guard let value = reader.variables[name] else { return nil }
        let shown = EndpointText.withoutSecrets(value)
        var url = value
        var isAssumedSecure = false
        if isGRPC, !EndpointText.hasScheme(value) {
            // What stays on this machine needs no TLS, which few have set up there.
            let isPlain = isInsecure ?? OTLPExporter.isLocal(endpoint: "http://\(value)")
            isAssumedSecure = isInsecure == nil && !isPlain
            url = "\(isPlain ? "http" : "https")://\(value)"
        }
        if isGRPC { url = EndpointText.withHTTPPort(url) }
        do throws(OTLPExporterError) {
            try OTLPExporter.check(endpoint: url)
        } catch {
            reader.note(name, shown, expected: "the URL of a receiver (\(error.reason))", used: EndpointText.withoutSecrets(used))
            return nil
        }
        if isAssumedSecure {
            let expected = "a URL with its scheme: https:// for TLS, http:// for a plain connection, which \(Self.prefix)_INSECURE=true chooses, too"
            reader.note(name, shown, expected: expected, used: EndpointText.withoutSecrets(url))
        }
        return url
    }
}
