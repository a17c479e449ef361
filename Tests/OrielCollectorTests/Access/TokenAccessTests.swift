import HTTPTypes
import OrielOTLP
import OrielStore
import Testing

@testable import OrielCollector

/// Who gets in, and what the others are told.
@Suite struct TokenAccessTests {
    private static let grpcExport = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"

    private static func postTraces(_ live: LiveCollector, token: String? = nil) async throws -> PlainHTTP {
        try await PlainHTTP.send("POST", "/v1/traces", to: live, token: token, body: OTLPSamples.tracesJSON)
    }

    @Test func loopbackIsOpenUntilThereIsAToken() async throws {
        try await LiveCollector.run { live in
            #expect(try await Self.postTraces(live).status == 200)
            // What a client is configured with for somebody else does not matter here.
            #expect(try await Self.postTraces(live, token: "somebody-elses").status == 200)
            #expect(try await Self.postTraces(live, token: "oriel_unknown").status == 401)
            let token = try await live.makeToken("sender", ["ingest"])
            #expect(try await Self.postTraces(live).status == 401)
            #expect(try await Self.postTraces(live, token: token).status == 200)
            #expect(try await Self.postTraces(live, token: "somebody-elses").status == 401)
            // The socket stays open to whoever may open it.
            #expect(try await PlainHTTP.send("GET", "/api/oriel/v1/services", to: live, isOverSocket: true).status == 200)
        }
    }

    @Test func eachRouteNeedsItsScope() async throws {
        try await LiveCollector.run { live in
            var tokens: [String: String] = [:]
            for scope in AccessScope.allCases { tokens[scope.rawValue] = try await live.makeToken(scope.rawValue, [scope.rawValue]) }
            let routes = [
                ("POST", "/v1/logs", "ingest"), ("GET", "/api/oriel/v1/services", "query"), ("HEAD", "/api/oriel/v1/services", "query"),
                ("GET", "/api/oriel/v1/openapi.json", "query"), ("GET", "/metrics", "metrics"),
            ]
            for (method, path, needed) in routes {
                let body = method == "POST" ? OTLPSamples.logsJSON : nil
                for (scope, token) in tokens {
                    let answer = try await PlainHTTP.send(method, path, to: live, token: token, body: body)
                    #expect(answer.status == (scope == needed ? 200 : 403), "\(path) with \(scope)")
                    if scope != needed {
                        #expect(answer.headers["www-authenticate"] == #"Bearer realm="oriel", error="insufficient_scope", scope="\#(needed)""#)
                    }
                }
                let answer = try await PlainHTTP.send(method, path, to: live, body: body)
                #expect(answer.status == 401 && answer.headers["www-authenticate"] == #"Bearer realm="oriel""#, "\(path)")
                let unknown = try await PlainHTTP.send(method, path, to: live, token: "oriel_x", body: body)
                #expect(unknown.status == 401 && unknown.headers["www-authenticate"] == #"Bearer realm="oriel", error="invalid_token""#)
            }
            // What does not exist is no secret to those who may ask, and nothing to the others.
            #expect(try await PlainHTTP.send("GET", "/nothing", to: live, token: tokens["query"]).status == 404)
            #expect(try await PlainHTTP.send("GET", "/nothing", to: live).status == 401)
            // A path that is spelled in another way is the same route or none.
            for path in ["/%6detrics", "//metrics", "/metrics/", "/./metrics", "/METRICS", "/metrics?x=1", "http://localhost/metrics"] {
                let answer = try await PlainHTTP.send("GET", path, to: live, token: tokens["query"])
                #expect([400, 403, 404].contains(answer.status), "\(path): \(answer.status)")
                #expect(try await PlainHTTP.send("GET", path, to: live).status == 401, "\(path)")
            }
            for path in ["/-/healthy", "/-/ready"] { #expect(try await PlainHTTP.send("GET", path, to: live).status == 200) }
            // Admin is not served on this listener at all; on the socket it is.
            #expect(try await PlainHTTP.send("GET", TokenRoutes.path, to: live, token: tokens["admin"]).status == 404)
            #expect(try await PlainHTTP.send("GET", TokenRoutes.path, to: live, isOverSocket: true).status == 200)
        }
    }

    @Test func refusalsHaveTheShapeOfTheirSurface() async throws {
        try await LiveCollector.run { live in
            let token = try await live.makeToken("asker", ["query"])
            let otlp = try await Self.postTraces(live)
            #expect(otlp.headers["content-type"] == "application/json")
            #expect(try JSONTree(Array(otlp.body.utf8))["code"] == .number(16))
            #expect(try JSONTree(Array(try await Self.postTraces(live, token: token).body.utf8))["code"] == .number(7))
            let api = try await PlainHTTP.send("GET", "/api/oriel/v1/logs", to: live)
            #expect(try JSONTree(Array(api.body.utf8))["error"]?["message"]?.text?.contains("Bearer") == true)
            // A page may read why it was refused.
            let page = try await PlainHTTP.send(
                "POST", "/v1/traces", to: live, headers: ["Origin": "https://shop.example"], body: OTLPSamples.tracesJSON)
            #expect(page.status == 401 && page.headers["access-control-allow-origin"] == "https://shop.example")
        }
    }

    @Test func gRPCCallsNeedTokensToo() async throws {
        try await LiveCollector.run { live in
            let ingest = try await live.makeToken("sender", ["ingest"])
            let query = try await live.makeToken("asker", ["query"])
            let client = try await HTTP2Client.connect(port: live.port())
            let frame = HTTP2Client.frame(try OTLPSamples.traces())
            for (token, status) in [(nil, 16), ("oriel_x", 16), (query, 7), (ingest, 0)] {
                let headers = token.map { ["authorization": "Bearer \($0)"] } ?? [:]
                let reply = try await client.call(Self.grpcExport, frame: frame, headers: headers)
                #expect(reply.status == .ok && reply.grpcStatus == status, "\(reply)")
            }
            #expect(live.store.rowCount == 1)
            #expect(try await client.call("/no.Service/Method", frame: frame).grpcStatus == 16)
            #expect(try await client.call("/grpc.health.v1.Health/Check", frame: HTTP2Client.frame([])).grpcStatus == 0)
            await client.close()
        }
    }

    @Test func revokingTakesEffectAtOnceAndEndsTails() async throws {
        try await LiveCollector.run { live in
            let token = try await live.makeToken("asker", ["query", "ingest"])
            _ = try await live.makeToken("other", ["query"])
            let tail = try await RawConnection.connect(port: live.port())
            try await tail.send(PlainHTTP.head("GET", "/api/oriel/v1/logs?follow=true", token: token, closes: true))
            try await tail.receive("position")
            // One request after another on a connection that stays open.
            let client = try await HTTP2Client.connect(port: live.port())
            let frame = HTTP2Client.frame(try OTLPSamples.traces())
            #expect(try await client.call(Self.grpcExport, frame: frame, headers: ["authorization": "Bearer \(token)"]).grpcStatus == 0)
            let answer = try await PlainHTTP.send("DELETE", TokenRoutes.path + "/asker", to: live, isOverSocket: true)
            #expect(answer.status == 200)
            #expect(try await client.call(Self.grpcExport, frame: frame, headers: ["authorization": "Bearer \(token)"]).grpcStatus == 16)
            #expect(try await PlainHTTP.send("GET", "/api/oriel/v1/services", to: live, token: token).status == 401)
            try await tail.receiveAll()
            await client.close()
            #expect(try await PlainHTTP.send("DELETE", TokenRoutes.path + "/asker", to: live, isOverSocket: true).status == 404)
        }
    }

    @Test func aRevokedTokenIsNotUpgradedToEverybodysRights() async throws {
        try await LiveCollector.run(configure: { $0.allowsAnonymous = true }) { live in
            let token = try await live.makeToken("acme", ["query"], tenant: "acme")
            #expect(try await PlainHTTP.send("GET", "/api/oriel/v1/services", to: live, token: token).status == 200)
            #expect(try await PlainHTTP.send("GET", "/api/oriel/v1/services", to: live).status == 200)
            _ = try await PlainHTTP.send("DELETE", TokenRoutes.path + "/acme", to: live, isOverSocket: true)
            #expect(try await PlainHTTP.send("GET", "/api/oriel/v1/services", to: live, token: token).status == 401)
        }
    }

    @Test func tokensAreListedWithoutTheirSecret() async throws {
        try await LiveCollector.run { live in
            let token = try await live.makeToken("acme", ["query", "ingest"], tenant: "acme", limits: #"{"requests":5,"ingest_bytes_per_second":1000}"#)
            let list = try await PlainHTTP.send("GET", TokenRoutes.path, to: live, isOverSocket: true)
            #expect(!list.body.contains(token) && !live.log.contains(token))
            let row = try #require(try JSONTree(Array(list.body.utf8))["tokens"]?[0])
            #expect(row["name"]?.text == "acme" && row["tenant"]?.text == "acme" && row["limits"]?["requests"] == .number(5))
            #expect(row["scopes"]?.elements.compactMap(\.text) == ["ingest", "query"])
            for body in [
                #"{"name":"acme","scopes":["query"]}"#, #"{"name":"x","scopes":[]}"#, #"{"name":"","scopes":["query"]}"#, #"{"name":"x","scopes":["root"]}"#,
                #"{"name":"x","scopes":["admin"],"tenant":"t"}"#, #"{"name":"x","scopes":["query"],"limits":{"queries":0}}"#, "nonsense",
            ] {
                let answer = try await PlainHTTP.send("POST", TokenRoutes.path, to: live, isOverSocket: true, body: body)
                #expect([400, 409].contains(answer.status), "\(body)")
            }
        }
    }

    @Test func adminActionsAreAudited() async throws {
        try await LiveCollector.run { live in
            _ = try await live.makeToken("audited", ["query"])
            _ = try await PlainHTTP.send("DELETE", TokenRoutes.path + "/audited", to: live, isOverSocket: true)
            _ = try await PlainHTTP.send("DELETE", TokenRoutes.path + "/audited", to: live, isOverSocket: true)
            let lines = live.log.text.split(separator: "\n").filter { $0.contains("notice audit") }
            #expect(lines.count == 3)
            #expect(lines.allSatisfy { $0.contains("unix socket") && $0.contains("audited") })
            #expect(lines.map { $0.contains("token.create") } == [true, false, false])
            #expect(lines.map { $0.contains("failed") } == [false, false, true])
        }
    }

    @Test func listenersBeyondLoopbackNeedTokensAndAskForThem() async throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("tokens: [{name: ops, token: abcdefghijklmnopqrstuvwxyz, scopes: [query, admin]}]", to: "t.yaml")
        let open = ListenerConfiguration(address: .tcp(host: "0.0.0.0", port: 0), roles: [.query, .admin])
        do {
            try await LiveCollector.run(listeners: [open]) { _ in }
            Issue.record("it listened")
        } catch let error as ListenError {
            #expect(error.description.contains("--tokens-file"))
        }
        try await LiveCollector.run(listeners: [open], configure: { $0.tokensFile = file }) { live in
            #expect(try await PlainHTTP.send("GET", "/api/oriel/v1/services", to: live).status == 401)
            #expect(try await PlainHTTP.send("GET", "/api/oriel/v1/services", to: live, token: "abcdefghijklmnopqrstuvwxyz").status == 200)
            // A listener that serves admin beyond the socket serves it to tokens only.
            #expect(try await PlainHTTP.send("GET", TokenRoutes.path, to: live).status == 401)
            #expect(try await PlainHTTP.send("GET", TokenRoutes.path, to: live, token: "abcdefghijklmnopqrstuvwxyz").status == 200)
            let answer = try await PlainHTTP.send("DELETE", TokenRoutes.path + "/ops", to: live, token: "abcdefghijklmnopqrstuvwxyz")
            #expect(answer.status == 409)
            // The file is read again; when it is broken, what was stays.
            _ = try folder.write("tokens: [{name: ops, token: zbcdefghijklmnopqrstuvwxyz, scopes: [query]}]", to: "t.yaml")
            live.collector.reload()
            #expect(try await PlainHTTP.send("GET", "/api/oriel/v1/services", to: live, token: "abcdefghijklmnopqrstuvwxyz").status == 401)
            #expect(try await PlainHTTP.send("GET", "/api/oriel/v1/services", to: live, token: "zbcdefghijklmnopqrstuvwxyz").status == 200)
            _ = try folder.write("tokens: nonsense", to: "t.yaml")
            live.collector.reload()
            #expect(live.log.contains("the tokens stay as they were"))
            #expect(try await PlainHTTP.send("GET", "/api/oriel/v1/services", to: live, token: "zbcdefghijklmnopqrstuvwxyz").status == 200)
            // No tokens left: this listener does not open for that.
            _ = try folder.write("tokens: []", to: "t.yaml")
            live.collector.reload()
            #expect(try await PlainHTTP.send("GET", "/api/oriel/v1/services", to: live).status == 401)
        }
        await #expect(throws: ConfigurationError.self) {
            try await LiveCollector.run(configure: { $0.tokensFile = "/nowhere/t.yaml" }) { _ in }
        }
    }
}
