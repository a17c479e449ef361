import OrielStore
import OrielStoreConformance
import OrielTelemetry
import Testing

@testable import OrielCollector

/// Deletions over the administration's routes.
@Suite struct DeletionTests {
    private static let path = DeletionAPI.path

    private static func run(_ body: (LiveCollector) async throws -> Void) async throws {
        try await LiveCollector.run { live in
            _ = try await live.store.append(ShopRows.writeSet)
            try await body(live)
        }
    }

    private static func post(_ live: LiveCollector, _ body: String) async throws -> (status: Int, answer: JSONTree) {
        let answer = try await PlainHTTP.send("POST", path, to: live, isOverSocket: true, body: body)
        return (answer.status, try JSONTree(Array(answer.body.utf8)))
    }

    private static func count(_ live: LiveCollector, _ path: String, _ list: String) async throws -> Int {
        let answer = try await PlainHTTP.send("GET", "/api/oriel/v1/\(path)", to: live, isOverSocket: true)
        return try JSONTree(Array(answer.body.utf8))[list]?.elements.count ?? -1
    }

    /// Filters, what a listing that is chosen alike shows before, and how many rows a dry run counts.
    @Test(arguments: [
        (#""signal":"logs","trace_id":"0af7651916cd43dd8448eb211c80319c""#, "logs?trace_id=0af7651916cd43dd8448eb211c80319c", "logs"),
        (#""signal":"logs","severity":"error","start":0"#, "logs?severity=error&start=0", "logs"),
        (#""signal":["logs"],"text":"CARD","end":"2100-01-01T00:00:00Z""#, "logs?text=card&start=0", "logs"),
        (#""signal":"spans","name":"charge card","start":"0","status":"error""#, "traces?name=charge%20card&status=error&start=0", "traces"),
        (
            #""signal":"spans","start":0,"attribute":["http.response.status_code>=500"]"#, "traces?attribute=http.response.status_code%3E%3D500&start=0",
            "traces"
        ),
        (#""signal":"spans","start":0,"service":"checkout""#, "traces?service=checkout&start=0", "traces"),
        (#""signal":"metrics","name":"http_requests_total","start":0"#, "series?name=http_requests_total&start=0", "series"),
        (#""signal":"metrics","label":"method=GET","start":0"#, "series?label=method=GET&start=0", "series"),
    ])
    func deletesWhatTheSameQuestionFinds(_ body: String, _ listing: String, _ list: String) async throws {
        try await Self.run { live in
            let before = try await Self.count(live, listing, list)
            #expect(before > 0)
            let (status, plan) = try await Self.post(live, "{\(body),\"dry_run\":true}")
            #expect(status == 200)
            let rows = try #require(plan["plan"]?[0]?["rows"]?.number)
            #expect(list == "logs" ? Int(rows) == before : rows > 0, "\(plan)")
            #expect(try await Self.count(live, listing, list) == before)
            #expect(live.log.contains("store.delete") == false)

            let (made, answer) = try await Self.post(live, "{\(body)}")
            #expect(made == 201)
            let id = try #require(answer["deletions"]?[0]?["id"]?.text)
            #expect(try await Self.count(live, listing, list) == 0)
            #expect(live.log.contains("store.delete") && live.log.contains(id) && live.log.contains("unix socket"))
            let receipt = try await PlainHTTP.send("GET", Self.path + "/" + id, to: live, isOverSocket: true)
            #expect(receipt.status == 200 && receipt.body.contains("requested"))
            let all = try await PlainHTTP.send("GET", Self.path, to: live, isOverSocket: true)
            #expect(try JSONTree(Array(all.body.utf8))["deletions"]?.elements == [try JSONTree(Array(receipt.body.utf8))])
            let (_, again) = try await Self.post(live, "{\(body),\"dry_run\":true}")
            #expect(again["plan"]?[0]?["rows"] == .number(0))
        }
    }

    @Test func whatDoesNotFitStays() async throws {
        try await Self.run { live in
            let spans = try await Self.count(live, "traces?start=0", "traces")
            let logs = try await Self.count(live, "logs?start=0", "logs")
            _ = try await Self.post(live, #"{"signal":"logs","severity":"error","start":0}"#)
            let left = try await Self.count(live, "logs?start=0", "logs")
            #expect(left > 0 && left < logs)
            #expect(try await Self.count(live, "traces?start=0", "traces") == spans)
            // What comes in later stays, also when it fits.
            _ = try await live.store.append(ShopRows.writeSet)
            #expect(try await Self.count(live, "logs?start=0", "logs") == left + logs)
            _ = try await Self.post(live, #"{"signal":["logs","spans"],"trace_id":"0af7651916cd43dd8448eb211c80319c"}"#)
            #expect(try await Self.count(live, "logs?trace_id=0af7651916cd43dd8448eb211c80319c", "logs") == 0)
            let trace = try await PlainHTTP.send("GET", "/api/oriel/v1/traces/0af7651916cd43dd8448eb211c80319c", to: live, isOverSocket: true)
            #expect(trace.status == 404)
        }
    }

    @Test(arguments: [
        ("", "body"), ("[]", "body"), (#"{"signal":{}}"#, "body"), ("{}", "signal"), (#"{"signal":"logs"}"#, "until when"),
        (#"{"signal":"traces","start":0}"#, "trace_id"), (#"{"signal":"log","start":0}"#, "did you mean"),
        (#"{"signal":"logs","start":0,"label":"a=b"}"#, "label"),
        (#"{"signal":["logs","spans"],"start":0,"severity":"error"}"#, "severity"), (#"{"signal":"logs","start":"soon"}"#, "start=soon"),
        (#"{"signal":"logs","since":"1h","end":"2h"}"#, "empty"), (#"{"signal":"logs","start":0,"servise":"x"}"#, "service"),
        (#"{"signal":"metrics","start":0,"label":"a>b"}"#, "labels are text"), (#"{"signal":"logs","trace_id":"xyz"}"#, "32 hexadecimal"),
        (#"{"signal":"logs","start":0,"dry_run":"perhaps"}"#, "true or false"),
    ])
    func refusals(_ body: String, _ said: String) async throws {
        try await Self.run { live in
            let (status, answer) = try await Self.post(live, body)
            #expect(status == 400)
            #expect(answer["error"]?["message"]?.text?.contains(said) == true, "\(answer)")
            #expect(live.log.contains("store.delete") && live.log.contains("failed"))
            #expect(try await live.store.deletions().isEmpty)
            #expect(try await PlainHTTP.send("GET", Self.path + "/9-9", to: live, isOverSocket: true).status == 404)
        }
    }

    @Test func onlyAdministratorsDelete() async throws {
        let open = ListenerConfiguration(address: .tcp(host: "127.0.0.1", port: 0), roles: [.query, .admin])
        let socket = { (folder: String) in ListenerConfiguration(address: .unix(path: CollectorConfiguration.socketPath(dataFolder: folder))) }
        try await LiveCollector.run(listeners: [open], configure: { $0.listeners.append(socket($0.dataFolder)) }) { live in
            let reader = try await live.makeToken("reader", ["query", "ingest"])
            let admin = try await live.makeToken("admin", ["admin"])
            let body = #"{"signal":"logs","start":0}"#
            for method in ["GET", "POST"] {
                let sent = method == "POST" ? body : nil
                #expect(try await PlainHTTP.send(method, Self.path, to: live, body: sent).status == 401)
                #expect(try await PlainHTTP.send(method, Self.path, to: live, token: reader, body: sent).status == 403)
            }
            #expect(try await live.store.deletions().isEmpty)
            #expect(try await PlainHTTP.send("POST", Self.path, to: live, token: admin, body: body).status == 201)
            #expect(live.log.contains("token admin"))
        }
    }

    @Test func aTenantDeletesItsOwnRowsOnly() async throws {
        let base = ReferenceStore.Place().openReference()
        let stores = ["acme", "globex"].map { TenantStore(base, tenant: $0) }
        for store in stores { _ = try await store.append(ShopRows.writeSet) }
        let apis = stores.map { OrielAPI(store: $0) { ShopRows.now } }
        let before = await apis[1].respond(to: "/api/oriel/v1/logs?start=0")
        for body in [#"{"signal":["logs","spans"],"start":0}"#, #"{"signal":"metrics","start":0}"#] {
            #expect(await DeletionAPI(store: stores[0]).delete(Array(body.utf8)).status == 201)
        }
        for path in ["logs", "traces", "series"] {
            guard let own = await apis[0].respond(to: "/api/oriel/v1/\(path)?start=0").bytes,
                let other = await apis[1].respond(to: "/api/oriel/v1/\(path)?start=0").bytes
            else { throw ShopAPI.Failure() }
            #expect(try JSONTree(own)[path]?.elements.isEmpty == true)
            #expect(try JSONTree(other)[path]?.elements.isEmpty == false)
        }
        guard let first = before.bytes, let second = await apis[1].respond(to: "/api/oriel/v1/logs?start=0").bytes else {
            throw ShopAPI.Failure()
        }
        #expect(first == second)
        #expect(try await stores[0].deletions().count == 3)
        #expect(try await stores[1].deletions().isEmpty)
        await #expect(throws: StoreError.self) { _ = try await stores[0].delete(Deletion(signals: [.logs, .samples])) }
    }
}
