import OrielOTLP
import OrielTelemetry
import Testing

@testable import OrielClient

/// A scrape and a push of one registry give the same series.
@Suite struct MetricOTLPNamesTests {
    /// One value of a series, without the labels that a resource adds.
    private struct Sample: Hashable, CustomStringConvertible {
        var name: String
        var labels: [String: String]
        var value: Double

        var description: String { "\(name)\(labels.sorted { $0.key < $1.key }) \(value)" }
    }

    private static let trace = TraceID(high: 1, low: 2)
    private static let span = SpanID(rawValue: 3)

    private static func registry() throws -> MetricRegistry {
        let registry = quietRegistry()
        registry.counter("http.requests", labels: ["http.route": "/a/{id}", "odd": "\"x\\y\nz\"", "empty": "", "__x": "1", "_y": "2", "9": "3"]).increment(
            by: 3)
        registry.counter("http.requests", labels: ["ünïcode": "é\u{301}🌉", "tab": "a\tb"]).increment(by: 0.1)
        for unit in ["", "By", "bytes", "s", "1", "{call}", "{call}/s", "By/s", "kBy", "KBy", "%", "foo bar", "m/s", "/", "{}", "é"] {
            registry.counter("sent.\(unit)", unit: unit).increment(by: 2)
            registry.gauge("level.\(unit)", unit: unit).set(-1.5)
            registry.histogram("size.\(unit)", unit: unit, buckets: .explicit([1e-7, 0.005, 1, 10, 1e21])).record(0.5)
            registry.histogram("spread.\(unit)", unit: unit, buckets: .exponential()).record(0.5)
        }
        for name in [
            "total", "total.total", "total_jobs", "jobs_total_total", "a__b", "_hidden", "__", "", "2xx", "bytes_sent", "x_ratio", "x_ratio_y", "a:b", "a.b.",
            "info", "x_info",
            "seconds", "é",
        ] {
            registry.counter("c.\(name)", unit: "By").increment()
            registry.counter(name).increment()
            registry.gauge("g \(name)", unit: "1").set(4)
            registry.gauge("\(name)_g", unit: "s").set(4)
        }
        registry.gauge("infinite").set(.infinity)
        let exponential = registry.histogram("mixed", labels: ["a": "b"], buckets: .exponential())
        for value in [0, 0.001, 1, 2, 3, 1000, -4] { exponential.record(value, traceID: trace, spanID: span) }
        try registry.registerInfo("build", labels: ["version": "1.0", "le": "x"])
        registry.addCollector(ProcessMetrics.collect)
        return registry
    }

    @Test func aScrapeAndAPushNameTheSameSeries() throws {
        let snapshot = try Self.registry().snapshot()
        let pushed = try Self.pushed(snapshot)
        let scraped = Self.scraped(snapshot)
        #expect(scraped.subtracting(pushed).sorted { $0.name < $1.name } == [], "only scraped")
        #expect(pushed.subtracting(scraped).sorted { $0.name < $1.name } == [], "only pushed")
        #expect(scraped.count > 200)
    }

    /// What receivers that do not rename are to see: OpenTelemetry's conventions.
    @Test func aPushHasTheNamesUnitsAndKeysThatWereGiven() throws {
        let registry = quietRegistry()
        let labels: MetricLabels = ["http.request.method": "GET", "code": "200"]
        registry.histogram("http.server.request.duration", labels: labels, unit: "s").record(0.1)
        // The first spelling stays that of all series.
        registry.histogram("http_server_request_duration", labels: ["http_request_method": "PUT"], unit: "s").record(0.1)
        registry.counter("http.requests.total", labels: ["a_b": "1"], unit: "{request}").increment()
        registry.counter("http_requests", labels: ["a.b": "2"]).increment()
        registry.counter("upload.size", unit: "kBy").increment()
        registry.counter("received", unit: "bytes").increment()
        registry.gauge("jvm.cpu-load", unit: "1").set(0.5)
        registry.gauge("room.temperature", unit: "Cel").set(20)
        registry.counter("plain").increment()
        let metrics = registry.snapshot().otlpMetrics(temporality: .cumulative)
        #expect(
            metrics.map { "\($0.name) [\($0.unit)]" }.sorted() == [
                "http.requests.total [{request}]", "http.server.request.duration [s]", "jvm.cpu-load [1]", "plain []", "received [bytes]",
                "room.temperature [Cel]", "upload.size [kilobytes]",
            ])
        #expect(
            Self.attributes(metrics, "http.server.request.duration") == [
                ["code": "200", "http.request.method": "GET"], ["http.request.method": "PUT"],
            ])
        #expect(Self.attributes(metrics, "http.requests.total") == [["a_b": "1"], ["a_b": "2"]])
        #expect(try Self.pushed(registry.snapshot()) == Self.scraped(registry.snapshot()))
    }

    @Test func whatReceiversWouldNameOtherwiseIsPushedAsItIsScraped() throws {
        let registry = quietRegistry()
        // Repaired, and told.
        registry.counter("2xx").increment()
        registry.counter("größe.total").increment()
        registry.gauge("x", labels: ["__reserved.key": "1", "a.b": "2", "a_b": "3", "job name": "4"]).set(1)
        registry.histogram("h", labels: ["le": "5"]).record(1)
        // Of keys that are one label the first one counts, and keeps its value.
        registry.gauge("y", labels: ["aéb": "3", "a.b": "2", "a-b": "1"]).set(1)
        registry.gauge("z", labels: ["aéb": "2", "a_b": "1"]).set(1)
        registry.counter(String(repeating: "long.", count: 60)).increment()
        try registry.registerInfo("build", labels: ["version": "1"])
        let snapshot = registry.snapshot()
        let metrics = snapshot.otlpMetrics(temporality: .cumulative)
        let names = snapshot.families.map { $0.kind == .info ? $0.name + "_info" : $0.name }
        #expect(metrics.map(\.name).sorted() == names.sorted())
        #expect(Self.attributes(metrics, "x") == [["key_reserved_key": "1", "a.b": "2", "job name": "4"]])
        #expect(Self.attributes(metrics, "y") == [["a-b": "1"]])
        #expect(Self.attributes(metrics, "z") == [["a_b": "1"]])
        #expect(Self.attributes(metrics, "h") == [["exported_le": "5"]])
        #expect(try Self.pushed(snapshot) == Self.scraped(snapshot))
    }

    /// The attributes of a metric's points.
    private static func attributes(_ metrics: [OTLPMetric], _ name: String) -> [[String: String]]? {
        let points: [[Attribute]]? =
            switch metrics.first(where: { $0.name == name })?.points {
            case .gauge(let points)?, .sum(let points, _, _)?: points.map(\.attributes)
            case .histogram(let points, _)?: points.map(\.attributes)
            default: nil
            }
        return points?.map { attributes in
            Dictionary(
                attributes.map { attribute in
                    if case .string(let text) = attribute.value { (attribute.key, text) } else { (attribute.key, "?") }
                }, uniquingKeysWith: { $1 })
        }
    }

    @Test func theOverflowIsMarkedAsTheSpecificationSaysAndIsTheSameSeries() throws {
        let registry = quietRegistry(seriesLimit: 2)
        for user in 0..<5 { registry.counter("visits", labels: ["user": "\(user)"]).increment() }
        let snapshot = registry.snapshot()
        guard case .sum(let points, _, _)? = snapshot.otlpMetrics(temporality: .cumulative).first?.points else {
            Issue.record("no sum")
            return
        }
        #expect(points.map(\.attributes) == [[Attribute("user", "0")], [Attribute("otel.metric.overflow", .bool(true))]])
        #expect(try Self.pushed(snapshot) == Self.scraped(snapshot))
    }

    /// Names of any words, units and kinds come through the rules of OTLP's receivers as they are.
    @Test(arguments: 1...10 as ClosedRange<UInt64>) func anyNameComesThrough(seed: UInt64) throws {
        var state = seed
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        let words = ["a", "total", "al", "ratio", "info", "bytes", "seconds", "per", "second", "_", "__", ".", "9", "A", ":", "é", "o", "io"]
        let units = ["", "", "", "By", "s", "1", "%", "By/s", "{x}/s", "seconds", "total", "ratio", "info", "per_second"]
        for _ in 0..<200 {
            let name = (0..<(1 + next(5))).map { _ in words[next(words.count)] }.joined(separator: next(2) == 0 ? "_" : "")
            let unit = units[next(units.count)]
            for kind in [.counter, .gauge, .histogram, .info] as [MetricFamily.Kind] {
                let family = MetricName.family(MetricName.sanitized(name), unit: unit, kind: kind)
                let snapshot = MetricSnapshot(
                    time: .now,
                    families: [
                        .init(
                            name: family, kind: kind, unit: kind == .info ? "" : unit, help: "",
                            series: [.init(SeriesLabels([]), start: .now, point: Self.point(kind))])
                    ])
                let scraped = Set(Self.scraped(snapshot).map(\.name))
                let pushed = Set(((try? Self.pushed(snapshot)) ?? []).map(\.name))
                #expect(scraped == pushed, "seed \(seed): \(name.debugDescription) \(unit) \(kind)")
            }
            // The same through a registry, which remembers what was asked for.
            let registry = quietRegistry()
            let key = (0..<(1 + next(3))).map { _ in words[next(words.count)] }.joined(separator: [".", "_", ""][next(3)])
            registry.counter(name, labels: [key: "v", "a.b": "w"], unit: unit).increment()
            registry.gauge("g" + name, labels: [key: "v", "a_b": "w"], unit: unit).set(2)
            registry.histogram("h" + name, labels: [key: "v"], unit: unit, buckets: .explicit([1])).record(0.5)
            let snapshot = registry.snapshot()
            #expect(try Self.pushed(snapshot) == Self.scraped(snapshot), "seed \(seed): \(name.debugDescription) \(unit) \(key.debugDescription)")
        }
    }

    private static func point(_ kind: MetricFamily.Kind) -> MetricSnapshot.Point {
        switch kind {
        case .counter: .counter(1, exemplar: nil)
        case .histogram: .histogram(.init(bounds: [1], counts: [1, 0], sum: 1, exemplars: []))
        case .info: .info
        default: .gauge(1)
        }
    }

    /// The series of the text, less the buckets of exponential histograms, which have native ones in OTLP.
    private static func scraped(_ snapshot: MetricSnapshot) -> Set<Sample> {
        var bytes: [UInt8] = []
        ExpositionFormat.prometheusText.write(snapshot, to: &bytes)
        let exponential = Set(
            snapshot.families.filter {
                if case .exponentialHistogram? = $0.series.first?.point { true } else { false }
            }.map { $0.name + "_bucket" })
        var result: Set<Sample> = []
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") where !line.hasPrefix("#") {
            let sample = parsed(line)
            if !exponential.contains(sample.name) { result.insert(sample) }
        }
        return result
    }

    private static func parsed(_ line: Substring) -> Sample {
        var labels: [String: String] = [:]
        var rest = line
        let name = String(rest.prefix { $0 != "{" && $0 != " " })
        rest = rest.dropFirst(name.count)
        if rest.first == "{" {
            rest.removeFirst()
            while rest.first != "}" {
                if rest.first == "," { rest.removeFirst() }
                let label = String(rest.prefix { $0 != "=" })
                // The sign and the quotation mark.
                rest = rest.dropFirst(label.count + 2)
                var value = ""
                while let character = rest.popFirst(), character != "\"" {
                    if character == "\\", let escaped = rest.popFirst() { value.append(escaped == "n" ? "\n" : escaped) } else { value.append(character) }
                }
                labels[label] = value
            }
            rest.removeFirst()
        }
        let text = rest.dropFirst()
        return Sample(name: name, labels: labels, value: text == "+Inf" ? .infinity : Double(text) ?? .nan)
    }

    private static func pushed(_ snapshot: MetricSnapshot) throws -> Set<Sample> {
        let group = OTLPScopeGroup(resource: Resource(), scope: InstrumentationScope(name: ""), rows: snapshot.otlpMetrics(temporality: .cumulative))
        let request = OTLPEncoder.metrics([group])
        var decoder = OTLPDecoder()
        let decoded = try decoder.metrics(request.span, receiveTime: snapshot.time)
        #expect(decoded.rejections == OTLPRejections())
        var result: Set<Sample> = []
        func insert(_ streams: StreamTable, _ index: UInt32, _ suffix: String, _ value: Double) throws {
            let descriptor = streams.descriptor(Int(index))
            guard case .series(let labels) = try StreamDescriptor(encoded: descriptor.span) else { return }
            var named = Dictionary(labels.map { ($0.name, $0.value) }) { $1 }
            let name = named.removeValue(forKey: Label.metricName) ?? ""
            result.insert(Sample(name: name + suffix, labels: named, value: value))
        }
        for (index, value) in zip(decoded.samples.streamIndexes, decoded.samples.values) { try insert(decoded.samples.streams, index, "", value) }
        for row in 0..<decoded.histograms.count {
            let histogram = try decoded.histograms.histogram(at: row)
            try insert(decoded.histograms.streams, decoded.histograms.streamIndexes[row], "_count", histogram.count)
            try insert(decoded.histograms.streams, decoded.histograms.streamIndexes[row], "_sum", histogram.sum)
        }
        return result
    }
}
