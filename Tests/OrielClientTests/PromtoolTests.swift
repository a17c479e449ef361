import Foundation
import OrielClient
import OrielTelemetry
import Testing

/// Prometheus' own linter reads what is written here.
@Suite struct PromtoolTests {
    /// Where Debian's package `prometheus` puts it, or wherever the search path finds it.
    static let promtool: String? = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin")
        .split(separator: ":").map { "\($0)/promtool" }
        .first { FileManager.default.isExecutableFile(atPath: $0) }

    @Test(.enabled(if: promtool != nil, "promtool is not installed (Debian: apt-get install prometheus)"))
    func promtoolHasNothingToSay() throws {
        let registry = MetricRegistry(configuration: .init(seriesLimit: 5))
        registry.addCollector(ProcessMetrics.collect)
        for user in 0..<20 {
            registry.counter("visits", labels: ["user": "\"\(user)\\\n"], help: "Visits, \"all\" of\nthem \\.").increment()
        }
        registry.gauge("temperature", help: "Degrees.", unit: "Cel").set(-1.5)
        registry.gauge("limit", help: "None.").set(.infinity)
        registry.gauge("unknown", help: "Not known.").set(.nan)
        registry.histogram("latency", labels: ["route": "/a"], help: "Time.", unit: "s").record(0.2)
        registry.histogram("latency", labels: ["route": "/b"], help: "Time.", unit: "s").record(20)
        let exponential = registry.histogram("payload", help: "Size.", unit: "By", buckets: .exponential())
        for exponent in 0..<30 { exponential.record(Double(1 << exponent)) }
        try registry.registerInfo("build", labels: ["version": "1.0"], help: "Build.")

        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(Self.promtool))
        process.arguments = ["check", "metrics"]
        let input = Pipe()
        let output = Pipe()
        process.standardInput = input
        process.standardOutput = output
        process.standardError = output
        try process.run()
        // Below the size of a pipe's buffer, so nothing can wait for each other.
        var snapshot = registry.snapshot()
        snapshot.addTargetInfo(of: Resource(attributes: [Attribute("service.name", "shop"), Attribute("host.name", "a\\b\n\"c\"")]))
        var bytes: [UInt8] = []
        ExpositionFormat.prometheusText.write(snapshot, to: &bytes)
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(text.utf8.count < 60_000)
        input.fileHandleForWriting.write(Data(text.utf8))
        try input.fileHandleForWriting.close()
        let said = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(said)\n\(text)")
        #expect(said.isEmpty)
    }
}
