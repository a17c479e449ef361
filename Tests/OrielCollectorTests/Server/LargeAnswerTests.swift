import OrielTelemetry
import Testing

@testable import OrielCollector

@Suite("An answer that is larger than what the system takes at once")
struct LargeAnswerTests {
    private static let target = "/api/oriel/v1/logs?start=0&limit=1000"

    /// Sends log records until an answer with all of them has so many bytes.
    private func fill(_ live: LiveCollector, bytes: Int) async throws {
        let body = String(repeating: "x", count: 1 << 20)
        let now = Timestamp.now.nanoseconds
        for index in 0..<(bytes >> 20) {
            let record = #"{"timeUnixNano":"\#(now + Int64(index))","body":{"stringValue":"\#(body)"}}"#
            let answer = try await PlainHTTP.send(
                "POST", "/v1/logs", to: live, body: #"{"resourceLogs":[{"scopeLogs":[{"logRecords":[\#(record)]}]}]}"#)
            #expect(answer.status == 200)
        }
    }

    private func used(_ live: LiveCollector) async throws -> String {
        let metrics = try await PlainHTTP.send("GET", "/metrics", to: live).body
        return String(metrics.split(separator: "\n").first { $0.hasPrefix("oriel_answers_used_bytes ") }?.split(separator: " ").last ?? "none")
    }

    @Test("reaches a peer that reads late, on a connection that ends with it")
    func readLate() async throws {
        try await LiveCollector.run { live in
            try await fill(live, bytes: 15 << 20)
            let connection = try await RawConnection.connect(port: live.port(), reads: false)
            try await connection.send(PlainHTTP.head("GET", Self.target, closes: true))
            // What the peer has not taken is still held.
            #expect(try await eventually { try await (Int(used(live)) ?? 0) > 1 << 20 })
            try await connection.startReading()
            let text = try await connection.receiveAll(within: .seconds(30))
            let end = try #require(text.firstRange(of: "\r\n\r\n"))
            let length = text[..<end.lowerBound].split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-length:") }
            #expect(length?.split(separator: " ").last == "\(text[end.upperBound...].utf8.count)")
            #expect(text.hasSuffix("}"))
            #expect(try await eventually { try await used(live) == "0" })
            await connection.close()
        }
    }

    @Test("makes others wait when the memory for answers is spent")
    func budget() async throws {
        try await LiveCollector.run(configure: { $0.limits.answerBudget = 8 << 20 }) { live in
            try await fill(live, bytes: 12 << 20)
            let connection = try await RawConnection.connect(port: live.port(), reads: false)
            try await connection.send(PlainHTTP.head("GET", Self.target))
            // It is whole: more than the budget is only let one answer alone have.
            #expect(try await eventually { try await (Int(used(live)) ?? 0) > 8 << 20 })
            let refused = try await PlainHTTP.send("GET", Self.target, to: live)
            #expect(refused.status == 503)
            #expect(refused.headers["retry-after"] == "1")
            #expect(refused.body.prefix(200).contains("other answers hold the memory"))
            await connection.close()
            #expect(try await eventually { try await used(live) == "0" })
            #expect(try await PlainHTTP.send("GET", Self.target, to: live).status == 200)
        }
    }

    @Test("is waited for before the next request of a client that does not read")
    func unreadPipeline() async throws {
        try await LiveCollector.run { live in
            let target = "/api/oriel/v1/openapi.json"
            let size = try await PlainHTTP.send("GET", target, to: live).body.utf8.count
            let count = (48 << 20) / size
            let connection = try await RawConnection.connect(port: live.port(), reads: false)
            try await connection.send(String(repeating: PlainHTTP.head("GET", target), count: count - 1) + PlainHTTP.head("GET", target, closes: true))
            // Until no more are answered; each look is an answer too.
            var answered = -1
            var looks = 0
            try await #require(
                eventually(within: .seconds(30)) {
                    let now = try await responses(live) - looks
                    looks += 1
                    defer { answered = now }
                    return now > 1 && now == answered
                })
            // What the system takes of unread answers is some megabytes.
            #expect(answered < count * 2 / 3)
            try await connection.startReading()
            try await connection.receive(within: .seconds(60)) { $0.count > count * size }
            await connection.close()
        }
    }

    private func responses(_ live: LiveCollector) async throws -> Int {
        let metrics = try await PlainHTTP.send("GET", "/metrics", to: live).body
        let line = metrics.split(separator: "\n").first { $0.hasPrefix("oriel_http_responses_total{class=\"2xx\"}") }
        return line?.split(separator: " ").last.flatMap { Double($0) }.map { Int($0) } ?? -1
    }
}
