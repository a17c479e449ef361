import HTTPTypes
import NIOCore
import Testing

@testable import OrielCollector

/// The limits and manners of HTTP connections.
@Suite struct HTTPTests {
    private static func post(_ path: String, _ body: String, headers: String = "Content-Type: application/json\r\n") -> String {
        "POST \(path) HTTP/1.1\r\nHost: localhost\r\n\(headers)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    @Test func aConnectionServesManyRequestsAlsoPipelined() async throws {
        try await LiveCollector.run { live in
            let connection = try await RawConnection.connect(port: live.port())
            let request = Self.post("/v1/traces", OTLPSamples.tracesJSON)
            try await connection.send(request + request + request)
            try await connection.receive { String(decoding: $0, as: UTF8.self).split(separator: "HTTP/1.1 200").count == 3 }
            try await connection.send("GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n")
            try await connection.receive("oriel is alive")
            #expect(connection.received.contains("Date: ") || connection.received.contains("date: "))
            await connection.close()
        }
    }

    @Test func connectionCloseIsHonouredHoweverItIsWritten() async throws {
        try await LiveCollector.run { live in
            for header in ["Connection: close", "connection: Close", "Connection: keep-alive, close"] {
                let connection = try await RawConnection.connect(port: live.port())
                try await connection.send("GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\(header)\r\n\r\n")
                #expect(try await connection.receiveAll().contains("oriel is alive"), "\(header)")
            }
            let old = try await RawConnection.connect(port: live.port())
            try await old.send("GET /-/healthy HTTP/1.0\r\n\r\n")
            #expect(try await old.receiveAll().contains("oriel is alive"))
        }
    }

    @Test func aHalfClosedClientGetsItsAnswer() async throws {
        try await LiveCollector.run { live in
            let connection = try await RawConnection.connect(port: live.port())
            try await connection.send(Self.post("/v1/traces", OTLPSamples.tracesJSON))
            try await connection.closeOutput()
            #expect(try await connection.receiveAll().hasPrefix("HTTP/1.1 200 OK"))
            #expect(live.store.rowCount == 1)
        }
    }

    @Test func aClientThatLeavesInTheMiddleOfItsBodyIsLetGo() async throws {
        try await LiveCollector.run { live in
            let connection = try await RawConnection.connect(port: live.port())
            try await connection.send("POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{")
            try await connection.closeOutput()
            try await connection.receiveAll()
            #expect(live.store.writes.isEmpty)
        }
    }

    @Test func expectContinueIsAnswered() async throws {
        try await LiveCollector.run { live in
            let body = OTLPSamples.tracesJSON
            let connection = try await RawConnection.connect(port: live.port())
            try await connection.send(
                "POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
            )
            try await connection.receive("HTTP/1.1 100 Continue\r\n\r\n")
            try await connection.send(body)
            try await connection.receive("HTTP/1.1 200 OK")
            await connection.close()

            let other = try await RawConnection.connect(port: live.port())
            try await other.send("POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nExpect: a miracle\r\nContent-Length: 5\r\n\r\n")
            #expect(try await other.receiveAll().hasPrefix("HTTP/1.1 417"))
        }
    }

    @Test func aHugeBodyIsRefusedForGood() async throws {
        try await LiveCollector.run(configure: { $0.limits.maximumIngestBodySize = 10_000 }) { live in
            let announced = try await RawConnection.connect(port: live.port())
            try await announced.send(
                "POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: 20000\r\n\r\n")
            let refusal = try await announced.receiveAll()
            #expect(refusal.hasPrefix("HTTP/1.1 413"))
            #expect(refusal.lowercased().contains("connection: close"))
            #expect(refusal.contains(#""code":8"#))

            let chunked = try await RawConnection.connect(port: live.port())
            try await chunked.send(
                "POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
            let chunk = "1000\r\n" + String(repeating: "x", count: 4096) + "\r\n"
            for _ in 0..<3 { try await chunked.send(chunk) }
            try await chunked.receive("HTTP/1.1 413")
            try await chunked.receiveAll()
            #expect(live.store.writes.isEmpty)
        }
    }

    @Test func headerLimitsAreKept() async throws {
        try await LiveCollector.run { live in
            let long = try await RawConnection.connect(port: live.port())
            try await long.send("GET /-/healthy HTTP/1.1\r\nHost: localhost\r\nX: \(String(repeating: "y", count: 100_000))\r\n\r\n")
            #expect(try await long.receiveAll().hasPrefix("HTTP/1.1 431"))

            let many = try await RawConnection.connect(port: live.port())
            let fields = (0..<500).map { "X\($0): 1\r\n" }.joined()
            try await many.send("GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\(fields)\r\n")
            let answer = try await many.receiveAll()
            #expect(answer.hasPrefix("HTTP/1.1 431"))

            let broken = try await RawConnection.connect(port: live.port())
            try await broken.send("GET /-/healthy HTTP/9.9.9\r\n\r\n")
            #expect(try await broken.receiveAll().hasPrefix("HTTP/1.1 400"))
        }
    }

    @Test func idleConnectionsAreClosed() async throws {
        try await LiveCollector.run(configure: { $0.limits.idleTimeout = .milliseconds(1500) }) { live in
            let connection = try await RawConnection.connect(port: live.port())
            try await connection.send("GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(try await connection.receiveAll().contains("oriel is alive"))
            let client = try await HTTP2Client.connect(port: live.port())
            try await client.closed.get()
        }
    }

    @Test func aHeadThatNeverEndsIsCutOff() async throws {
        try await LiveCollector.run(configure: { $0.limits.headTimeout = .milliseconds(80) }) { live in
            let connection = try await RawConnection.connect(port: live.port())
            try await connection.send("GET /-/healthy HTTP/1.1\r\nHost: loc")
            #expect(try await connection.receiveAll().isEmpty)
        }
    }

    @Test func aBodyThatTricklesIsCutOff() async throws {
        try await LiveCollector.run(configure: { $0.limits.bodyProgressInterval = .milliseconds(60) }) { live in
            let connection = try await RawConnection.connect(port: live.port())
            try await connection.send("POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{")
            #expect(try await connection.receiveAll().hasPrefix("HTTP/1.1 408"))
        }
    }

    @Test func connectionsBeyondTheLimitWait() async throws {
        try await LiveCollector.run(configure: { $0.limits.maximumConnections = 1 }) { live in
            let first = try await RawConnection.connect(port: live.port())
            try await first.send("GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n")
            try await first.receive("oriel is alive")
            let second = try await RawConnection.connect(port: live.port())
            try await second.send("GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n")
            await first.close()
            try await second.receive("oriel is alive")
            await second.close()
        }
    }

    @Test func idleConnectionsMakeRoomForNewcomers() async throws {
        try await LiveCollector.run(configure: { $0.limits.maximumConnections = 32 }) { live in
            var connections: [RawConnection] = []
            for _ in 0..<100 {
                let connection = try await RawConnection.connect(port: live.port())
                try await connection.send("GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n")
                try await connection.receive("oriel is alive")
                connections.append(connection)
            }
            for connection in connections.prefix(60) { try await connection.receiveAll() }
            // The last one was not disturbed.
            try await connections[99].send("GET /-/ready HTTP/1.1\r\nHost: localhost\r\n\r\n")
            try await connections[99].receive("oriel is ready")
            for connection in connections { await connection.close() }
        }
    }

    @Test func unknownPathsAndMethods() async throws {
        try await LiveCollector.run { live in
            let connection = try await RawConnection.connect(port: live.port())
            try await connection.send("GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n")
            try await connection.receive("there is nothing at /nowhere on this listener; it serves ")
            try await connection.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            try await connection.receive("there is nothing at / on this listener; it serves ")
            try await connection.send("POST /v1/trace HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}")
            try await connection.receive("there is nothing at /v1/trace on this listener; did you mean /v1/traces?")
            try await connection.send("GET /v1/traces HTTP/1.1\r\nHost: localhost\r\n\r\n")
            let refusal = try await connection.receive("HTTP/1.1 405")
            #expect(refusal.lowercased().contains("allow: post"))
            try await connection.send("HEAD /-/healthy HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            let all = try await connection.receiveAll()
            #expect(all.hasSuffix("\r\n\r\n"))
            #expect(!all.contains("alive"))
        }
    }

    @Test func aListenerServesOnlyItsRoles() async throws {
        let listeners = [
            ListenerConfiguration(address: .tcp(host: "127.0.0.1", port: 0), roles: [.ingest]),
            ListenerConfiguration(address: .tcp(host: "127.0.0.1", port: 0), roles: [.metrics]),
        ]
        try await LiveCollector.run(listeners: listeners) { live in
            let expected = [(0, "/-/healthy", "404"), (1, "/-/healthy", "200"), (0, "/v1/traces", "405"), (1, "/v1/traces", "404")]
            for (index, path, status) in expected {
                let connection = try await RawConnection.connect(port: live.port(index))
                try await connection.send("GET \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                #expect(try await connection.receiveAll().hasPrefix("HTTP/1.1 \(status)"), "listener \(index) \(path)")
            }
            let client = try await HTTP2Client.connect(port: live.port(1))
            let reply = try await client.call(
                "/opentelemetry.proto.collector.trace.v1.TraceService/Export", frame: HTTP2Client.frame([]))
            #expect(reply.grpcStatus == 12)
            await client.close()
        }
    }

    @Test func metricsAreNegotiated() async throws {
        try await LiveCollector.run { live in
            let connection = try await RawConnection.connect(port: live.port())
            try await connection.send(Self.post("/v1/traces", OTLPSamples.tracesJSON))
            try await connection.receive("HTTP/1.1 200")
            try await connection.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
            try await connection.receive("text/plain; version=0.0.4")
            try await connection.receive(#"oriel_ingest_rows_total{protocol="otlp",signal="traces"} 1"#)
            try await connection.receive("oriel_connections_open 1")
            try await connection.send(
                "GET /metrics HTTP/1.1\r\nHost: localhost\r\nAccept: application/openmetrics-text; version=1.0.0\r\n\r\n")
            try await connection.receive("# EOF\n")
            await connection.close()
        }
    }
}
