import HTTPTypes
import OrielSQLite
import OrielStore
import OrielStoreConformance
import OrielTelemetry
import Testing

@testable import OrielCollector

/// The description of the administration against the routes that there are and what they answer.
@Suite struct AdministrationOpenAPITests {
    private static let base = "/api/oriel"

    /// Runs a collector over the shop's rows whose administration is that of a store on the disk.
    private static func run(_ body: (LiveCollector, JSONTree) async throws -> Void) async throws {
        let folder = try TemporaryFolder()
        let disk = try await SQLiteStore.open(folder: folder.path)
        _ = try await disk.append(ShopRows.writeSet)
        try await disk.flush()
        try await LiveCollector.run(administration: disk) { live in
            _ = try await live.store.append(ShopRows.writeSet)
            let document = try await PlainHTTP.send("GET", "/api/oriel/v1/openapi.json", to: live, isOverSocket: true)
            try await body(live, try JSONTree(Array(document.body.utf8)))
        }
        try await disk.close()
    }

    /// A route in the document's spelling: `DELETE /admin/v1/tokens/{name}`.
    private static func operation(_ method: String, _ path: String) -> String {
        let segments = path.dropFirst(base.count).split(separator: "/").map { $0.hasPrefix(":") ? "{\($0.dropFirst())}" : String($0) }
        return method + " /" + segments.joined(separator: "/")
    }

    @Test func everyRouteIsDescribedAndNoOther() async throws {
        try await Self.run { live, document in
            let routes = live.collector.routes.paths(of: .admin)
            #expect(routes.allSatisfy { $0.path.hasPrefix(Self.base + "/admin/v1/") })
            var described: Set<String> = []
            for (path, item) in document["paths"]?.members ?? [:] where path.hasPrefix("/admin/") {
                for method in item.members.keys { described.insert("\(method.uppercased()) \(path)") }
            }
            #expect(described == Set(routes.map { Self.operation($0.method.rawValue, $0.path) }))
        }
    }

    @Test func theBodiesAreDescribed() async throws {
        try await Self.run { _, document in
            for (schema, members) in [("DeletionOrder", DeletionRequest.members), ("PinOrder", PinRequest.members)] {
                let properties = try #require(document["components"]?["schemas"]?[schema]?["properties"]?.members)
                #expect(Set(properties.keys) == Set(members), "\(schema)")
            }
        }
    }

    /// A request of every operation, in an order in which each finds what it needs. An operation that is not here fails the test.
    @Test func everyAnswerIsAsDescribed() async throws {
        try await Self.run { live, document in
            let trace = ShopRows.failedTrace.hexadecimal
            let backup = live.folder.path + "/backup"
            let requests: [(operation: String, path: String, body: String?, status: Int)] = [
                ("POST /admin/v1/tokens", "tokens", #"{"name":"acme","scopes":["query"],"tenant":"acme","limits":{"queries":4}}"#, 201),
                ("POST /admin/v1/tokens", "tokens", #"{"name":"acme","scopes":["query"]}"#, 409),
                ("GET /admin/v1/tokens", "tokens", nil, 200),
                ("DELETE /admin/v1/tokens/{name}", "tokens/acme", nil, 200),
                ("DELETE /admin/v1/tokens/{name}", "tokens/acme", nil, 404),
                ("POST /admin/v1/pins", "pins", #"{"trace_id":"\#(trace)","note":"why"}"#, 201),
                ("POST /admin/v1/pins", "pins", #"{"start":0,"end":"2100-01-01","service":"payment","signal":["logs"]}"#, 201),
                ("POST /admin/v1/pins", "pins", "{}", 400),
                ("GET /admin/v1/pins", "pins", nil, 200),
                ("DELETE /admin/v1/pins/{id}", "pins/1", nil, 200),
                ("DELETE /admin/v1/pins/{id}", "pins/1", nil, 404),
                ("POST /admin/v1/deletions", "deletions", #"{"signal":["logs","spans"],"trace_id":"\#(trace)","dry_run":true}"#, 200),
                ("POST /admin/v1/deletions", "deletions", #"{"signal":"logs","start":0,"severity":17}"#, 201),
                ("POST /admin/v1/deletions", "deletions", #"{"signal":"logs"}"#, 400),
                ("GET /admin/v1/deletions", "deletions", nil, 200),
                ("GET /admin/v1/deletions/{id}", "deletions/none", nil, 404),
                ("POST /admin/v1/doctor", "doctor", #"{"reads":true}"#, 200),
                ("POST /admin/v1/doctor", "doctor", nil, 200),
                ("POST /admin/v1/doctor", "doctor", "nonsense", 400),
                ("POST /admin/v1/salvage", "salvage", nil, 200),
                ("POST /admin/v1/backup", "backup", #"{"path":"\#(backup)"}"#, 200),
                ("POST /admin/v1/backup", "backup", #"{"path":"/proc/nowhere"}"#, 200),
                ("POST /admin/v1/backup", "backup", #"{"path":"relative"}"#, 400),
            ]
            for request in requests {
                try await Self.check(request.operation, "/admin/v1/" + request.path, request.body, request.status, live, document)
            }
            let list = try await PlainHTTP.send("GET", DeletionAPI.path, to: live, isOverSocket: true)
            let id = try #require(try JSONTree(Array(list.body.utf8))["deletions"]?[0]?["id"]?.text)
            try await Self.check("GET /admin/v1/deletions/{id}", "/admin/v1/deletions/" + id, nil, 200, live, document)
            #expect(
                Set(requests.map(\.operation)) == Set(live.collector.routes.paths(of: .admin).map { Self.operation($0.method.rawValue, $0.path) }))
        }
    }

    /// Sends a request, and compares both bodies with what the document says of its operation.
    private static func check(
        _ operation: String, _ path: String, _ body: String?, _ status: Int, _ live: LiveCollector, _ document: JSONTree
    ) async throws {
        let validator = SchemaValidator(document: document)
        let words = operation.split(separator: " ").map(String.init)
        let described = try #require(document["paths"]?[words[1]]?[words[0].lowercased()])
        // What is refused need not be as described.
        if let body, status < 400 {
            let schema = try #require(described["requestBody"]?["content"]?["application/json"]?["schema"])
            #expect(validator.violations(of: try JSONTree(Array(body.utf8)), schema) == [], "\(operation) \(body)")
        }
        let answer = try await PlainHTTP.send(words[0], base + path, to: live, isOverSocket: true, body: body)
        #expect(answer.status == status, "\(operation): \(answer)")
        let response = try #require(described["responses"]?["\(status)"].map { $0["$ref"]?.text.map(validator.resolve) ?? $0 }, "\(operation): \(status)")
        let content = try #require(response["content"]?.members)
        let type = try #require(answer.headers["content-type"])
        let schema = try #require(content[type]?["schema"], "\(operation): \(type)")
        for line in type == "application/x-ndjson" ? Self.lines(answer) : [answer.body] {
            #expect(validator.violations(of: try JSONTree(Array(line.utf8)), schema) == [], "\(operation): \(line)")
        }
    }

    /// The lines of an answer without a known length, whose pieces come with their sizes before them.
    private static func lines(_ answer: PlainHTTP) -> [String] {
        answer.body.split(whereSeparator: \.isNewline).filter { $0.hasPrefix("{") }.map(String.init)
    }
}
