import OrielOTLP
import OrielTelemetry
import Testing

/// Names as Prometheus gives them, seen from outside.
@Suite struct MetricNamingTests {
    private func name(
        _ name: String, unit: String = "", monotonic: Bool? = nil, _ translation: OTLPMetricOptions.Translation = .underscoreEscapingWithSuffixes
    ) throws -> String {
        let points = [OTLPNumberPoint(time: MetricRequest.time, value: .int(1))]
        let request = MetricRequest(
            named: name, unit: unit, monotonic.map { .sum(points, temporality: .cumulative, isMonotonic: $0) } ?? .gauge(points))
        return try request.decoded(OTLPMetricOptions(translation: translation)).samples.plain().first?.series ?? "rejected"
    }

    @Test func suffixesFollowUnitAndKind() throws {
        #expect(try name("http.server.duration", unit: "s") == "http_server_duration_seconds")
        #expect(try name("http.server.duration", unit: "ms") == "http_server_duration_milliseconds")
        #expect(try name("memory.usage", unit: "By") == "memory_usage_bytes")
        #expect(try name("cpu.utilization", unit: "1") == "cpu_utilization_ratio")
        #expect(try name("cpu.utilization", unit: "%") == "cpu_utilization_percent")
        #expect(try name("requests", unit: "1", monotonic: true) == "requests_total")
        #expect(try name("requests", unit: "{request}", monotonic: true) == "requests_total")
        #expect(try name("active", unit: "{request}", monotonic: false) == "active")
        #expect(try name("disk.io", unit: "By/s") == "disk_io_bytes_per_second")
        #expect(try name("speed", unit: "m/s") == "speed_meters_per_second")
        #expect(try name("rate", unit: "{request}/s") == "rate_per_second")
        #expect(try name("odd", unit: "foo bar") == "odd_foo_bar")
        #expect(try name("io", unit: "By", monotonic: true) == "io_bytes_total")
    }

    @Test func suffixesThatAreThereAreNotRepeated() throws {
        #expect(try name("duration.seconds", unit: "s") == "duration_seconds")
        #expect(try name("total.requests", unit: "1", monotonic: true) == "requests_total")
        #expect(try name("requests_total", monotonic: true) == "requests_total")
        #expect(try name("hit_ratio", unit: "1") == "hit_ratio")
        #expect(try name("io_bytes_total", unit: "By", monotonic: true) == "io_bytes_total")
    }

    @Test func charactersOutsideTheClassicSetBecomeUnderscores() throws {
        #expect(try name("a..b--c") == "a_b_c")
        #expect(try name("a:b") == "a:b")
        #expect(try name("2xx.count") == "_2xx_count")
        #expect(try name("größe") == "gr_e")
        #expect(try name("...") == "rejected")
        #expect(try name("") == "rejected")
    }

    @Test func otherStrategies() throws {
        #expect(try name("http.duration", unit: "s", .underscoreEscapingWithoutSuffixes) == "http_duration")
        #expect(try name("a.requests", monotonic: true, .underscoreEscapingWithoutSuffixes) == "a_requests")
        #expect(try name("a__b", .underscoreEscapingWithoutSuffixes) == "a__b")
        #expect(try name("http.duration", unit: "s", .noUTF8EscapingWithSuffixes) == "http.duration_seconds")
        #expect(try name("größe", unit: "By", monotonic: true, .noUTF8EscapingWithSuffixes) == "größe_bytes_total")
        #expect(try name("x.total", unit: "By/s", monotonic: true, .noUTF8EscapingWithSuffixes) == "x_bytes_per_second_total")
        #expect(try name("http.duration", unit: "s", monotonic: true, .noTranslation) == "http.duration")
    }

    @Test func labelNamesAreEscapedAndCollisionsJoined() throws {
        func labels(_ attributes: [Attribute], _ translation: OTLPMetricOptions.Translation = .underscoreEscapingWithSuffixes) throws -> String {
            let request = MetricRequest(.gauge([OTLPNumberPoint(attributes: attributes, time: MetricRequest.time, value: .int(1))]))
            return try request.decoded(OTLPMetricOptions(translation: translation)).samples.plain().first?.series ?? "rejected"
        }
        #expect(try labels([Attribute("http.method", "GET"), Attribute("a:b", "x")]) == #"m{a_b="x",http_method="GET"}"#)
        #expect(try labels([Attribute("1st", "x"), Attribute("_x", "y"), Attribute("__z", "z")]) == #"m{__z="z",key_1st="x",key_x="y"}"#)
        #expect(try labels([Attribute("a_b", "2"), Attribute("a.b", "1"), Attribute("a-b", "0")]) == #"m{a_b="0;1;2"}"#)
        #expect(try labels([Attribute("a", "1"), Attribute("a", "2")]) == #"m{a="2"}"#)
        #expect(try labels([Attribute("a.b", "1")], .noTranslation) == #"m{a.b="1"}"#)
        #expect(try labels([Attribute("empty", ""), Attribute("none", .empty)]) == "m")
        #expect(try labels([Attribute("__name__", "evil")]) == "m")
        #expect(
            try labels([
                Attribute("b", true), Attribute("d", 2.5), Attribute("e", 1.0), Attribute("i", -3), Attribute("l", [1, "x"]), Attribute("y", .bytes([1, 2])),
            ]) == #"m{b="true",d="2.5",e="1",i="-3",l="[1,"x"]",y="AQI="}"#)
    }
}
