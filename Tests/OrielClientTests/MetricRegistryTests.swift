@testable import OrielClient
import OrielTelemetry
import Synchronization
import Testing

/// A registry without its own metrics, so that a test sees only what it made.
func quietRegistry(seriesLimit: Int = 2000, familyLimit: Int = 10_000) -> MetricRegistry {
    MetricRegistry(configuration: .init(seriesLimit: seriesLimit, familyLimit: familyLimit, reportsItself: false))
}

extension MetricRegistry {
    func text(_ format: ExpositionFormat = .prometheusText) -> String {
        var bytes: [UInt8] = []
        format.write(snapshot(), to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The value that a line of the Prometheus text begins with `start`.
    func value(_ start: String) -> Double? {
        text().split(separator: "\n").first { $0.hasPrefix(start + " ") }.flatMap { Double($0.dropFirst(start.count + 1)) }
    }
}

@Suite struct MetricRegistryTests {
    @Test func oneInstrumentForOneNameAndLabelsInAnyOrder() throws {
        let registry = quietRegistry()
        let first = registry.counter("requests", labels: ["code": "200", "method": "GET"])
        #expect(registry.counter("requests", labels: ["method": "GET", "code": "200"]) === first)
        #expect(registry.counter("requests_total", labels: ["method": "GET", "code": "200"]) === first)
        #expect(registry.counter("requests", labels: ["method": "GET", "code": "500"]) !== first)
        #expect(registry.counter("requests", labels: ["method": "GET"]) !== first)
        #expect(registry.counter("requests") !== first)
        #expect(try registry.registerCounter("requests", labels: ["code": "200", "method": "GET"]) === first)
    }

    @Test func labelsWhosePairsSwapAreDifferent() {
        let registry = quietRegistry()
        let first = registry.counter("c", labels: ["a": "1", "b": "2"])
        #expect(registry.counter("c", labels: ["a": "2", "b": "1"]) !== first)
    }

    @Test func unitsEndTheName() {
        let registry = quietRegistry()
        registry.histogram("latency", unit: "s").record(1)
        registry.gauge("memory_bytes", unit: "By").set(1)
        registry.counter("sent", unit: "bytes").increment()
        registry.counter("calls", unit: "{call}").increment()
        let text = registry.text()
        for line in ["# TYPE latency_seconds histogram", "memory_bytes 1", "sent_bytes_total 1", "calls_total 1"] {
            #expect(text.contains(line + "\n"), "\(line)")
        }
    }

    // MARK: What cannot be had

    @Test func whatIsNotExportedIsToldOnceAName() {
        let lines = Mutex<[String]>([])
        let registry = MetricRegistry(configuration: .init(familyLimit: 4)) { line in
            lines.withLock { $0.append(line) }
            return true
        }
        registry.counter("jobs").increment()
        for _ in 0..<3 { registry.gauge("jobs").set(1) }
        _ = registry.histogram("jobs")
        registry.gauge("line\nbreak").set(1)
        registry.counter("sent", labels: ["a": "1", "job:name": "2"]).increment()
        registry.histogram("spread", buckets: .explicit([2, 1])).record(1)
        for name in 0..<5 { registry.gauge("further_\(name)").set(1) }
        #expect(
            lines.withLock { $0 } == [
                "metric \"jobs\" is not exported: the name \"jobs\" belongs to the counter \"jobs\" already, a gauge cannot have it",
                "metric \"line break\" is not exported as asked: the metric name \"line break\" is not 1 to 200 of the characters "
                    + "a-z A-Z 0-9 _ : with no digit in front",
                "metric \"sent\" is not exported as asked: the label \"job:name\" is not 1 to 200 of the characters a-z A-Z 0-9 _ with no digit in front",
                "metric \"spread\" is not exported as asked: the buckets of histogram \"spread\" cannot be used: "
                    + (HistogramBuckets.explicit([2, 1]).fault ?? "?"),
                "metric \"further_0\" is not exported: the registry's limit of 4 metrics is reached",
            ])
        #expect(registry.value("oriel_metric_registry_rejected_total{reason=\"name_taken\"}") == 4)
    }

    @Test func linesAboutMetricsAreBoundedAndToldAgainOnlyWhereNobodyHeard() async {
        let lines = Mutex<[String]>([])
        let isHeard = Mutex(false)
        let registry = MetricRegistry { line in
            lines.withLock { $0.append(line) }
            return isHeard.withLock { $0 }
        }
        for number in 0..<100 { registry.counter("c\(number)").increment() }
        // Nobody hears it, so that it is quiet for a while.
        registry.gauge("c0").set(1)
        #expect(lines.withLock { $0.count } == 1)
        isHeard.withLock { $0 = true }
        #expect(
            await eventually {
                registry.gauge("c0").set(1)
                return lines.withLock { $0.count } == 2
            })
        for _ in 0..<2 {
            for number in 0..<100 { registry.gauge("c\(number)").set(1) }
        }
        #expect(lines.withLock { $0.count } == 34)
        #expect(lines.withLock { $0.last?.hasPrefix("further metrics") } == true)
    }

    @Test func clashesThrowOrAreCountedAndNeverTrap() throws {
        let registry = MetricRegistry()
        registry.counter("jobs").increment()
        #expect(throws: MetricRegistrationError.nameTaken("jobs", by: "jobs", kind: .counter, requested: .gauge)) {
            try registry.registerGauge("jobs")
        }
        #expect(throws: MetricRegistrationError.self) { try registry.registerGauge("jobs_total") }
        #expect(throws: MetricRegistrationError.self) { try registry.registerHistogram("jobs") }
        registry.gauge("jobs").set(3)
        registry.histogram("jobs").record(3)
        #expect(registry.value("jobs_total") == 1)
        #expect(registry.value("oriel_metric_registry_rejected_total{reason=\"name_taken\"}") == 2)

        _ = try registry.registerHistogram("size", buckets: .explicit([1, 2]))
        #expect(throws: MetricRegistrationError.self) { try registry.registerCounter("size_sum") }
        #expect(throws: MetricRegistrationError.self) { try registry.registerGauge("size_count") }
        #expect(throws: MetricRegistrationError.self) { try registry.registerHistogram("size", buckets: .explicit([1, 3])) }
        _ = try registry.registerGauge("width_bucket")
        #expect(throws: MetricRegistrationError.self) { try registry.registerHistogram("width") }
    }

    @Test(arguments: ["", "1a", "a b", "ä", "http.requests ", ".x", String(repeating: "x", count: 300), "\u{0}", "a\nb"])
    func oddNamesAreRefusedOrRepaired(_ name: String) throws {
        let registry = MetricRegistry()
        #expect(throws: MetricRegistrationError.invalidName(name)) { try registry.registerCounter(name) }
        registry.counter(name).increment()
        registry.counter(name).increment()
        // A name once repaired is still not one that may be registered.
        #expect(throws: MetricRegistrationError.invalidName(name)) { try registry.registerCounter(name) }
        let family = try #require(registry.snapshot().families.first { !$0.name.hasPrefix("oriel_") })
        guard case .counter(let value, _) = try #require(family.series.first).point else {
            Issue.record("not a counter")
            return
        }
        #expect(value == 2)
        #expect(registry.value("oriel_metric_registry_rejected_total{reason=\"invalid_name\"}") == 1)
    }

    @Test func namesInTheStyleOfOpenTelemetryAreNoMistakes() throws {
        let registry = MetricRegistry()
        #expect(throws: MetricRegistrationError.invalidName("http.server-requests/all")) { try registry.registerCounter("http.server-requests/all") }
        registry.counter("http.server-requests/all", labels: ["http.route": "/", "x-y": "1"]).increment()
        #expect(registry.value("http_server_requests_all_total{http_route=\"/\",x_y=\"1\"}") == 1)
        for reason in ["invalid_name", "invalid_label"] { #expect(registry.value("oriel_metric_registry_rejected_total{reason=\"\(reason)\"}") == 0) }
        registry.histogram("h", labels: ["le": "1", "_x": "1", "a:b": "1"]).record(1)
        #expect(registry.value("oriel_metric_registry_rejected_total{reason=\"invalid_label\"}") == 3)
    }

    @Test func oddLabelsAreRefusedOrRepaired() throws {
        let registry = quietRegistry()
        for labels in [["a b": "1"], ["__x": "1"], ["_x": "1"], ["": "1"], ["a:b": "1"], ["x": "1", "x": "2"]] as [MetricLabels] {
            #expect(throws: MetricRegistrationError.self) { try registry.registerCounter("c", labels: labels) }
        }
        #expect(throws: MetricRegistrationError.self) { try registry.registerHistogram("h", labels: ["le": "1"]) }

        let repaired = registry.counter("c", labels: ["http.method": "GET", "__x": "2", "x": "1"])
        #expect(registry.counter("c", labels: ["x": "1", "__x": "2", "http.method": "GET"]) === repaired)
        repaired.increment()
        registry.histogram("h", labels: ["le": "1"], buckets: .explicit([])).record(1)
        #expect(registry.text().contains("c_total{http_method=\"GET\",key_x=\"2\",x=\"1\"} 1\n"))
        #expect(registry.text().contains("h_count{exported_le=\"1\"} 1\n"))
    }

    @Test func hostileLabelSetsAreBounded() {
        let registry = quietRegistry()
        let many = MetricLabels((0..<1000).map { ("label\($0)", "v") })
        registry.counter("many", labels: many).increment()
        registry.counter("long", labels: ["x": String(repeating: "é", count: 100_000)]).increment()
        let text = registry.text()
        #expect(text.utf8.count < 4000)
        #expect(registry.snapshot().families.count == 2)
    }

    @Test func labelSetsBeyondTheLimitShareTheOverflowSeries() {
        let registry = MetricRegistry(configuration: .init(seriesLimit: 10))
        for user in 0..<100 {
            registry.counter("visits", labels: ["user": "\(user)"]).increment()
        }
        registry.counter("visits", labels: ["user": "3"]).increment()
        let family = registry.snapshot().families.first { $0.name == "visits" }
        #expect(family?.series.count == 10)
        #expect(registry.value("visits_total{user=\"3\"}") == 2)
        #expect(registry.value("visits_total{otel_metric_overflow=\"true\"}") == 91)
        #expect(registry.value("oriel_metric_registry_overflowed_total") == 91)
    }

    @Test func metricsBeyondTheLimitAreNotExported() {
        let registry = quietRegistry(familyLimit: 3)
        for number in 0..<10 { registry.counter("c\(number)").increment() }
        #expect(registry.snapshot().families.count == 3)
        #expect(throws: MetricRegistrationError.tooManyMetrics(limit: 3)) { try registry.registerGauge("g") }
    }

    @Test func negativeAndNotFiniteValuesAreIgnoredAndCounted() {
        let registry = MetricRegistry()
        let counter = registry.counter("c")
        counter.increment(by: -1)
        counter.increment(by: Int.min)
        counter.increment(by: -0.5)
        counter.increment(by: Double.nan)
        counter.increment(by: Double.infinity)
        counter.increment(by: 2)
        counter.increment(by: 0.5)
        let histogram = registry.histogram("h")
        histogram.record(.nan)
        histogram.record(-.infinity)
        #expect(counter.value == 2.5)
        #expect(registry.value("h_seconds_count") == nil)
        #expect(registry.value("h_count") == 0)
        #expect(registry.value("oriel_metric_registry_ignored_values_total") == 7)
    }

    @Test func hugeIncrementsDoNotWrapAround() {
        let counter = quietRegistry().counter("c")
        for _ in 0..<4 { counter.increment(by: Int.max) }
        #expect(counter.value == 4 * Double(Int.max))
    }

    @Test func aCounterCanBeginAgain() {
        let counter = quietRegistry().counter("c")
        counter.increment(by: 5)
        let start = counter.start
        counter.reset()
        #expect(counter.value == 0)
        #expect(counter.start >= start)
    }

    @Test func gaugesGoUpAndDown() {
        let gauge = quietRegistry().gauge("g")
        gauge.set(10)
        gauge.add(2.5)
        gauge.add(-20)
        #expect(gauge.value == -7.5)
    }

    @Test func readingsAreTakenAtTheScrape() throws {
        let registry = quietRegistry()
        let source = registry.gauge("source")
        try registry.registerGauge("twice") { source.value * 2 }
        try registry.registerCounter("sunk", labels: ["a": "b"]) { source.value }
        #expect(throws: MetricRegistrationError.seriesTaken("twice")) { try registry.registerGauge("twice") { 0 } }
        #expect(throws: MetricRegistrationError.seriesTaken("twice")) { try registry.registerGauge("twice") }
        source.set(21)
        #expect(registry.value("twice") == 42)
        #expect(registry.value("sunk_total{a=\"b\"}") == 21)
        source.set(-1)
        #expect(registry.value("sunk_total{a=\"b\"}") == nil)
    }

    @Test func collectorsBringTheirOwn() {
        let registry = MetricRegistry()
        registry.counter("mine").increment()
        let id = registry.addCollector { collector in
            collector.gauge("engine_blocks", labels: ["signal": "logs"], help: "Blocks.", value: 7)
            collector.gauge("engine_blocks", labels: ["signal": "spans"], value: 8)
            // All of these are left out: there already, another kind, another's name, negative, invalid, twice the label.
            collector.gauge("engine_blocks", labels: ["signal": "spans"], value: 9)
            collector.counter("engine_blocks", value: 1)
            collector.gauge("mine_total", value: 1)
            collector.counter("negative", value: -1)
            collector.gauge("in valid", value: 1)
            collector.gauge("g", labels: ["a": "1", "a": "2"], value: 1)
            collector.info("build", labels: ["version": "1"])
        }
        #expect(registry.value("engine_blocks{signal=\"logs\"}") == 7)
        #expect(registry.value("engine_blocks{signal=\"spans\"}") == 8)
        #expect(registry.value("build_info{version=\"1\"}") == 1)
        #expect(registry.value("mine_total") == 1)
        #expect(registry.value("oriel_metric_registry_omitted_series_total") == 24)
        registry.removeCollector(id)
        #expect(registry.value("build_info{version=\"1\"}") == nil)
    }

    @Test func removedInstrumentsWorkButAreGone() {
        let registry = quietRegistry()
        let counter = registry.counter("c", labels: ["a": "1"])
        registry.counter("c", labels: ["a": "2"]).increment()
        let gauge = registry.gauge("http.g", labels: ["b.c": "1"])
        let histogram = registry.histogram("h")
        registry.remove(counter)
        registry.remove(gauge)
        registry.remove(histogram)
        registry.remove(counter)
        counter.increment()
        #expect(registry.snapshot().families.map(\.name) == ["c"])
        #expect(registry.snapshot().families.first?.series.count == 1)
        #expect(registry.counter("c", labels: ["a": "1"]) !== counter)
        #expect(registry.gauge("http.g", labels: ["b.c": "1"]) !== gauge)
    }

    @Test func snapshotsAreSortedAndCarryStartTimes() {
        let registry = quietRegistry()
        let before = Timestamp.now
        registry.gauge("b").set(1)
        registry.counter("a").increment()
        let snapshot = registry.snapshot()
        #expect(snapshot.families.map(\.name) == ["a", "b"])
        for series in snapshot.families.flatMap(\.series) {
            #expect(series.start >= before)
            #expect(series.start <= snapshot.time)
        }
    }

    @Test func processMetricsAreReadFromLinux() {
        let registry = quietRegistry()
        registry.addCollector(ProcessMetrics.collect)
        #if os(Linux)
        #expect((registry.value("process_resident_memory_bytes") ?? 0) > 1e6)
        #expect((registry.value("process_virtual_memory_bytes") ?? 0) > 1e6)
        #expect((registry.value("process_cpu_seconds_total") ?? 0) > 0)
        #expect((registry.value("process_open_fds") ?? 0) >= 3)
        #expect((registry.value("process_max_fds") ?? 0) >= 3)
        #expect((registry.value("process_threads") ?? 0) >= 1)
        let now = Double(Timestamp.now.nanoseconds) / 1e9
        let start = registry.value("process_start_time_seconds") ?? 0
        #expect(start > now - 7 * 86_400 && start <= now + 1)
        #endif
    }
}
