import OrielClient
import OrielTelemetry
import Testing

@Suite struct ExpositionTests {
    /// One of everything.
    static func sample() throws -> MetricRegistry {
        let registry = quietRegistry()
        let trace = try #require(TraceID(hexadecimal: "0af7651916cd43dd8448eb211c80319c"))
        let span = try #require(SpanID(hexadecimal: "b7ad6b7169203331"))
        let time = Timestamp(nanoseconds: 1_720_000_000_250_000_000)
        let requests = registry.counter(
            "http_requests", labels: ["method": "GET", "code": "200"], help: "Requests \"served\",\nby code \\ method.")
        requests.increment(by: 11)
        requests.increment(traceID: trace, spanID: span, at: time)
        registry.counter("http_requests", labels: ["code": "500", "method": "a\"b\\c\nd"]).increment(by: 0.1)
        registry.gauge("temperature", help: "Degrees.", unit: "Cel").set(-1.5)
        let latency = registry.histogram("latency", labels: ["route": "/"], help: "Time.", unit: "s", buckets: .explicit([0.1, 1]))
        latency.record(0.05)
        latency.record(0.7, traceID: trace, spanID: span, at: time)
        latency.record(3)
        try registry.registerInfo("build", labels: ["version": "1.0"], help: "Build.")
        return registry
    }

    @Test func prometheusText() throws {
        #expect(
            try Self.sample().text() == """
                # HELP build_info Build.
                # TYPE build_info gauge
                build_info{version="1.0"} 1
                # HELP http_requests_total Requests "served",\\nby code \\\\ method.
                # TYPE http_requests_total counter
                http_requests_total{code="200",method="GET"} 12
                http_requests_total{code="500",method="a\\"b\\\\c\\nd"} 0.1
                # HELP latency_seconds Time.
                # TYPE latency_seconds histogram
                latency_seconds_bucket{route="/",le="0.1"} 1
                latency_seconds_bucket{route="/",le="1"} 2
                latency_seconds_bucket{route="/",le="+Inf"} 3
                latency_seconds_sum{route="/"} 3.75
                latency_seconds_count{route="/"} 3
                # HELP temperature_celsius Degrees.
                # TYPE temperature_celsius gauge
                temperature_celsius -1.5

                """)
    }

    @Test func whatTheProcessIsComesFirst() {
        let registry = quietRegistry()
        registry.counter("a").increment()
        var snapshot = registry.snapshot()
        snapshot.addTargetInfo(
            of: Resource(attributes: [
                Attribute("service.name", "shop"), Attribute("service_name", "other"), Attribute("process.pid", .int(7)), Attribute("host.name", "old"),
                Attribute("host.name", "a\"b"), Attribute("empty", ""), Attribute("2nd", .array([.int(1)])),
            ]))
        func text(_ format: ExpositionFormat) -> String {
            var bytes: [UInt8] = []
            format.write(snapshot, to: &bytes)
            return String(decoding: bytes, as: UTF8.self)
        }
        let labels = #"{host_name="a\"b",key_2nd="[1]",process_pid="7",service_name="shop;other"}"#
        #expect(
            text(.prometheusText) == """
                # HELP target_info Attributes of the resource that the metrics are of.
                # TYPE target_info gauge
                target_info\(labels) 1
                # TYPE a_total counter
                a_total 1

                """)
        #expect(
            text(.openMetrics) == """
                # TYPE target info
                # HELP target Attributes of the resource that the metrics are of.
                target_info\(labels) 1
                # TYPE a counter
                a_total 1
                # EOF

                """)
    }

    @Test func nothingIsToldOfAResourceThatSaysNothingOrWhereTheNameIsTaken() {
        let registry = quietRegistry()
        registry.gauge("a").set(1)
        for attributes in [[], [Attribute("empty", "")]] {
            var snapshot = registry.snapshot()
            snapshot.addTargetInfo(of: Resource(attributes: attributes))
            #expect(snapshot.families.map(\.name) == ["a"])
        }
        registry.gauge("target_info").set(1)
        var snapshot = registry.snapshot()
        snapshot.addTargetInfo(of: Resource(attributes: [Attribute("a", "b")]))
        #expect(snapshot.families.map(\.name) == ["a", "target_info"])
    }

    @Test func openMetrics() throws {
        #expect(
            try Self.sample().text(.openMetrics) == """
                # TYPE build info
                # HELP build Build.
                build_info{version="1.0"} 1
                # TYPE http_requests counter
                # HELP http_requests Requests \\"served\\",\\nby code \\\\ method.
                http_requests_total{code="200",method="GET"} 12 # {trace_id="0af7651916cd43dd8448eb211c80319c",span_id="b7ad6b7169203331"} 1 1720000000.25
                http_requests_total{code="500",method="a\\"b\\\\c\\nd"} 0.1
                # TYPE latency_seconds histogram
                # UNIT latency_seconds seconds
                # HELP latency_seconds Time.
                latency_seconds_bucket{route="/",le="0.1"} 1
                latency_seconds_bucket{route="/",le="1.0"} 2 # {trace_id="0af7651916cd43dd8448eb211c80319c",span_id="b7ad6b7169203331"} 0.7 1720000000.25
                latency_seconds_bucket{route="/",le="+Inf"} 3
                latency_seconds_sum{route="/"} 3.75
                latency_seconds_count{route="/"} 3
                # TYPE temperature_celsius gauge
                # UNIT temperature_celsius celsius
                # HELP temperature_celsius Degrees.
                temperature_celsius -1.5
                # EOF

                """)
    }

    @Test func createdLinesOnRequest() throws {
        let registry = quietRegistry()
        registry.counter("c", labels: ["a": "b"]).increment()
        registry.gauge("g").set(1)
        var bytes: [UInt8] = []
        OpenMetricsWriter(writesCreated: true).write(registry.snapshot(), to: &bytes)
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        let created = try #require(lines.first { $0.hasPrefix("c_created{a=\"b\"} ") })
        let seconds = try #require(Double(created.dropFirst(17)))
        #expect(abs(seconds - Double(Timestamp.now.nanoseconds) / 1e9) < 60)
        #expect(!lines.contains { $0.hasPrefix("g_created") })
    }

    @Test func anEmptyRegistry() {
        #expect(quietRegistry().text() == "")
        #expect(quietRegistry().text(.openMetrics) == "# EOF\n")
    }

    @Test(
        arguments: [
            (0.0, "0"), (1, "1"), (-1, "-1"), (0.1, "0.1"), (1e15, "1000000000000000"), (9_007_199_254_740_991, "9007199254740991"),
            (1e23, "1e+23"), (1.5e-7, "1.5e-07"), (.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"), (-0.0, "-0.0"),
            (123_456.789, "123456.789"), (Double.pi, "3.141592653589793"),
        ] as [(Double, String)])
    func numbersAreTheShortestThatReadBack(_ value: Double, _ expected: String) {
        let registry = quietRegistry()
        registry.gauge("g").set(value)
        #expect(registry.text().split(separator: "\n").last.map { String($0.dropFirst(2)) } == expected)
    }

    @Test(arguments: [3, 4] as [UInt64]) func randomDoublesRoundTrip(seed: UInt64) {
        let registry = quietRegistry()
        let gauge = registry.gauge("g")
        var state = seed
        for _ in 0..<500 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let value = Double(bitPattern: state ^ (state >> 29))
            guard value.isFinite else { continue }
            gauge.set(value)
            #expect(registry.value("g") == value, "seed \(seed)")
        }
    }

    @Test(
        arguments: [
            (nil, .prometheusText),
            ("", .prometheusText),
            ("*/*", .prometheusText),
            ("text/html,application/xhtml+xml,*/*;q=0.8", .prometheusText),
            ("application/json", .prometheusText),
            ("text/plain;version=0.0.4", .prometheusText),
            ("application/openmetrics-text; version=1.0.0; charset=utf-8", .openMetrics),
            ("application/openmetrics-text", .openMetrics001),
            ("Application/OpenMetrics-Text;version=0.0.1", .openMetrics001),
            ("application/openmetrics-text;version=2.0.0,text/plain;version=0.0.4;q=0.1", .prometheusText),
            ("application/openmetrics-text;version=1.0.0;q=0", .prometheusText),
            // Prometheus 2.42.
            (
                "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
                    + "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                .openMetrics
            ),
            // Prometheus 3.
            (
                "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,"
                    + "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
                .openMetrics
            ),
            // With native histograms: protobuf first, which is not written.
            (
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,"
                    + "text/plain;version=0.0.4;q=0.5,application/openmetrics-text;version=1.0.0;q=0.4",
                .prometheusText
            ),
            (";;q=,,=;q=abc,application/openmetrics-text;q=0.5;version=\"1.0.0\"", .openMetrics),
        ] as [(String?, ExpositionFormat)])
    func negotiation(_ accept: String?, _ expected: ExpositionFormat) {
        #expect(ExpositionFormat(accept: accept) == expected)
    }

    @Test func contentTypes() {
        #expect(ExpositionFormat.prometheusText.contentType == "text/plain; version=0.0.4; charset=utf-8")
        #expect(ExpositionFormat.openMetrics.contentType == "application/openmetrics-text; version=1.0.0; charset=utf-8")
    }
}
