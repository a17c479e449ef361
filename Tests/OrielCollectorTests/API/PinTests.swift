import OrielStore
import OrielStoreConformance
import OrielTelemetry
import Testing

@testable import OrielCollector

/// Pins over the administration's routes.
@Suite struct PinTests {
    private static let path = PinAPI.path
    private static let trace = ShopRows.failedTrace.hexadecimal

    private static func run(_ body: (LiveCollector) async throws -> Void) async throws {
        try await LiveCollector.run { live in
            _ = try await live.store.append(ShopRows.writeSet)
            try await body(live)
        }
    }

    private static func send(_ method: String, _ path: String, _ live: LiveCollector, _ body: String? = nil) async throws -> (status: Int, answer: JSONTree) {
        let answer = try await PlainHTTP.send(method, path, to: live, isOverSocket: true, body: body)
        return (answer.status, try JSONTree(Array(answer.body.utf8)))
    }

    private static func count(_ live: LiveCollector, _ path: String, _ list: String) async throws -> Int {
        try await send("GET", "/api/oriel/v1/\(path)", live).answer[list]?.elements.count ?? -1
    }

    @Test func aPinnedTraceOutlivesTheRetention() async throws {
        try await Self.run { live in
            let logs = try await Self.count(live, "logs?trace_id=\(Self.trace)", "logs")
            let (status, pin) = try await Self.send("POST", Self.path, live, #"{"trace_id":"\#(Self.trace)","note":"ticket 4711"}"#)
            #expect(status == 201)
            let id = try #require(pin["id"]?.text)
            #expect(pin["note"]?.text == "ticket 4711" && pin["filter"]?.text == "trace_id = \(Self.trace)" && pin["start"] == .null && pin["end"] == .null)
            #expect(pin["signals"]?.elements.compactMap(\.text) == [Signal.logs, .spans, .exemplars].map(\.name))
            #expect(pin["rows"]?.number ?? 0 >= Double(5 + logs), "\(pin)")
            #expect(live.log.contains("store.pin") && live.log.contains("ticket 4711") && live.log.contains("unix socket"))

            for signal in Signal.allCases { try await live.store.retain(signal, from: ShopRows.now.advanced(by: 3_600_000_000_000)) }
            #expect(try await Self.send("GET", "/api/oriel/v1/traces/\(Self.trace)", live).answer["span_count"] == .number(5))
            #expect(try await Self.count(live, "logs?start=0", "logs") == logs)
            #expect(try await Self.send("GET", Self.path, live).answer["pins"]?.elements == [pin])

            let (removed, was) = try await Self.send("DELETE", Self.path + "/" + id, live)
            #expect(removed == 200 && was == pin)
            #expect(live.log.contains("store.unpin"))
            #expect(try await Self.count(live, "logs?start=0", "logs") == 0)
            #expect(try await Self.send("GET", Self.path, live).answer["pins"]?.elements == [])
            #expect(try await Self.send("DELETE", Self.path + "/" + id, live).status == 404)
        }
    }

    /// What is asked for, and what the pin then says of it.
    @Test(arguments: [
        (#""start":"2026-11-24T14:59:00Z","end":"2026-11-24T15:00:00Z""#, Signal.allCases, "every row"),
        (#""start":0,"signal":"metrics""#, [.samples, .histograms, .exemplars], "every row"),
        (#""end":"2100-01-01","signal":["spans","LOGS","spans"]"#, [.logs, .spans], "every row"),
        (#""start":0,"service":"payment""#, [.logs, .spans], "service.name = \"payment\""),
        (#""trace_id":["\#(trace)","\#(ShopRows.goodTrace.hexadecimal)"],"signal":"spans""#, [.spans], "trace_id is one of"),
        (#""trace_id":"\#(trace)","service":"payment","note":null"#, [.logs, .spans], "service.name = \"payment\" and trace_id = \(trace)"),
    ])
    func windowsAndTraces(_ body: String, _ signals: [Signal], _ filter: String) async throws {
        try await Self.run { live in
            let (status, pin) = try await Self.send("POST", Self.path, live, "{\(body)}")
            #expect(status == 201, "\(pin)")
            #expect(pin["signals"]?.elements.compactMap(\.text) == signals.sorted().map(\.name))
            #expect(pin["filter"]?.text?.hasPrefix(filter) == true, "\(pin)")
            #expect(pin["rows"]?.number ?? 0 > 0)
            let kept = try #require(try await live.store.pins().first)
            #expect(kept.selection.signals == Set(signals) && kept.selection.range.start.nanoseconds <= ShopRows.now.nanoseconds)
        }
    }

    @Test func aSecondPinOfTheSameRowsStandsByItself() async throws {
        try await Self.run { live in
            let body = #"{"trace_id":"\#(Self.trace)"}"#
            for rows in [true, false] {
                let (status, pin) = try await Self.send("POST", Self.path, live, body)
                #expect(status == 201 && (pin["rows"]?.number ?? 0 > 0) == rows, "\(pin)")
            }
            for signal in Signal.allCases { try await live.store.retain(signal, from: ShopRows.now.advanced(by: 3_600_000_000_000)) }
            let first = try #require(try await Self.send("GET", Self.path, live).answer["pins"]?[0]?["id"]?.text)
            #expect(try await Self.send("DELETE", Self.path + "/" + first, live).status == 200)
            #expect(try await Self.send("GET", "/api/oriel/v1/traces/\(Self.trace)", live).status == 200)
        }
    }

    @Test(arguments: [
        ("", "body"), ("[]", "body"), ("{}", "say what to keep"), (#"{"note":"why"}"#, "say what to keep"), (#"{"service":"shop"}"#, "from when or until when"),
        (#"{"trace_id":"xyz"}"#, "32 hexadecimal"), (#"{"start":0,"signal":"log"}"#, "did you mean"), (#"{"start":0,"signal":"traces"}"#, "trace_id"),
        (#"{"start":0,"signal":"metrics","service":"shop"}"#, "metrics cannot be chosen by service"),
        (#"{"signal":["logs","metrics"],"trace_id":"\#(trace)"}"#, "metrics cannot be chosen by trace_id"), (#"{"start":"soon"}"#, "start=soon"),
        (#"{"since":"1h","end":"2h"}"#, "empty"), (#"{"start":0,"servce":"x"}"#, "did you mean \"service\""), (#"{"start":0,"since":0}"#, "one of them"),
        (#"{"start":0,"note":"\#(String(repeating: "n", count: 1001))"}"#, "1001 bytes"), (#"{"start":0,"note":["a","b"]}"#, "given 2 times"),
        (#"{"trace_id":[\#((1...101).map { "\"\(TraceID(high: 1, low: UInt64($0)).hexadecimal)\"" }.joined(separator: ","))]}"#, "101 traces"),
    ])
    func refusals(_ body: String, _ said: String) async throws {
        try await Self.run { live in
            let (status, answer) = try await Self.send("POST", Self.path, live, body)
            #expect(status == 400)
            #expect(answer["error"]?["message"]?.text?.contains(said) == true, "\(answer)")
            #expect(live.log.contains("store.pin") && live.log.contains("failed"))
            #expect(try await live.store.pins().isEmpty)
        }
    }

    @Test func nothingIsNotPinned() async throws {
        try await Self.run { live in
            for body in [
                #"{"trace_id":"00000000000000000000000000000001"}"#, #"{"start":0,"service":"nobody"}"#, #"{"start":"2020-01-01","end":"2020-01-02"}"#,
            ] {
                let (status, answer) = try await Self.send("POST", Self.path, live, body)
                #expect(status == 404 && answer["error"]?["message"]?.text?.contains("nothing to pin") == true, "\(answer)")
            }
            #expect(try await live.store.pins().isEmpty)
            for id in ["1", "-1", "x", "99999999999999999999", "%00"] {
                #expect(try await Self.send("DELETE", Self.path + "/" + id, live).status == 404, "\(id)")
            }
            // What the store does not do is told as its own words.
            live.store.failure = .unsupported("pins of more than 1 bytes")
            let (status, answer) = try await Self.send("POST", Self.path, live, #"{"start":0}"#)
            #expect(status == 422 && answer["error"]?["message"]?.text?.contains("more than 1 bytes") == true, "\(answer)")
            live.store.failure = .diskFull(freeBytes: 1, neededBytes: 2, retryAfterSeconds: 7)
            #expect(try await Self.send("POST", Self.path, live, #"{"start":0}"#).status == 503)
        }
    }

    @Test func onlyAdministratorsPin() async throws {
        let open = ListenerConfiguration(address: .tcp(host: "127.0.0.1", port: 0), roles: [.query, .admin])
        let socket = { (folder: String) in ListenerConfiguration(address: .unix(path: CollectorConfiguration.socketPath(dataFolder: folder))) }
        try await LiveCollector.run(listeners: [open], configure: { $0.listeners.append(socket($0.dataFolder)) }) { live in
            _ = try await live.store.append(ShopRows.writeSet)
            let reader = try await live.makeToken("reader", ["query", "ingest"])
            let admin = try await live.makeToken("admin", ["admin"])
            let requests = [("GET", Self.path, nil), ("POST", Self.path, #"{"start":0}"#), ("DELETE", Self.path + "/1", nil)]
            for (method, path, body) in requests {
                #expect(try await PlainHTTP.send(method, path, to: live, body: body).status == 401)
                #expect(try await PlainHTTP.send(method, path, to: live, token: reader, body: body).status == 403)
            }
            #expect(try await live.store.pins().isEmpty)
            for ((method, path, body), status) in zip(requests, [200, 201, 200]) {
                #expect(try await PlainHTTP.send(method, path, to: live, token: admin, body: body).status == status, "\(method)")
            }
            #expect(live.log.contains("token admin"))
        }
    }

    @Test func aTenantPinsItsOwnRowsOnly() async throws {
        let base = ReferenceStore.Place().openReference()
        let stores = ["acme", "globex"].map { TenantStore(base, tenant: $0) }
        for store in stores { _ = try await store.append(ShopRows.writeSet) }
        let apis = stores.map { PinAPI(store: $0) { ShopRows.now } }
        #expect(await apis[0].pin(Array(#"{"start":0,"signal":["logs","spans"]}"#.utf8)).status == 201)
        #expect(await apis[0].pin(Array(#"{"start":0,"signal":"metrics"}"#.utf8)).status == 201)
        #expect(await apis[0].pin(Array(#"{"start":0}"#.utf8)).status == 422)
        for signal in Signal.allCases { try await base.retain(signal, from: ShopRows.now.advanced(by: 3_600_000_000_000)) }
        for (store, isKept) in zip(stores, [true, false]) {
            let plan = ScanPlan(signal: .logs)
            #expect(try await store.snapshot().scan(plan).next()?.count ?? 0 == (isKept ? 5 : 0))
            #expect(try await store.pins().count == (isKept ? 2 : 0))
        }
        let id = try #require(try await stores[0].pins().first?.id)
        #expect(try await !stores[1].unpin(id))
        #expect(await apis[1].unpin("\(id)").status == 404)
        #expect(await apis[0].unpin("\(id)").status == 200)
    }
}
