import OrielOTLP
import OrielStore
import OrielTelemetry
import Testing

@testable import OrielCollector

/// `X-Scope-OrgID`, where it counts and where it does not.
@Suite struct TenantHeaderTests {
    private static let name = "X-Scope-OrgID"
    private static let grpcExport = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"

    private static func logs(_ word: String) -> String {
        #"{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"\#(word)-shop"}}]},"scopeLogs":[{"logRecords":[{"timeUnixNano":"\#(Timestamp.now.nanoseconds)","body":{"stringValue":"\#(word)-words"}}]}]}]}"#
    }

    private static func metrics(_ word: String) -> String {
        #"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"\#(word)_gauge","gauge":{"dataPoints":[{"timeUnixNano":"\#(Timestamp.now.nanoseconds)","asDouble":1}]}}]}]}]}"#
    }

    private static func run(_ body: (LiveCollector) async throws -> Void) async throws {
        try await LiveCollector.run(configure: { $0.readsTenantHeader = true }, body)
    }

    private static func post(_ live: LiveCollector, _ word: String, tenant: String?, token: String? = nil) async throws -> PlainHTTP {
        try await PlainHTTP.send("POST", "/v1/logs", to: live, token: token, headers: tenant.map { [name: $0] } ?? [:], body: logs(word))
    }

    private static func get(_ live: LiveCollector, _ path: String, tenant: String?, token: String? = nil, isOverSocket: Bool = false) async throws -> PlainHTTP
    {
        try await PlainHTTP.send(
            "GET", "/api/oriel/v1/" + path, to: live, isOverSocket: isOverSocket, token: token, headers: tenant.map { [name: $0] } ?? [:])
    }

    @Test func withoutTheSettingItIsIgnored() async throws {
        try await LiveCollector.run { live in
            for tenant in ["acme", "a|b", "..", ""] {
                #expect(try await Self.post(live, "open", tenant: tenant).status == 200)
                #expect(try await Self.get(live, "logs", tenant: tenant).body.contains("open-words"))
            }
            let token = try await live.makeToken("acme", ["query", "ingest"], tenant: "acme")
            #expect(try await Self.get(live, "logs", tenant: "globex", token: token).status == 200)
            #expect(try await PlainHTTP.send("GET", TokenRoutes.path, to: live, isOverSocket: true, headers: [Self.name: "acme"]).status == 200)
        }
    }

    @Test func itNamesTheTenantOfWhatIsSentAndAsked() async throws {
        try await Self.run { live in
            for tenant in ["acme", "team-1_(x)!*.'"] {
                #expect(try await Self.post(live, tenant.hasPrefix("a") ? "acme" : "other", tenant: tenant).status == 200)
                let sent = try await PlainHTTP.send(
                    "POST", "/v1/metrics", to: live, headers: [Self.name: tenant], body: Self.metrics(tenant.hasPrefix("a") ? "acme" : "other"))
                #expect(sent.status == 200)
            }
            #expect(try await Self.post(live, "nobody", tenant: nil).status == 200)
            for isOverSocket in [false, true] {
                for path in ["logs", "series", "services"] {
                    let acme = try await Self.get(live, path, tenant: "acme", isOverSocket: isOverSocket).body
                    #expect(acme.contains("acme") && !acme.contains("other") && !acme.contains("nobody"), "\(path): \(acme)")
                    let other = try await Self.get(live, path, tenant: "team-1_(x)!*.'", isOverSocket: isOverSocket).body
                    #expect(other.contains("other") && !other.contains("acme") && !other.contains("nobody"), "\(path): \(other)")
                    // Letters' case counts.
                    #expect(try await !Self.get(live, path, tenant: "Acme", isOverSocket: isOverSocket).body.contains("acme-"))
                }
                let all = try await Self.get(live, "logs", tenant: nil, isOverSocket: isOverSocket).body
                #expect(["acme-words", "other-words", "nobody-words"].allSatisfy { all.contains($0) })
            }
            let own = try await PlainHTTP.send("GET", "/api/oriel/v1/logs", to: live, headers: ["x-scope-orgid": "acme"])
            #expect(own.body.contains(#"{"key":"oriel.tenant","value":{"stringValue":"acme"}}"#) && !own.body.contains("other-words"))
        }
    }

    @Test func gRPCNamesItInItsMetadata() async throws {
        try await Self.run { live in
            let client = try await HTTP2Client.connect(port: live.port())
            var decoder = OTLPDecoder()
            let frame = HTTP2Client.frame(OTLPEncoder.logs(try decoder.logs(json: Array(Self.logs("called").utf8).span, receiveTime: .now).batch))
            #expect(try await client.call(Self.grpcExport, frame: frame, headers: ["x-scope-orgid": "acme"]).grpcStatus == 0)
            #expect(try await Self.get(live, "logs", tenant: "acme").body.contains("called-words"))
            #expect(try await !Self.get(live, "logs", tenant: "globex").body.contains("called-words"))
            let stored = live.store.rowCount
            let refused = try await client.call(Self.grpcExport, frame: frame, headers: ["x-scope-orgid": "a|b"])
            #expect(refused.grpcStatus == 3 && refused.field("grpc-message")?.contains("several tenants") == true, "\(refused)")
            let token = try await live.makeToken("acme", ["ingest"], tenant: "acme")
            for (tenant, status) in [("acme", 0), ("globex", 7)] {
                let headers = ["authorization": "Bearer \(token)", "x-scope-orgid": tenant]
                #expect(try await client.call(Self.grpcExport, frame: frame, headers: headers).grpcStatus == status)
            }
            #expect(live.store.rowCount == stored + 1)
            await client.close()
        }
    }

    @Test(arguments: ["a|b", "|", "", ".", "..", "a/b", "a b", "a:b", "ä", "a%20", String(repeating: "a", count: 151)])
    func whatNamesNoTenantIsRefused(tenant: String) async throws {
        try await Self.run { live in
            let sent = try await Self.post(live, "x", tenant: tenant)
            #expect(sent.status == 400)
            let status = try JSONTree(Array(sent.body.utf8))
            #expect(status["code"] == .number(3) && status["message"]?.text?.contains(Self.name) == true, "\(sent)")
            let asked = try await Self.get(live, "logs", tenant: tenant)
            #expect(asked.status == 400)
            #expect(try JSONTree(Array(asked.body.utf8))["error"]?["message"]?.text?.contains(Self.name) == true)
            #expect(live.store.rowCount == 0)
        }
    }

    @Test func twoFieldsAreOneTooMany() async throws {
        try await Self.run { live in
            let answer = try await PlainHTTP.send("GET", "/api/oriel/v1/logs", to: live, headers: [Self.name: "acme", "x-scope-orgid": "globex"])
            #expect(answer.status == 400)
            #expect(try await Self.post(live, "x", tenant: String(repeating: "a", count: 150)).status == 200)
        }
    }

    @Test func aTokensTenantWins() async throws {
        try await Self.run { live in
            let acme = try await live.makeToken("acme", ["ingest", "query"], tenant: "acme")
            let team = try await live.makeToken("team", ["ingest", "query"], tenant: "team/a")
            let all = try await live.makeToken("all", ["ingest", "query"])
            #expect(try await Self.post(live, "acme", tenant: "acme", token: acme).status == 200)
            #expect(try await Self.post(live, "team", tenant: "team/a", token: team).status == 200)
            #expect(try await Self.post(live, "named", tenant: "globex", token: all).status == 200)
            #expect(try await Self.post(live, "nobody", tenant: nil, token: all).status == 200)
            for tenant in ["globex", "ACME", "a|acme", ""] {
                let sent = try await Self.post(live, "bad", tenant: tenant, token: acme)
                #expect(sent.status == 403 && sent.body.contains("acme"), "\(sent)")
                #expect(try await Self.get(live, "logs", tenant: tenant, token: acme).status == 403)
            }
            for (token, tenant, word) in [(acme, nil, "acme"), (acme, "acme", "acme"), (team, nil, "team"), (all, "globex", "named"), (all, "acme", "acme")] {
                let seen = try await Self.get(live, "services", tenant: tenant, token: token).body
                #expect(["acme", "team", "named", "nobody"].filter { seen.contains($0 + "-shop") } == [word], "\(tenant ?? "none"): \(seen)")
            }
            #expect(try await Self.get(live, "services", tenant: nil, token: all).body.contains("nobody-shop"))
            // Without a token nobody gets in by naming a tenant.
            #expect(try await Self.get(live, "services", tenant: "acme").status == 401)
        }
    }

    @Test func whatConcernsAllTenantsIsOfNone() async throws {
        try await Self.run { live in
            let headers = [Self.name: "acme"]
            for (method, path, body) in [
                ("GET", TokenRoutes.path, nil), ("POST", DeletionAPI.path, #"{"signal":"logs","start":0}"#), ("GET", PinAPI.path, nil),
            ] {
                let answer = try await PlainHTTP.send(method, path, to: live, isOverSocket: true, headers: headers, body: body)
                #expect(answer.status == 403 && answer.body.contains("all tenants"), "\(path): \(answer)")
            }
            for path in ["/metrics", "/-/healthy", "/-/ready"] {
                #expect(try await PlainHTTP.send("GET", path, to: live, headers: [Self.name: "a|b"]).status == 200)
            }
        }
    }
}
