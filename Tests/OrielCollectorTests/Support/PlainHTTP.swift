import OrielTelemetry

@testable import OrielCollector

/// One HTTP/1.1 request over a connection of its own, and its answer.
struct PlainHTTP {
    var status: Int
    /// Lower-case names.
    var headers: [String: String]
    var body: String

    /// - Parameter token: shown as a bearer token.
    static func send(
        _ method: String = "GET", _ target: String, to live: LiveCollector, isOverSocket: Bool = false, token: String? = nil, headers: [String: String] = [:],
        body: String? = nil
    ) async throws -> PlainHTTP {
        let connection =
            isOverSocket
            ? try await RawConnection.connect(unix: CollectorConfiguration.socketPath(dataFolder: live.folder.path))
            : try await RawConnection.connect(port: live.port())
        try await connection.send(head(method, target, token: token, headers: headers, body: body, closes: true) + (body ?? ""))
        let text = try await connection.receiveAll()
        await connection.close()
        guard let end = text.firstRange(of: "\r\n\r\n") else { throw Malformed(text: text) }
        var lines = text[..<end.lowerBound].split(separator: "\r\n")
        guard let status = lines.removeFirst().split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else { throw Malformed(text: text) }
        var found: [String: String] = [:]
        for line in lines {
            guard let colon = line.firstIndex(of: ":") else { continue }
            found[line[..<colon].lowercased()] = String(line[line.index(after: colon)...].drop { $0 == " " })
        }
        return PlainHTTP(status: status, headers: found, body: String(text[end.upperBound...]))
    }

    static func head(
        _ method: String, _ target: String, token: String? = nil, headers: [String: String] = [:], body: String? = nil, closes: Bool = false
    ) -> String {
        var text = "\(method) \(target) HTTP/1.1\r\nHost: localhost\r\n"
        if closes { text += "Connection: close\r\n" }
        if let token { text += "Authorization: Bearer \(token)\r\n" }
        for (name, value) in headers { text += "\(name): \(value)\r\n" }
        if let body { text += "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n" }
        return text + "\r\n"
    }

    struct Malformed: Error {
        let text: String
    }
}

extension LiveCollector {
    /// Makes a token as the command line does.
    func makeToken(_ name: String, _ scopes: [String], tenant: String? = nil, limits: String = "{}") async throws -> String {
        let tenant = tenant.map { "\"\($0)\"" } ?? "null"
        let names = scopes.map { "\"\($0)\"" }.joined(separator: ",")
        let answer = try await PlainHTTP.send(
            "POST", TokenRoutes.path, to: self, isOverSocket: true,
            body: #"{"name":"\#(name)","scopes":[\#(names)],"tenant":\#(tenant),"limits":\#(limits)}"#)
        guard answer.status == 201, let token = try JSONTree(Array(answer.body.utf8))["token"]?.text else {
            throw PlainHTTP.Malformed(text: answer.body)
        }
        return token
    }
}
