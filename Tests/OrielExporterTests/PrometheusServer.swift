import Foundation
import OrielClient
import OrielExporterPrometheus
import Testing

/// A Prometheus that runs as a child process, with a folder of its own.
final class PrometheusServer {
    private let process: Process
    private let folder: URL
    private var port: UInt16 = 0

    /// Starts it on a free port, and waits until it answers.
    /// - Parameter jobs: the ports to scrape, by name.
    init(_ program: String, jobs: [String: UInt16]) throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("oriel-prometheus-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let targets = jobs.map {
            "  - job_name: \($0.key)\n    scrape_interval: 1s\n    scrape_timeout: 1s\n    static_configs: [{targets: ['127.0.0.1:\($0.value)']}]\n"
        }
        try Data("scrape_configs:\n\(targets.joined())storage: {exemplars: {max_exemplars: 1000}}\n".utf8).write(
            to: folder.appendingPathComponent("prometheus.yml"))
        try Data().write(to: folder.appendingPathComponent("log"))
        process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        port = try Self.freePort()
        process.arguments = [
            "--config.file=\(folder.path)/prometheus.yml", "--storage.tsdb.path=\(folder.path)/data", "--web.listen-address=127.0.0.1:\(port)",
            "--enable-feature=exemplar-storage", "--log.level=warn",
        ]
        let log = try FileHandle(forWritingTo: folder.appendingPathComponent("log"))
        process.standardOutput = log
        process.standardError = log
        try process.run()
    }

    /// A port that nobody had just now.
    private static func freePort() throws -> UInt16 {
        let listener = try PrometheusListener(registry: MetricRegistry(), configuration: .init(address: "127.0.0.1:0"))
        defer { listener.shutdown() }
        return listener.port
    }

    func stop() {
        process.terminate()
        process.waitUntilExit()
        try? FileManager.default.removeItem(at: folder)
    }

    /// What it has written.
    var log: String { (try? String(contentsOf: folder.appendingPathComponent("log"), encoding: .utf8)) ?? "" }

    /// The value of the one series that a query gives, as soon as it is `wanted` or the time is up.
    func value(_ query: String, until wanted: Double) -> Double? {
        var last: Double?
        wait {
            let result = (get("/api/v1/query", ["query": query]) as? [String: Any])?["result"] as? [[String: Any]]
            guard let series = result, series.count == 1, let text = (series[0]["value"] as? [Any])?.last as? String else { return false }
            last = text == "+Inf" ? .infinity : Double(text)
            return last == wanted
        }
        return last
    }

    /// The labels of the exemplars of a query, as soon as there are enough of them or the time is up.
    func exemplars(_ query: String, atLeast count: Int) -> [[String: String]] {
        var labels: [[String: String]] = []
        wait {
            let now = Date().timeIntervalSince1970
            let series = get("/api/v1/query_exemplars", ["query": query, "start": "\(now - 3600)", "end": "\(now + 60)"]) as? [[String: Any]] ?? []
            labels = series.flatMap { ($0["exemplars"] as? [[String: Any]] ?? []).compactMap { $0["labels"] as? [String: String] } }
            return labels.count >= count
        }
        return labels
    }

    private func wait(_ isDone: () -> Bool) {
        let deadline = ContinuousClock.now + .seconds(60)
        while !isDone(), process.isRunning, ContinuousClock.now < deadline { usleep(50_000) }
    }

    /// The `data` of an answer.
    private func get(_ path: String, _ parameters: [String: String]) -> Any? {
        let query = parameters.map { "\($0.key)=\($0.value.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "")" }.joined(separator: "&")
        guard let client = PrometheusSocket(port: port) else { return nil }
        client.send("GET \(path)?\(query) HTTP/1.0\r\nHost: localhost\r\n\r\n")
        let answer = client.receiveAll()
        guard let start = answer.range(of: "\r\n\r\n"),
            let object = try? JSONSerialization.jsonObject(with: Data(answer[start.upperBound...].utf8)) as? [String: Any]
        else { return nil }
        return object["data"]
    }
}
