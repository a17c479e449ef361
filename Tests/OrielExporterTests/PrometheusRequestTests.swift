import Testing

@testable import OrielExporterPrometheus

/// Reading the heads of requests.
@Suite struct PrometheusRequestTests {
    private func parse(_ text: String) -> ScrapeRequest.Outcome {
        var scanned = 0
        return ScrapeRequest.parse(Array(text.utf8), scanned: &scanned)
    }

    private func request(_ text: String) -> ScrapeRequest? {
        if case .request(let request, _) = parse(text) { request } else { nil }
    }

    @Test func whatPrometheusSends() throws {
        let text =
            "GET /metrics?a=b HTTP/1.1\r\nHost: localhost:9464\r\nUser-Agent: Prometheus/2.42.0\r\naccept: text/plain;version=0.0.4;q=0.5\r\nAccept:\t*/*;q=0.1 \r\n\r\n"
        let request = try #require(self.request(text))
        #expect(parse(text + "GET") == .request(request, length: text.utf8.count))
        #expect(request.method == .get)
        #expect(request.path == "/metrics")
        #expect(request.accept == "text/plain;version=0.0.4;q=0.5,*/*;q=0.1")
        #expect(request.keepsAlive)
    }

    @Test func formsOfRequests() {
        #expect(request("HEAD / HTTP/1.0\n\n")?.method == .head)
        #expect(request("HEAD / HTTP/1.0\r\n\r\n")?.keepsAlive == false)
        #expect(request("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n")?.keepsAlive == true)
        #expect(request("GET / HTTP/1.1\r\nHost: a\r\nConnection: foo, close\r\n\r\n")?.keepsAlive == false)
        #expect(request("\r\nGET http://a:1/metrics HTTP/1.1\r\nHost: a\r\n\r\n")?.path == "/metrics")
        #expect(request("GET http://a HTTP/1.1\r\nHost: a\r\n\r\n")?.path == "/")
        #expect(request("POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc")?.keepsAlive == false)
    }

    @Test func whatIsNoRequest() {
        for text in [
            "GET /metrics\r\n\r\n", "GET  /metrics HTTP/1.1\r\nHost: a\r\n\r\n", "GET /metrics HTTP/2.0\r\nHost: a\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            "GET /metrics HTTP/1.1\r\n\r\n", "GET /metrics HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "GET /metrics HTTP/1.1\r\nHost : a\r\n\r\n",
            "GET /metrics HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", "GET /metrics HTTP/1.1\r\nHost: a\r\nnothing\r\n\r\n",
            "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /\u{0} HTTP/1.1\r\nHost: a\r\n\r\n", "GET /\rx HTTP/1.1\r\nHost: a\r\n\r\n", "\u{16}\u{3}\u{1}\u{2}\n\n",
            "GET metrics HTTP/1.1\r\nHost: a\r\n\r\n",
        ] {
            #expect(parse(text) == .invalid(.badRequest), "\(text.debugDescription)")
        }
    }

    @Test func headsAreBounded() {
        #expect(parse("GET / HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "x", count: 20_000)) == .invalid(.headTooLarge))
        #expect(parse("GET / HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "x", count: 20_000) + "\r\n\r\n") == .invalid(.headTooLarge))
        #expect(parse("GET / HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "x", count: 15_000)) == .incomplete)
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>) func piecesAreReadAsTheWhole(seed: UInt64) {
        var state = seed
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        let parts = ["GET", "HEAD", " ", "/metrics", "/", " HTTP/1.1", "\r\n", "\n", "\r", "Host: a", "Accept: x", "Connection: close", ":", "\u{0}", "é"]
        let text = next(2) == 0 ? "GET /metrics HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n" : (0..<next(30)).map { _ in parts[next(parts.count)] }.joined()
        let bytes = Array(text.utf8)
        var scanned = 0
        var outcome = ScrapeRequest.Outcome.incomplete
        for end in 0...bytes.count where outcome == .incomplete {
            outcome = ScrapeRequest.parse(Array(bytes[..<end]), scanned: &scanned)
        }
        #expect(outcome == parse(text), "seed \(seed): \(text.debugDescription)")
    }
}
