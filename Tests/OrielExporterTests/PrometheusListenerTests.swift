import OrielClient
import OrielExporterPrometheus
import OrielTelemetry
import OrielThreads
import Synchronization
import Testing

/// Scrapes over real sockets.
@Suite struct PrometheusListenerTests {
    private let registry = MetricRegistry(configuration: .init(reportsItself: false))

    private func listener(
        _ address: String = "127.0.0.1:0", connections: Int = 32, idle: Duration = .seconds(150), request: Duration = .seconds(30)
    ) throws -> PrometheusListener {
        registry.counter("c").increment(by: 3)
        return try PrometheusListener(
            registry: registry, configuration: .init(address: address, maximumConnections: connections, idleTimeout: idle, requestTimeout: request))
    }

    @Test func theResourceIsToldInEitherFormat() throws {
        registry.counter("c").increment()
        let listener = try PrometheusListener(
            registry: registry, resource: Resource(attributes: [Attribute("service.name", "shop")]), configuration: .init(address: "127.0.0.1:0"))
        defer { listener.shutdown() }
        let client = try #require(PrometheusSocket(port: listener.port))
        client.send(Self.get("/metrics"))
        #expect(client.receiveAnswer()?.body.contains("\n# TYPE target_info gauge\ntarget_info{service_name=\"shop\"} 1\n") == true)
        client.send(Self.get("/metrics", "Accept: application/openmetrics-text;version=1.0.0\r\n"))
        #expect(client.receiveAnswer()?.body.hasPrefix("# TYPE target info\n") == true)
    }

    private static func get(_ path: String, _ fields: String = "") -> String { "GET \(path) HTTP/1.1\r\nHost: a\r\n\(fields)\r\n" }

    @Test func aScrapeIsAnsweredInTheFormatItAsksFor() throws {
        let listener = try listener()
        defer { listener.shutdown() }
        let client = try #require(PrometheusSocket(port: listener.port))
        client.send(Self.get("/metrics"))
        let plain = try #require(client.receiveAnswer())
        #expect(plain.head.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(plain.head.contains("\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"))
        #expect(plain.body == "# TYPE c_total counter\nc_total 3\n")
        // On the same connection.
        client.send(Self.get("/metrics", "Accept: application/openmetrics-text;version=1.0.0,text/plain;q=0.5\r\n"))
        let open = try #require(client.receiveAnswer())
        #expect(open.head.contains("\r\nContent-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n"))
        #expect(open.body == "# TYPE c counter\nc_total 3\n# EOF\n")
        client.send("HEAD /metrics HTTP/1.1\r\nHost: a\r\n\r\n" + Self.get("/"))
        let head = try #require(client.receiveAnswer(hasBody: false))
        #expect(head.head.contains("\r\nContent-Length: 33\r\n"))
    }

    /// A door that a collector waits at.
    private final class Gate: Sendable {
        private let changed = ThreadSignal()
        private let state = Mutex((isOpen: false, isReached: false))

        var isReached: Bool { state.withLock { $0.isReached } }

        func pass() {
            state.withLock { $0.isReached = true }
            changed.notify()
            while true {
                let ticket = changed.ticket
                if state.withLock({ $0.isOpen }) { return }
                changed.wait(after: ticket)
            }
        }

        func waitUntilReached() {
            while true {
                let ticket = changed.ticket
                if isReached { return }
                changed.wait(after: ticket, timeout: .seconds(60))
            }
        }

        func open() {
            state.withLock { $0.isOpen = true }
            changed.notify()
        }
    }

    @Test func anEndDoesNotWaitForAScrapeBeyondItsDeadline() async throws {
        let listener = try listener()
        let gate = Gate()
        registry.addCollector { _ in gate.pass() }
        let client = try #require(PrometheusSocket(port: listener.port))
        client.send(Self.get("/metrics"))
        gate.waitUntilReached()
        #expect(await listener.shutdown(deadline: .now.advanced(by: 20_000_000)) == false)
        gate.open()
        #expect(await listener.shutdown(deadline: .now.advanced(by: 60_000_000_000)))
        // The port is free.
        try PrometheusListener(registry: registry, configuration: .init(address: "127.0.0.1:\(listener.port)")).shutdown()
    }

    @Test func everythingElseIsAnsweredClearly() throws {
        let listener = try listener()
        defer { listener.shutdown() }
        for (request, status) in [
            (Self.get("/", "Connection: close\r\n"), "200 OK"), (Self.get("/x", "Connection: close\r\n"), "404 Not Found"),
            ("POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", "405 Method Not Allowed"), ("hello\r\n\r\n", "400 Bad Request"),
            ("GET / HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "x", count: 30_000), "431 Request Header Fields Too Large"),
        ] {
            let client = try #require(PrometheusSocket(port: listener.port))
            client.send(request)
            // The end comes, too.
            let answer = client.receiveAll()
            #expect(answer.hasPrefix("HTTP/1.1 \(status)\r\n"), "\(request.prefix(40)): \(answer)")
            #expect(answer.contains("/metrics") || status.hasPrefix("405") || status.hasPrefix("431"))
        }
    }

    @Test func requestsInPiecesAndInARow() throws {
        let listener = try listener()
        defer { listener.shutdown() }
        let client = try #require(PrometheusSocket(port: listener.port))
        for byte in Self.get("/metrics") { client.send(String(byte)) }
        #expect(client.receiveAnswer()?.body.hasSuffix("c_total 3\n") == true)
        // All at once, answered in their order.
        client.send(String(repeating: Self.get("/metrics"), count: 99) + Self.get("/x", "Connection: close\r\n"))
        let answers = client.receiveAll()
        #expect(answers.split(separator: "HTTP/1.1 200 OK").count == 99)
        #expect(answers.contains("HTTP/1.1 404 Not Found"))
    }

    @Test func slowReadersDoNotHoldUpOthers() throws {
        for index in 0..<20_000 { registry.gauge("big", labels: ["index": "\(index % 1900)", "padding": String(repeating: "x", count: 1000)]).set(1) }
        let listener = try listener()
        defer { listener.shutdown() }
        var slow: [PrometheusSocket] = []
        for _ in 0..<8 {
            let client = try #require(PrometheusSocket(port: listener.port, receiveBuffer: 4096))
            client.send(Self.get("/metrics"))
            slow.append(client)
        }
        let quick = try #require(PrometheusSocket(port: listener.port))
        quick.send(Self.get("/metrics"))
        let answer = try #require(quick.receiveAnswer())
        #expect(answer.body.utf8.count > 1_900_000)
        // And the slow ones get all of it, when they read.
        #expect(slow[0].receiveAnswer()?.body == answer.body)
    }

    @Test func connectionsAreBounded() throws {
        let listener = try listener(connections: 2)
        defer { listener.shutdown() }
        let first = try #require(PrometheusSocket(port: listener.port))
        first.send(Self.get("/metrics"))
        #expect(first.receiveAnswer() != nil)
        let second = try #require(PrometheusSocket(port: listener.port))
        second.send(Self.get("/metrics"))
        #expect(second.receiveAnswer() != nil)
        let third = try #require(PrometheusSocket(port: listener.port))
        third.send(Self.get("/metrics"))
        #expect(third.receiveAnswer() != nil)
        // The one that was idle for longest made room.
        #expect(first.receive()?.isEmpty != false)
        second.send(Self.get("/metrics"))
        #expect(second.receiveAnswer() != nil)
    }

    @Test func whoSaysNothingIsClosed() throws {
        let listener = try listener(idle: .milliseconds(20), request: .milliseconds(20))
        defer { listener.shutdown() }
        let silent = try #require(PrometheusSocket(port: listener.port))
        #expect(silent.receive() == [])
        let half = try #require(PrometheusSocket(port: listener.port))
        half.send("GET /metr")
        #expect(half.receive()?.isEmpty != false)
    }

    @Test func localhostIsBothFamilies() throws {
        let listener = try listener("localhost:0")
        defer { listener.shutdown() }
        #expect(listener.address.hasSuffix(":\(listener.port)"))
        let isIPv4 = PrometheusSocket(port: listener.port) != nil
        let isIPv6 = PrometheusSocket(port: listener.port, isIPv6: true) != nil
        #expect(isIPv4 || isIPv6)
    }

    @Test func shutdownFreesThePortAtOnce() throws {
        let listener = try listener()
        let client = try #require(PrometheusSocket(port: listener.port))
        client.send("GET")
        listener.shutdown()
        listener.shutdown()
        #expect(client.receive()?.isEmpty != false)
        let again = try PrometheusListener(registry: registry, configuration: .init(address: "127.0.0.1:\(listener.port)"))
        again.shutdown()
    }

    @Test func whatIsLetGoStopsToo() throws {
        var listener: PrometheusListener? = try listener()
        let port = try #require(listener?.port)
        listener = nil
        let deadline = ContinuousClock.now + .seconds(20)
        while PrometheusSocket(port: port) != nil {
            guard ContinuousClock.now < deadline else {
                Issue.record("it still listens")
                return
            }
        }
    }

    @Test func addressesThatCannotBe() throws {
        for address in ["", "9464", "localhost", "::1:9464", "[::1:9464", "localhost:99999", "localhost:-1", "[]:1"] {
            #expect(throws: ListenerError.invalidAddress(address)) { _ = try PrometheusListener(registry: registry, configuration: .init(address: address)) }
        }
        let listener = try listener()
        defer { listener.shutdown() }
        let error = #expect(throws: ListenerError.self) {
            _ = try PrometheusListener(registry: registry, configuration: .init(address: "127.0.0.1:\(listener.port)"))
        }
        #expect(error?.description == "cannot listen on 127.0.0.1:\(listener.port): Address already in use")
    }
}
