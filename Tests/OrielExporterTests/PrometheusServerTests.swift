import Foundation
import OrielClient
import OrielExporterPrometheus
import OrielTelemetry
import Testing

/// Prometheus itself scrapes the listener.
@Suite struct PrometheusServerTests {
    /// Where Debian's package `prometheus` puts its programs, or wherever the search path finds them.
    private static func program(_ name: String) -> String? {
        (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin")
            .split(separator: ":").map { "\($0)/\(name)" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    private static let isInstalled = program("prometheus") != nil && program("promtool") != nil

    private static let trace = TraceID(high: 0x0af7_6519_16cd_43dd, low: 0x8448_eb21_1c80_319c)
    private static let span = SpanID(rawValue: 0xb7ad_6b71_6920_3331)

    /// One of everything.
    private static func registry() throws -> MetricRegistry {
        let registry = MetricRegistry()
        registry.addCollector(ProcessMetrics.collect)
        registry.counter("http.requests", labels: ["code": "200", "odd": "a\"b\\c\nd é"], help: "Requests \"served\".").increment(
            by: 42, traceID: trace, spanID: span)
        registry.counter("sent", help: "Sent.", unit: "By").increment(by: 0.5)
        registry.counter("moved", help: "Moved.", unit: "By/s").increment(by: 2)
        registry.gauge("temperature", help: "Degrees.", unit: "Cel").set(-1.5)
        registry.gauge("utilization", help: "Share.", unit: "1").set(0.25)
        registry.gauge("limit", help: "None.").set(.infinity)
        let latency = registry.histogram("latency", labels: ["route": "/a"], help: "Time.", unit: "s", buckets: .explicit([0.1, 1]))
        latency.record(0.05)
        latency.record(0.7, traceID: trace, spanID: span)
        latency.record(3)
        let size = registry.histogram("size", help: "Size.", unit: "By", buckets: .exponential())
        for exponent in 0..<10 { size.record(Double(1 << exponent) * 1.5, traceID: trace, spanID: span) }
        try registry.registerInfo("build", labels: ["version": "1.0"], help: "Build.")
        return registry
    }

    @Test(.enabled(if: isInstalled, "prometheus is not installed (Debian: apt-get install --no-install-recommends prometheus)"))
    func prometheusScrapesTextAndOpenMetrics() throws {
        let registry = try Self.registry()
        let text = try PrometheusListener(registry: registry, configuration: .init(address: "127.0.0.1:0", offersOpenMetrics: false))
        defer { text.shutdown() }
        let open = try PrometheusListener(registry: registry, configuration: .init(address: "127.0.0.1:0"))
        defer { open.shutdown() }
        let server = try PrometheusServer(
            try #require(Self.program("prometheus")), jobs: ["text": text.port, "open": open.port])
        defer { server.stop() }

        for job in ["text", "open"] {
            for (query, value) in [
                ("up{job=\"\(job)\"}", 1), ("http_requests_total{job=\"\(job)\",code=\"200\",odd=\"a\\\"b\\\\c\\nd é\"}", 42),
                ("sent_bytes_total{job=\"\(job)\"}", 0.5),
                ("moved_bytes_per_second_total{job=\"\(job)\"}", 2), ("temperature_celsius{job=\"\(job)\"}", -1.5),
                ("utilization_ratio{job=\"\(job)\"}", 0.25), ("limit{job=\"\(job)\"}", .infinity),
                ("latency_seconds_bucket{job=\"\(job)\",route=\"/a\",le=~\"1|1.0\"}", 2), ("latency_seconds_sum{job=\"\(job)\"}", 3.75),
                ("latency_seconds_count{job=\"\(job)\"}", 3), ("size_bytes_bucket{job=\"\(job)\",le=~\"16|16.0\"}", 4),
                ("size_bytes_count{job=\"\(job)\"}", 10), ("build_info{job=\"\(job)\",version=\"1.0\"}", 1),
                ("count(process_cpu_seconds_total{job=\"\(job)\"})", 1), ("count(swift_runtime_info{job=\"\(job)\"})", 1),
            ] as [(String, Double)] {
                #expect(server.value(query, until: value) == value, "\(query)\n\(server.log)")
            }
        }

        // OpenMetrics brings the exemplars, and all arrive with their trace.
        for (query, count) in [("http_requests_total{job=\"open\"}", 1), ("latency_seconds_bucket{job=\"open\"}", 1), ("size_bytes_bucket{job=\"open\"}", 9)] {
            let exemplars = server.exemplars(query, atLeast: count)
            #expect(exemplars.count >= count, "\(query): \(exemplars)\n\(server.log)")
            #expect(exemplars.allSatisfy { $0["trace_id"] == Self.trace.description && $0["span_id"] == Self.span.description })
        }
        #expect(server.exemplars("http_requests_total{job=\"text\"}", atLeast: 0).isEmpty)
    }

    @Test(.enabled(if: isInstalled, "promtool is not installed (Debian: apt-get install --no-install-recommends prometheus)"))
    func promtoolHasNothingToSay() throws {
        let registry = try Self.registry()
        let listener = try PrometheusListener(registry: registry, configuration: .init(address: "127.0.0.1:0"))
        defer { listener.shutdown() }
        let client = try #require(PrometheusSocket(port: listener.port))
        client.send("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
        let body = try #require(client.receiveAnswer()?.body)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(Self.program("promtool")))
        process.arguments = ["check", "metrics"]
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        process.standardError = output
        try process.run()
        // Below the size of a pipe's buffer, so nothing can wait for each other.
        #expect(body.utf8.count < 60_000)
        input.fileHandleForWriting.write(Data(body.utf8))
        try input.fileHandleForWriting.close()
        let said = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        // The names are what the sources of the metrics call them; a rate as a counter is odd but no mistake of ours.
        #expect(process.terminationStatus == 0 || said.contains("moved"), "\(said)\n\(body)")
        #expect(said.split(separator: "\n").allSatisfy { $0.contains("moved") }, "\(said)")
    }
}
