import Testing

@testable import OrielCollector

/// Browsers and names.
@Suite struct AccessTests {
    private static func answer(_ port: Int, _ request: String) async throws -> String {
        let connection = try await RawConnection.connect(port: port)
        try await connection.send(request)
        return try await connection.receiveAll()
    }

    @Test func aForeignHostOnLoopbackIsMisdirected() async throws {
        try await LiveCollector.run(configure: { $0.allowedHosts = ["collector.test"] }) { live in
            let expected = [
                ("localhost", "200"), ("127.0.0.1:4318", "200"), ("[::1]:4318", "200"), ("LOCALHOST:1", "200"), ("collector.test:80", "200"),
                ("evil.example", "421"), ("127.0.0.1.evil.example", "421"), ("192.168.1.1", "421"),
            ]
            for (host, status) in expected {
                let answer = try await Self.answer(live.port(), "GET /-/healthy HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n\r\n")
                #expect(answer.hasPrefix("HTTP/1.1 \(status)"), "\(host)")
            }
        }
    }

    @Test func aForeignOriginMayOnlyPostTelemetry() async throws {
        try await LiveCollector.run { live in
            let preflight = try await Self.answer(
                live.port(),
                "OPTIONS /v1/traces HTTP/1.1\r\nHost: localhost:4318\r\nOrigin: https://shop.example\r\nAccess-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: content-type, x-own\r\nConnection: close\r\n\r\n"
            )
            #expect(preflight.hasPrefix("HTTP/1.1 204"))
            #expect(preflight.lowercased().contains("access-control-allow-origin: https://shop.example"))
            #expect(preflight.lowercased().contains("access-control-allow-headers: content-type, x-own"))

            let body = OTLPSamples.tracesJSON
            let post = try await Self.answer(
                live.port(),
                "POST /v1/traces HTTP/1.1\r\nHost: localhost:4318\r\nOrigin: https://shop.example\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
            )
            #expect(post.hasPrefix("HTTP/1.1 200"))
            #expect(post.lowercased().contains("access-control-allow-origin: https://shop.example"))

            for origin in ["https://shop.example", "null", "http://localhost:9999"] {
                let query = try await Self.answer(
                    live.port(), "GET /metrics HTTP/1.1\r\nHost: localhost:4318\r\nOrigin: \(origin)\r\nConnection: close\r\n\r\n")
                #expect(query.hasPrefix("HTTP/1.1 403"), "\(origin)")
            }
            let own = try await Self.answer(
                live.port(), "GET /metrics HTTP/1.1\r\nHost: localhost:4318\r\nOrigin: http://localhost:4318\r\nConnection: close\r\n\r\n")
            #expect(own.hasPrefix("HTTP/1.1 200"))
        }
    }

    @Test func aRefusalWithoutABodyKeepsTheConnection() async throws {
        try await LiveCollector.run { live in
            let connection = try await RawConnection.connect(port: live.port())
            let origin = "Origin: https://shop.example\r\n"
            try await connection.send(
                "OPTIONS /v1/traces HTTP/1.1\r\nHost: localhost:4318\r\n\(origin)Access-Control-Request-Method: POST\r\n\r\n")
            try await connection.receive("HTTP/1.1 204")
            // Two that did not wait for each other.
            try await connection.send(
                "GET /metrics HTTP/1.1\r\nHost: localhost:4318\r\n\(origin)\r\nGET /-/healthy HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 0\r\n\r\n")
            try await connection.receive("HTTP/1.1 403")
            try await connection.receive("HTTP/1.1 421")
            try await connection.send("GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n")
            let all = try await connection.receive("oriel is alive")
            #expect(!all.lowercased().contains("connection: close"))
            await connection.close()
        }
    }

    @Test func aRequestNamesItsHost() async throws {
        try await LiveCollector.run { live in
            for hosts in ["", "Host: localhost\r\nHost: localhost\r\n"] {
                let answer = try await Self.answer(live.port(), "GET /-/healthy HTTP/1.1\r\n\(hosts)\r\n")
                #expect(answer.hasPrefix("HTTP/1.1 400") && answer.contains("one Host header"), "\(answer)")
            }
        }
    }
}
