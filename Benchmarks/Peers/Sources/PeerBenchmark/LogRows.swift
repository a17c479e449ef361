import Logging

/// Lines of swift-log.
struct LogRows {
    private let options: Options
    private let peers: Peers
    // Texts as an application has them: made at run time, some longer than what a string keeps in itself.
    private let route = ["", "orders", "42", "items", "17"].joined(separator: "/")
    private let user = ["user", "8231", "berlin"].joined(separator: "-")
    private let status = 200
    private let seconds = 12.75

    init(peers: Peers, options: Options) {
        self.peers = peers
        self.options = options
    }

    func measure(_ report: inout Report) {
        let nothing = Logger(label: "benchmark", factory: { _ in DroppingLogHandler() })
        let measurement = Measurement(rounds: 40 * options.repetitions, calls: 4000, pause: peers.catchUp)
        let rows: [(String, (Logger) -> Void)] = [
            ("log line, no metadata", plain), ("log line, 4 pairs, strings", strings), ("log line, 4 pairs, strings and numbers", mixed),
        ]
        for (name, line) in rows {
            report.compare(name, measurement, nothing: nothing, [.oriel: peers.orielLogger, .otel: peers.otelLogger]) { logger, calls in
                for _ in 0..<calls { line(logger) }
            }
        }
    }

    @inline(never)
    private func plain(_ logger: Logger) { logger.info("request handled by the shop") }

    @inline(never)
    private func strings(_ logger: Logger) {
        logger.info("request handled by the shop", metadata: ["http.route": .string(route), "user.id": .string(user), "http.method": "GET", "shop": "berlin"])
    }

    @inline(never)
    private func mixed(_ logger: Logger) {
        logger.info(
            "request handled by the shop",
            metadata: [
                "http.route": .string(route), "user.id": .string(user), "http.status": .stringConvertible(status), "duration": .stringConvertible(seconds),
            ])
    }
}

/// A handler that takes a line as a real one does, and drops it: swift-log's own no-op handler is disabled, so lines never reach it.
private struct DroppingLogHandler: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level = .info

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {}
}
