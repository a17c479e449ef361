/// Where load is sent: a plain HTTP endpoint, as `OTEL_EXPORTER_OTLP_ENDPOINT` names it.
struct LoadEndpoint: Sendable, CustomStringConvertible {
    var host: String
    var port: Int
    /// What stands before `/v1/traces`, without a trailing slash.
    var basePath = ""

    init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Parses `http://host:port/base`; the port is 4318 when it is left out.
    ///
    /// - Throws: ``LoadError`` that names what is wrong.
    init(parsing text: String) throws(LoadError) {
        guard text.hasPrefix("http://") else {
            throw LoadError(
                text.hasPrefix("https://")
                    ? "the load generator speaks plain HTTP only: use an http:// endpoint" : "\"\(text)\" is no endpoint: expected http://HOST:PORT")
        }
        let rest = text.dropFirst("http://".count)
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        let authority = rest[..<slash]
        basePath = String(rest[slash...])
        while basePath.hasSuffix("/") { basePath.removeLast() }
        var hostText = authority
        var portText: Substring = "4318"
        if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") {
            hostText = authority[authority.index(after: authority.startIndex)..<end]
            let after = authority[authority.index(after: end)...]
            if after.hasPrefix(":") { portText = after.dropFirst() }
        } else if let colon = authority.lastIndex(of: ":") {
            hostText = authority[..<colon]
            portText = authority[authority.index(after: colon)...]
        }
        guard !hostText.isEmpty, let port = Int(portText), (1...65535).contains(port) else {
            throw LoadError("\"\(text)\" is no endpoint: expected http://HOST:PORT")
        }
        host = String(hostText)
        self.port = port
    }

    var authority: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
    var description: String { "http://\(authority)\(basePath)" }
}

/// What keeps a load run from going on, in words.
struct LoadError: Error, Sendable, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
