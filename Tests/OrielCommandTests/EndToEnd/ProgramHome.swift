import Foundation
import OrielTelemetry
import Testing

@testable import OrielCommand

/// The home of the user who runs the program in one test, with the data folder in it; gone with its owner.
final class ProgramHome {
    let url: URL
    var data: String { url.appendingPathComponent("data").path }

    init(_ name: String) throws {
        // Short, since a unix socket's path has 107 bytes.
        url = URL(fileURLWithPath: "/tmp/oriel-\(name)-\(getpid())-\(UInt32.random(in: 0..<1 << 20))")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit {
        do {
            try FileManager.default.removeItem(at: url)
        } catch {
            // A leftover in /tmp fails no test.
        }
    }

    /// Starts the daemon on a free port, and waits until it listens.
    func serve(_ folder: String? = nil, _ arguments: [String] = []) async throws -> RunningProgram {
        let server = try BuiltProgram.start(["serve", "--data", folder ?? data, "--listen", "tcp://127.0.0.1:0"] + arguments, home: url)
        try await wait(for: "the server to listen") { try server.port() != nil }
        return server
    }
}

extension RunningProgram {
    /// The port that a daemon's log names, once it listens on all addresses.
    func port() throws -> Int? {
        let text = try output()
        guard let match = text.firstMatch(of: /127\.0\.0\.1:(\d+)/), text.contains("oriel.sock") else { return nil }
        return Int(match.1)
    }

    func post(_ path: String, _ json: String) throws {
        var connection = try BlockingHTTPConnection(LoadEndpoint(host: "127.0.0.1", port: try #require(try port())))
        let response = try connection.send(method: "POST", path: path, headers: [("content-type", "application/json")], body: Array(json.utf8))
        #expect(response.status == 200, "\(path): \(String(decoding: response.body, as: UTF8.self))")
    }

    /// Sends a log record of now.
    func log(_ body: String, service: String = "shop", severity: Int = 9, severityText: String = "") throws {
        try post(
            "/v1/logs",
            """
            {"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"\(service)"}}]},"scopeLogs":[{"logRecords":[
            {"timeUnixNano":"\(Timestamp.now.nanoseconds)","severityNumber":\(severity),"severityText":"\(severityText)","body":{"stringValue":"\(body)"}}]}]}]}
            """)
    }

    /// Sends a span of now.
    func span(trace: String, service: String) throws {
        let now = Timestamp.now.nanoseconds
        try post(
            "/v1/traces",
            """
            {"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"\(service)"}}]},"scopeSpans":[{"spans":[
            {"traceId":"\(trace)","spanId":"a1a2a3a4a5a6a7a8","name":"GET /","kind":2,"startTimeUnixNano":"\(now - 1_000_000)","endTimeUnixNano":"\(now)"}]}]}]}
            """)
    }
}
