import OrielOTLP
import OrielTelemetry
import Testing

@testable import OrielCollector

/// What the bearers of one token may do together.
@Suite struct TokenLimitTests {
    private static let export = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"

    @Test func requestsInProgress() async throws {
        try await LiveCollector.run { live in
            let limited = try await live.makeToken("limited", ["ingest"], limits: #"{"requests":1}"#)
            let free = try await live.makeToken("free", ["ingest"])
            live.store.hold()
            let first = try await RawConnection.connect(port: live.port())
            let body = OTLPSamples.tracesJSON
            try await first.send(PlainHTTP.head("POST", "/v1/traces", token: limited, body: body, closes: true) + body)
            #expect(try await eventually { live.store.heldCount == 1 })

            let second = try await PlainHTTP.send("POST", "/v1/traces", to: live, token: limited, body: body)
            #expect(second.status == 429 && second.headers["retry-after"] == "1")
            #expect(try JSONTree(Array(second.body.utf8))["code"] == .number(8))
            let client = try await HTTP2Client.connect(port: live.port())
            let reply = try await client.call(
                Self.export, frame: HTTP2Client.frame(try OTLPSamples.traces()), headers: ["authorization": "Bearer \(limited)"])
            #expect(reply.grpcStatus == 8)
            // RESOURCE_EXHAUSTED asks to come back only with a RetryInfo.
            #expect(reply.field("grpc-status-details-bin") != nil)
            await client.close()

            let other = try await RawConnection.connect(port: live.port())
            try await other.send(PlainHTTP.head("POST", "/v1/traces", token: free, body: body, closes: true) + body)
            #expect(try await eventually { live.store.heldCount == 2 })
            live.store.release()
            #expect(try await first.receiveAll().hasPrefix("HTTP/1.1 200"))
            #expect(try await other.receiveAll().hasPrefix("HTTP/1.1 200"))
            // A tail notices that its client is gone when it writes its next sign of life.
            #expect(
                try await eventually(within: .seconds(60)) {
                    try await PlainHTTP.send("POST", "/v1/traces", to: live, token: limited, body: body).status == 200
                })
        }
    }

    @Test func bytesASecond() async throws {
        try await LiveCollector.run { live in
            let token = try await live.makeToken("limited", ["ingest", "query"], limits: #"{"ingest_bytes_per_second":100}"#)
            let body = OTLPSamples.tracesJSON
            // The first one overdraws the bucket; what it is over has to be waited for.
            #expect(try await PlainHTTP.send("POST", "/v1/traces", to: live, token: token, body: body).status == 200)
            let second = try await PlainHTTP.send("POST", "/v1/traces", to: live, token: token, body: body)
            #expect(second.status == 429)
            #expect((1...10).contains(try #require(second.headers["retry-after"].flatMap { Int($0) })))
            // Questions are no telemetry.
            #expect(try await PlainHTTP.send("GET", "/api/oriel/v1/services", to: live, token: token).status == 200)
        }
    }

    @Test func queriesInProgress() async throws {
        try await LiveCollector.run { live in
            let token = try await live.makeToken("limited", ["ingest", "query"], limits: #"{"queries":1}"#)
            let tail = try await RawConnection.connect(port: live.port())
            try await tail.send(PlainHTTP.head("GET", "/api/oriel/v1/logs?follow=true", token: token))
            try await tail.receive("position")
            let second = try await PlainHTTP.send("GET", "/api/oriel/v1/services", to: live, token: token)
            #expect(second.status == 429 && second.headers["retry-after"] == "1")
            #expect(try await PlainHTTP.send("POST", "/v1/traces", to: live, token: token, body: OTLPSamples.tracesJSON).status == 200)
            await tail.close()
            // A tail notices that its client is gone when it writes its next sign of life.
            #expect(
                try await eventually(within: .seconds(60)) { try await PlainHTTP.send("GET", "/api/oriel/v1/services", to: live, token: token).status == 200 })
        }
    }
}
