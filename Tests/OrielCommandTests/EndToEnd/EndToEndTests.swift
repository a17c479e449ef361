import Foundation
import OrielTelemetry
import Testing

@testable import OrielCommand

/// From a client's OTLP request through the running daemon to what the commands print.
@Suite(.serialized) final class EndToEndTests {
    private let place: ProgramHome
    private var home: URL { place.url }
    private var data: String { place.data }
    private let now = Timestamp.now.nanoseconds
    private let traceID = "5b8efff798038103d269b633813fc60c"

    init() throws { place = try ProgramHome("e2e") }

    private func log(_ body: String, severity: Int = 9, at offset: Int64 = 0, traced: Bool = false) -> String {
        let trace = traced ? #","traceId":"\#(traceID)","spanId":"eee19b7ec3c1b174""# : ""
        return """
            {"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"scopeLogs":[{"logRecords":[
            {"timeUnixNano":"\(now + offset)","severityNumber":\(severity),"body":{"stringValue":"\(body)"}\(trace)}]}]}]}
            """
    }

    private func fill(_ server: RunningProgram) throws {
        try server.post(
            "/v1/traces",
            """
            {"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"scopeSpans":[{"spans":[
            {"traceId":"\(traceID)","spanId":"eee19b7ec3c1b174","name":"GET /cart","kind":2,"startTimeUnixNano":"\(now - 900_000_000)",
            "endTimeUnixNano":"\(now - 100_000_000)","status":{"code":2,"message":"boom"},
            "attributes":[{"key":"http.response.status_code","value":{"intValue":"503"}}]},
            {"traceId":"\(traceID)","spanId":"eee19b7ec3c1b175","parentSpanId":"eee19b7ec3c1b174","name":"SELECT","kind":3,
            "startTimeUnixNano":"\(now - 800_000_000)","endTimeUnixNano":"\(now - 700_000_000)"}]}]}]}
            """)
        try server.post("/v1/logs", log("cart is broken", severity: 17, at: -500_000_000, traced: true))
        try server.post(
            "/v1/metrics",
            """
            {"resourceMetrics":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"scopeMetrics":[{"metrics":[
            {"name":"queue.depth","description":"Jobs that wait.","gauge":{"dataPoints":[{"timeUnixNano":"\(now - 1_000_000_000)","asDouble":17.5}]}}]}]}]}
            """)
    }

    private func oriel(_ arguments: String..., status: Int32 = 0, _ place: SourceLocation = #_sourceLocation) throws -> String {
        let outcome = try BuiltProgram.run(arguments, home: home)
        #expect(outcome.status == status, "\(arguments): \(outcome.output) \(outcome.errors)", sourceLocation: place)
        return outcome.output + outcome.errors
    }

    @Test func whatWasSentIsShown() async throws {
        let server = try await place.serve()
        try fill(server)
        let socket = "unix:\(data)/oriel.sock"
        let port = try #require(try server.port())

        #expect(try oriel("traces", "--server", socket).contains(traceID))
        #expect(try oriel("traces", "--server", "127.0.0.1:\(port)", "--attribute", "http.response.status_code>=500").contains("GET /cart"))
        // The folder of a running server leads to the server.
        let trace = try oriel("trace", traceID, "--data", data)
        for part in ["GET /cart", "└─ SELECT", "✗ boom", "ERROR cart is broken", "800ms"] { #expect(trace.contains(part), "\(trace)") }
        #expect(try oriel("trace", String(traceID.prefix(8)), "--server", socket) == trace)
        #expect(try oriel("logs", "--server", socket, "--severity", "error").contains("cart is broken"))
        #expect(try oriel("logs", "--server", socket, "--output", "json").contains(#""body":{"stringValue":"cart is broken"}"#))
        #expect(try oriel("metrics", "--server", socket).contains("queue_depth"))
        #expect(try oriel("metrics", "queue_depth", "--server", socket, "--output", "csv").contains(",17.5\r\n"))

        // Nothing found, mistakes, nobody there.
        #expect(try oriel("traces", "--server", socket, "--service", "nobody", status: 3).contains("no trace"))
        #expect(try oriel("trace", "00000000000000000000000000000001", "--server", socket, status: 3).contains("no trace"))
        #expect(try oriel("traces", "--server", socket, "--status", "eror", status: 2).contains("did you mean \"error\"?"))
        #expect(try oriel("traces", "--sevrice", "x", status: 2).contains("--service"))
        #expect(try oriel("traces", "--since", "whenever", status: 2).contains("RFC 3339"))
        #expect(try oriel("traces", status: 1).contains("oriel serve"))
        #expect(try oriel("traces", "--server", "127.0.0.1:1", status: 1).contains("cannot be reached"))
        #expect(try oriel("traces", "--help").contains("Examples:"))

        // The store answers without its server too.
        #expect(server.terminate() == 0)
        #expect(try oriel("trace", traceID, "--data", data) == trace)
        #expect(try oriel("logs", "--data", data).contains("cart is broken"))
    }

    @Test func aTailSurvivesARestartWithoutRepetition() async throws {
        var server = try await place.serve()
        try server.post("/v1/logs", log("first"))
        let tail = try BuiltProgram.start(["logs", "--follow", "--utc", "--server", "unix:\(data)/oriel.sock"], home: home)
        try await wait(for: "the past") { try tail.output().contains("first") }
        try server.post("/v1/logs", log("second", at: 1))
        try await wait(for: "a new record") { try tail.output().contains("second") }
        #expect(server.terminate() == 0)
        server = try await place.serve()
        try server.post("/v1/logs", log("third", at: 2))
        try await wait(for: "a record after the restart") { try tail.output().contains("third") }
        let text = try tail.output()
        for word in ["first", "second", "third"] { #expect(text.split(separator: word).count == 2, "\(text)") }
    }

    @Test func theDaemonExplainsItself() async throws {
        #expect(try oriel("serve", "--data", data, "--print-config").contains("retention:\n  logs: 30d"))
        #expect(try oriel("serve", "--data", data, "--listen", "nonsense", status: 2).contains("--listen"))
        let server = try await place.serve()
        let second = try oriel("serve", "--data", data, "--listen", "tcp://127.0.0.1:0", status: 1)
        #expect(second.contains(data) && second.contains("in use"), "\(second)")
        #expect(server.terminate() == 0)
    }

    @Test func whatADemoKeptCanBeAskedLater() async throws {
        let folder = home.appendingPathComponent("demo").path
        let shown = try oriel("demo", "--keep", folder, "--duration", "1s")
        #expect(shown.contains("its data is in \(folder)"))
        // The trace of the checkout that failed, as a waterfall.
        for part in ["click checkout", "└─ ", "█", "✗"] { #expect(shown.contains(part), "\(part) in \(shown)") }
        #expect(!FileManager.default.fileExists(atPath: folder + "/ballast"))
        let traces = try oriel("traces", "--status", "error", "--output", "csv", "--data", folder)
        #expect(traces.contains("click checkout"))
        let server = try await place.serve(folder)
        #expect(try oriel("traces", "--status", "error", "--output", "csv", "--server", "unix:\(folder)/oriel.sock") == traces)
        #expect(server.terminate() == 0)
    }
}
