import OrielCollector
import OrielStore
import OrielStoreConformance
import OrielTelemetry
import Testing

/// An API over the shop's rows.
struct ShopAPI {
    let store = ReferenceStore.Place().openReference()
    let api: OrielAPI

    init() async throws {
        api = OrielAPI(store: store) { ShopRows.now }
        _ = try await store.append(ShopRows.writeSet)
    }

    func get(_ path: String, status: Int = 200, _ place: SourceLocation = #_sourceLocation) async throws -> JSONTree {
        let answer = await api.respond(to: "/api/oriel/v1/\(path)")
        guard let bytes = answer.bytes else { throw Failure() }
        #expect(answer.status == status, "\(path): \(String(decoding: bytes.prefix(400), as: UTF8.self))", sourceLocation: place)
        return try JSONTree(bytes)
    }

    /// A member of every element of a list.
    func column(_ path: String, _ list: String, _ member: String) async throws -> [String] {
        try await get(path)[list]?.elements.map { $0[member]?.text ?? "null" } ?? []
    }

    struct Failure: Error {}
}

@Suite struct APITests {
    @Test func aTraceHasItsSpansAndLogs() async throws {
        let shop = try await ShopAPI()
        let trace = try await shop.get("traces/\(ShopRows.failedTrace)")
        #expect(trace["span_count"] == .number(5))
        let spans = try #require(trace["spans"]?.elements)
        #expect(spans.map { $0["name"]?.text } == ["POST /checkout", "POST /orders", "SELECT carts", "charge card", "UPDATE orders"])
        let root = spans[0]
        #expect(root["parent_span_id"] == .null && root["span_id"] == .string("00000000000000a1"))
        #expect(root["start_time"] == .string("2026-11-24T14:59:50.000000000Z") && root["start_time_unix_nano"] == .string("1795532390000000000"))
        #expect(root["duration_nano"] == .string("812400000") && root["kind"] == .string("server"))
        #expect(root["attributes"]?.elements.contains(try JSONTree(Array(#"{"key":"http.response.status_code","value":{"intValue":"502"}}"#.utf8))) == true)
        let charge = spans[3]
        #expect(charge["status"] == .object(["code": .string("error"), "message": .string("card processor did not answer")]))
        #expect(charge["events"]?[0]?["name"] == .string("exception"))
        #expect(charge["links"]?[0]?["trace_id"] == .string("000102030405060708090a0b0c0d0e0f"))
        #expect(charge["resource"]?["attributes"]?.elements.count == 3 && charge["scope"]?["name"] == .string("shop.http"))
        #expect(trace["logs"]?.elements.map { $0["severity"]?.text } == ["WARN", "ERROR", "ERROR"])
        #expect(trace["next"] == .null)
    }

    @Test func aTraceComesInPages() async throws {
        let shop = try await ShopAPI()
        var names: [String] = []
        var path = "traces/\(ShopRows.failedTrace)?limit=2"
        for page in 0..<3 {
            let trace = try await shop.get(path)
            names += trace["spans"]?.elements.compactMap { $0["name"]?.text } ?? []
            #expect((trace["logs"]?.elements.isEmpty == true) == (page > 0))
            guard let next = trace["next"]?.text else { break }
            path = "traces/\(ShopRows.failedTrace)?limit=2&cursor=\(next)"
        }
        #expect(names == ["POST /checkout", "POST /orders", "SELECT carts", "charge card", "UPDATE orders"])
    }

    @Test func unknownTraces() async throws {
        let shop = try await ShopAPI()
        _ = try await shop.get("traces/00000000000000000000000000000001", status: 404)
        _ = try await shop.get("traces/xyz", status: 400)
        _ = try await shop.get("traces/00000000000000000000000000000000", status: 400)
    }

    @Test(arguments: [
        ("", 2), ("service=payment", 1), ("service=nobody", 0), ("name=SELECT%20carts", 2), ("status=error", 1), ("min_duration=100ms", 1),
        ("max_duration=100ms", 1), ("text=CHARGE", 1), ("attribute=http.response.status_code>=500", 1), ("attribute=http.response.status_code=200", 1),
        ("attribute=http.response.status_code!=200&attribute=http.request.method", 1), ("attribute=user.id=u-42", 1), ("attribute=retry=2", 1),
        ("attribute=retry=%222%22", 0), ("attribute=service.version=1.4.2", 2), ("attribute=db.cost>1.4", 1), ("attribute=tags=a", 1),
        ("trace_id=\(ShopRows.goodTrace)", 1), ("end=15s", 1), ("since=15s", 1), ("start=14:59:45", 1), ("start=2020-01-01&end=2020-01-02", 0),
    ])
    func tracesPassFilters(query: String, count: Int) async throws {
        let shop = try await ShopAPI()
        #expect(try await shop.get("traces?\(query)")["traces"]?.elements.count == count)
    }

    @Test(arguments: [
        ("", 5), ("service=payment", 2), ("severity=warn", 3), ("severity=17", 2), ("severity=INFO", 4), ("text=TIMEOUT", 1), ("text=failed", 2),
        ("words=TIMEOUTERROR", 1), ("words=timeout", 0), ("words=failed", 2), ("words=charge%20failed", 1), ("words=slow&words=CARD", 1),
        ("words=slow&words=no", 0),
        ("trace_id=\(ShopRows.failedTrace)", 3), ("attribute=processor=acme", 1), ("attribute=waited_ms>300", 1), ("attribute=entries", 1),
        ("attribute=host.cpu.count=4", 5), ("since=25s", 4), ("since=25s&end=15s", 1), ("limit=3", 3),
    ])
    func logsPassFilters(query: String, count: Int) async throws {
        let shop = try await ShopAPI()
        #expect(try await shop.get("logs?\(query)")["logs"]?.elements.count == count)
    }

    @Test(arguments: ["newest", "oldest"], [1, 2, 5])
    func logsComeInPages(order: String, limit: Int) async throws {
        let shop = try await ShopAPI()
        let all = try await shop.column("logs?order=\(order)", "logs", "time")
        #expect(all == (order == "newest" ? all.sorted(by: >) : all.sorted()))
        var paged: [String] = []
        var path = "logs?order=\(order)&limit=\(limit)"
        while true {
            let page = try await shop.get(path)
            paged += page["logs"]?.elements.compactMap { $0["time"]?.text } ?? []
            guard let next = page["next"]?.text else { break }
            path = "logs?order=\(order)&limit=\(limit)&cursor=\(next)"
        }
        #expect(paged == all)
    }

    @Test func cursorsBelongToTheirRequest() async throws {
        let shop = try await ShopAPI()
        let next = try #require(try await shop.get("logs?limit=1")["next"]?.text)
        #expect(try await shop.get("logs?limit=3&cursor=\(next)")["logs"]?.elements.count == 3)
        _ = try await shop.get("logs?service=payment&cursor=\(next)", status: 400)
        _ = try await shop.get("traces?cursor=\(next)", status: 400)
        _ = try await shop.get("logs?cursor=abc", status: 400)
    }

    @Test(arguments: [
        ("logs?servce=x", "servce", "unknown parameter \"servce\" (did you mean \"service\"?)"), ("logs?severity=wrn", "severity", "did you mean \"warn\"?"),
        ("logs?limit=0", "limit", "from 1 to 10000"), ("logs?limit=10001", "limit", "from 1 to 10000"), ("traces?min_duration=5", "min_duration", "250ms"),
        ("traces?status=eror", "status", "did you mean \"error\"?"), ("logs?start=tomorrow", "start", "RFC 3339"),
        ("logs?start=1h&since=1h", "since", "one of them"), ("logs?start=now&end=1h", "end", "empty"), ("logs?trace_id=12", "trace_id", "32 hexadecimal"),
        ("traces?attribute==5", "attribute", "key=value"), ("series?label=job>1", "label", "= and !="), ("logs?limit=1&limit=2", "limit", "2 times"),
        ("series?points=0", "points", "from 1 to 1000"), ("series?limit=100001", "limit", "from 1 to 100000"),
        ("logs?attribute=n=%3e10", "attribute", "did you mean n>=10?"),
        ("logs?attribute=n=%3c10", "attribute", "did you mean n<=10?"), ("logs?attribute=n%3c%3e10", "attribute", "did you mean n!=10?"),
        ("logs?attribute=n=~x", "attribute", "n=\"~x\""), ("logs?attribute=n!~x", "attribute", "pattern"),
        ("logs?follow=maybe", "follow", "true or false"), ("logs?follow=true&end=now", "end", "follow"),
    ])
    func mistakesAreMetWithTheCorrection(path: String, parameter: String, message: String) async throws {
        let shop = try await ShopAPI()
        let error = try await shop.get(path, status: 400)["error"]
        #expect(error?["parameter"] == .string(parameter))
        #expect(error?["message"]?.text?.contains(message) == true, "\(String(describing: error))")
    }

    @Test func otherPathsAreNotFound() async throws {
        let shop = try await ShopAPI()
        let error = try await shop.get("trace", status: 404)["error"]
        #expect(error?["message"]?.text?.contains("did you mean \"traces\"?") == true)
        let broken = await shop.api.respond(to: "/api/oriel/v1/logs?text=%zz")
        #expect(broken.status == 400)
    }

    @Test func seriesHaveValuesAndPoints() async throws {
        let shop = try await ShopAPI()
        let series = try #require(try await shop.get("series?name=http_requests_total&points=all&exemplars=true")["series"])
        #expect(series.elements.count == 2)
        // One page may hold very many series.
        #expect(try await shop.get("series?limit=100000")["next"] == .null)
        let get = try #require(series[0])
        #expect(get["labels"] == .object(["job": .string("gateway"), "method": .string("GET")]))
        #expect(get["type"] == .string("counter") && get["points"]?.elements.count == 60)
        #expect(get["last"]?["value"] == .number(59 * 120) && get["last"]?["time"] == .string("2026-11-24T14:59:00.000000000Z"))
        #expect(series[1]?["exemplars"]?[0]?["trace_id"] == .string(ShopRows.failedTrace.hexadecimal))
        #expect(try await shop.get("series?name=http_requests_total&label=method!=GET")["series"]?.elements.count == 1)
        #expect(try await shop.get("series?name=queue_depth&points=10&since=1h&end=now")["series"]?[0]?["points"]?.elements.count == 10)
        #expect(try await shop.get("series?name=queue_depth")["series"]?[0]?["stale"] == .bool(true))
        #expect(try await shop.column("series?name=request_seconds", "series", "name") == ["request_seconds_bucket", "request_seconds_sum"])
        let histogram = try await shop.get("series?name=rpc_seconds")["series"]?[0]?["last"]?["histogram"]
        #expect(histogram?["positive_buckets"] == .array([.number(1), .number(4)]) && histogram?["count"] == .number(6))
    }

    @Test func seriesAndMetricsComeInPages() async throws {
        let shop = try await ShopAPI()
        for (list, count) in [("series", 6), ("metrics", 4)] {
            var names: [String] = []
            var path = "\(list)?limit=1"
            while true {
                let page = try await shop.get(path)
                names += page[list]?.elements.compactMap { $0["name"]?.text } ?? []
                guard let next = page["next"]?.text else { break }
                path = "\(list)?limit=1&cursor=\(next)"
            }
            #expect(names.count == count && names == names.sorted())
        }
        #expect(try await shop.column("metrics?name=*_seconds", "metrics", "name") == ["request_seconds", "rpc_seconds"])
        #expect(try await shop.column("metrics?text=WAIT", "metrics", "type") == ["gauge"])
    }

    @Test func servicesAreListed() async throws {
        let shop = try await ShopAPI()
        #expect(try await shop.column("services", "services", "name") == ["checkout", "gateway", "payment"])
    }

    @Test func followingShowsThePastThenWhatComes() async throws {
        let shop = try await ShopAPI()
        guard case .lines(var tail) = await shop.api.respond(to: "/api/oriel/v1/logs?follow=true&service=payment&limit=1").body else {
            Issue.record("no lines")
            return
        }
        let past = try lines(await tail.next())
        #expect(past.count == 2 && past[0]["log"]?["severity"] == .string("ERROR"))
        let cursor = try #require(past[1]["position"]?.text)
        _ = try await shop.store.append(WriteSet(batches: [ShopRows.logs.columnBatch]))
        let news = try lines(await tail.next())
        #expect(news.count == 3 && news.prefix(2).allSatisfy { $0["log"]?["service"] == .string("payment") })

        // A second reader goes on where the first one's position was.
        guard case .lines(var again) = await shop.api.respond(to: "/api/oriel/v1/logs?follow=true&service=payment&cursor=\(cursor)").body else {
            Issue.record("no lines")
            return
        }
        #expect(try lines(await again.next()) == news)
        try await shop.store.close()
        #expect(await again.next() == nil)
    }

    private func lines(_ bytes: [UInt8]?) throws -> [JSONTree] {
        try (bytes ?? []).split(separator: UInt8(ascii: "\n")).map { try JSONTree(Array($0)) }
    }

    /// Seeded noise in place of parameters: always an answer, never a crash.
    @Test(arguments: 0..<20) func hostileTargets(seed: UInt64) async throws {
        let shop = try await ShopAPI()
        var generator = SplitMix64(seed: seed)
        let pieces = [
            "since=", "1h", "&", "=", "%", "%41", "attribute=", ">=", "\"", "cursor=", "MXxsb2dzfDB8MHwwfA", "limit=", "-1", "99999999999999999999", "🦊",
            "start=", "points=", "|",
        ]
        for _ in 0..<50 {
            let query = (0..<Int.random(in: 0...8, using: &generator)).map { _ in pieces.randomElement(using: &generator) ?? "" }.joined()
            for path in ["logs", "traces", "series", "metrics", "services", "traces/0"] {
                let answer = await shop.api.respond(to: "/api/oriel/v1/\(path)?\(query)")
                #expect([200, 400].contains(answer.status), "seed \(seed): \(path)?\(query)")
            }
        }
    }
}
