import OrielOTLP
import OrielStore
import OrielTelemetry
import Testing

@testable import OrielCollector

/// Two tenants whose telemetry is alike, shares a trace and tries to pass for each other's: neither sees the other's over any route.
@Suite struct TenantIsolationTests {
    private static let shared = "0102030405060708090a0b0c0d0e0f10"
    private static let now = Timestamp.now.nanoseconds - 60_000_000_000

    /// A trace of the tenant's own, 32 digits.
    private static func ownTrace(_ tenant: String) -> String { String(repeating: tenant == "acme" ? "a1" : "b2", count: 16) }

    /// What the tenant claims about itself; the token knows better.
    private static func resource(_ tenant: String) -> String {
        #"{"attributes":[{"key":"service.name","value":{"stringValue":"\#(tenant)-shop"}},{"key":"oriel.tenant","value":{"stringValue":"acme"}}]}"#
    }

    private static func spans(_ tenant: String) -> String {
        let spans = [shared, ownTrace(tenant)].map { trace in
            #"{"traceId":"\#(trace)","spanId":"\#(tenant == "acme" ? "a1a2a3a4a5a6a7a8" : "b1b2b3b4b5b6b7b8")","name":"\#(tenant)-root","kind":2,"startTimeUnixNano":"\#(now)","endTimeUnixNano":"\#(now + 5_000_000)","status":{"code":2,"message":"\#(tenant)-failed"},"attributes":[{"key":"oriel.tenant","value":{"stringValue":"acme"}}]}"#
        }
        return #"{"resourceSpans":[{"resource":\#(resource(tenant)),"scopeSpans":[{"spans":[\#(spans.joined(separator: ","))]}]}]}"#
    }

    private static func logs(_ tenant: String, _ word: String = "secret") -> String {
        #"{"resourceLogs":[{"resource":\#(resource(tenant)),"scopeLogs":[{"scope":{"attributes":[{"key":"oriel.tenant","value":{"stringValue":"acme"}}]},"logRecords":[{"timeUnixNano":"\#(now)","traceId":"\#(shared)","severityNumber":17,"body":{"stringValue":"\#(tenant)-\#(word)"}}]}]}]}"#
    }

    private static func metrics(_ tenant: String) -> String {
        let point = #""timeUnixNano":"\#(now)","startTimeUnixNano":"\#(now - 1_000_000_000)""#
        let attributes = #""attributes":[{"key":"of","value":{"stringValue":"\#(tenant)-value"}},{"key":"oriel_tenant","value":{"stringValue":"acme"}}]"#
        let user = #""filteredAttributes":[{"key":"who","value":{"stringValue":"\#(tenant)-user"}}]"#
        let exemplar = #""exemplars":[{"timeUnixNano":"\#(now)","asDouble":1,"traceId":"\#(ownTrace(tenant))",\#(user)}]"#
        return
            #"{"resourceMetrics":[{"resource":\#(resource(tenant)),"scopeMetrics":[{"metrics":["#
            + #"{"name":"requests","description":"common","sum":{"isMonotonic":true,"aggregationTemporality":2,"dataPoints":[{\#(point),\#(attributes),\#(exemplar),"asDouble":1}]}},"#
            + #"{"name":"\#(tenant).only","description":"\#(tenant)-help","gauge":{"dataPoints":[{\#(point),\#(attributes),"asDouble":2}]}},"#
            + #"{"name":"added","sum":{"isMonotonic":true,"aggregationTemporality":1,"dataPoints":[{\#(point),\#(attributes),"asDouble":3}]}},"#
            + #"{"name":"sizes","exponentialHistogram":{"aggregationTemporality":2,"dataPoints":[{\#(point),\#(attributes),"count":"1","sum":4,"scale":0,"zeroCount":"0","positive":{"offset":0,"bucketCounts":["1"]}}]}}"#
            + "]}]}]}"
    }

    /// Requests by the route that they go to. A route that is not here fails the test: give it requests that would show another tenant's telemetry.
    private static let requests: [String: [String]] = [
        "/traces": [
            "traces", "traces?service=globex-shop", "traces?name=globex-root", "traces?status=error", "traces?trace_id=\(shared)", "traces?text=globex",
            "traces?attribute=oriel.tenant=globex", "traces?attribute=service.name=globex-shop",
        ],
        "/traces/{id}": ["traces/\(shared)", "traces/\(ownTrace("acme"))", "traces/\(ownTrace("globex"))"],
        "/logs": [
            "logs", "logs?order=oldest", "logs?service=globex-shop", "logs?text=secret", "logs?trace_id=\(shared)", "logs?attribute=oriel.tenant=globex",
            "logs?attribute=oriel.tenant!=acme", "logs?severity=error",
        ],
        "/series": [
            "series?points=all&exemplars=true", "series?name=requests_total&exemplars=true&points=all", "series?label=oriel_tenant=globex",
            "series?label=oriel_tenant!=acme", "series?label=of=globex-value", "series?name=globex_only", "series?name=sizes", "series?name=added_total",
        ],
        "/metrics": ["metrics", "metrics?name=*", "metrics?text=globex"],
        "/services": ["services"],
        "/openapi.json": ["openapi.json"],
    ]

    private static func run(_ body: (LiveCollector, _ acme: String, _ globex: String) async throws -> Void) async throws {
        try await LiveCollector.run { live in
            let acme = try await live.makeToken("acme", ["ingest", "query"], tenant: "acme")
            let globex = try await live.makeToken("globex", ["ingest", "query"], tenant: "globex")
            for (tenant, token) in [("acme", acme), ("globex", globex)] {
                for (path, json) in [("/v1/traces", spans(tenant)), ("/v1/logs", logs(tenant)), ("/v1/metrics", metrics(tenant))] {
                    let answer = try await PlainHTTP.send("POST", path, to: live, token: token, body: json)
                    #expect(answer.status == 200 && !answer.body.contains("partialSuccess\":{\"rejected"), "\(path): \(answer.body)")
                }
            }
            try await body(live, acme, globex)
        }
    }

    @Test func theTableKnowsEveryRoute() async throws {
        let paths = try #require(try JSONTree(Array(OpenAPIDocument.text.utf8))["paths"]?.members)
        #expect(Set(paths.keys.filter { $0.hasPrefix("/v1/") }) == Set(Self.requests.keys.map { "/v1" + $0 }))
        try await LiveCollector.run { live in
            #expect(live.collector.routes.paths(of: .query).map(\.path) == [OrielAPI.basePath + "/**"])
        }
    }

    @Test func noRouteShowsAnotherTenantsTelemetry() async throws {
        try await Self.run { live, acme, globex in
            for (own, token, other) in [("acme", acme, "globex"), ("globex", globex, "acme")] {
                for (route, targets) in Self.requests {
                    var seen = ""
                    for target in targets {
                        let answer = try await PlainHTTP.send("GET", "/api/oriel/v1/\(target)", to: live, token: token)
                        let foreignTrace = target.hasSuffix(Self.ownTrace(other))
                        #expect(answer.status == (foreignTrace ? 404 : 200), "\(own) \(target): \(answer.body)")
                        #expect(!answer.body.contains(other + "-"), "\(own) sees \(other) at \(target): \(answer.body)")
                        #expect(!answer.body.contains(other + "_"), "\(own) sees \(other) at \(target): \(answer.body)")
                        if !foreignTrace { #expect(!answer.body.contains(Self.ownTrace(other)), "\(own) \(target)") }
                        seen += answer.body
                    }
                    if route != "/openapi.json" { #expect(seen.contains(own + "-") || seen.contains(own + "_"), "\(own) sees nothing of its own at \(route)") }
                }
                // A summary of the shared trace counts the tenant's own span only.
                let list = try await PlainHTTP.send("GET", "/api/oriel/v1/traces?trace_id=\(Self.shared)", to: live, token: token)
                #expect(try JSONTree(Array(list.body.utf8))["traces"]?[0]?["span_count"] == .number(1))
            }
            // Whoever may ask for all tenants sees both.
            let all = try await PlainHTTP.send("GET", "/api/oriel/v1/traces/\(Self.shared)", to: live, isOverSocket: true)
            #expect(all.body.contains("acme-root") && all.body.contains("globex-root"))
        }
    }

    @Test func tailsShowTheTenantsOwnRecords() async throws {
        try await Self.run { live, acme, globex in
            let tail = try await RawConnection.connect(port: live.port())
            try await tail.send(PlainHTTP.head("GET", "/api/oriel/v1/logs?follow=true", token: acme))
            try await tail.receive("position")
            for (tenant, token) in [("globex", globex), ("acme", acme)] {
                _ = try await PlainHTTP.send("POST", "/v1/logs", to: live, token: token, body: Self.logs(tenant, "later"))
            }
            // The other tenant's record came first: now that ours is here, it was left out.
            let text = try await tail.receive("acme-later")
            #expect(text.contains("acme-secret") && !text.contains("globex"))
            await tail.close()
        }
    }

    @Test func gRPCWritesForTheTenantToo() async throws {
        try await Self.run { live, acme, globex in
            let client = try await HTTP2Client.connect(port: live.port())
            var decoder = OTLPDecoder()
            let bytes = Array(Self.logs("globex", "called").utf8)
            let batch = try decoder.logs(json: bytes.span, receiveTime: .now).batch
            let reply = try await client.call(
                "/opentelemetry.proto.collector.logs.v1.LogsService/Export", frame: HTTP2Client.frame(OTLPEncoder.logs(batch)),
                headers: ["authorization": "Bearer \(globex)"])
            #expect(reply.grpcStatus == 0)
            await client.close()
            #expect(try await PlainHTTP.send("GET", "/api/oriel/v1/logs", to: live, token: globex).body.contains("globex-called"))
            #expect(try await !PlainHTTP.send("GET", "/api/oriel/v1/logs", to: live, token: acme).body.contains("globex-called"))
        }
    }

    @Test func theSameBytesOfTwoTenantsAreTwoRequests() async throws {
        try await LiveCollector.run { live in
            let acme = try await live.makeToken("acme", ["ingest"], tenant: "acme")
            let globex = try await live.makeToken("globex", ["ingest"], tenant: "globex")
            for token in [acme, globex, acme] {
                _ = try await PlainHTTP.send("POST", "/v1/logs", to: live, token: token, body: Self.logs("x"))
            }
            let keys = live.store.writes.map(\.requestKey)
            #expect(keys.count == 3 && keys[0] == keys[2] && keys[0] != keys[1])
        }
    }
}
