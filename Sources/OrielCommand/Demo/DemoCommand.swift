import ArgumentParser
import FoundationEssentials
import Logging
import OrielCollector
import OrielSQLite
import OrielStore
import OrielTelemetry
import ServiceLifecycle
import UnixSignals

/// `oriel demo`: the collector with a shop that sends to it.
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Start a collector on a free port and a small shop that sends telemetry to it.",
        discussion: """
            The shop behaves like many real systems: a storefront calls a gateway, that calls services, these call a database and a bank that does not always
            answer; orders travel as events to a function that makes receipts. They run in this process and are observed by Oriel's client library; only the
            quarter of an hour before the start is made up. All of it arrives as OTLP over the network, and is removed at the end unless --keep is given.

            Examples:
              oriel demo
              oriel demo --keep ./demo-data --duration 5m
            """)

    @Option(help: ArgumentHelp("Keep the data in this folder. Without it a temporary folder is used and removed.", valueName: "dir"))
    var keep: String?

    @Option(help: ArgumentHelp("End after this time, as in 90s or 5m. Without it the demo runs until Ctrl-C.", valueName: "time"))
    var duration: String?

    func run() async throws {
        let seconds = try duration.map { text in
            guard let nanoseconds = DurationText.nanoseconds(text), nanoseconds > 0 else {
                throw ValidationError("\"\(text)\" is not a duration, as in 90s or 5m")
            }
            return Double(nanoseconds) / 1e9
        }
        let folder = try DemoFolder(keep: keep)
        defer { folder.remove() }
        try await run(in: folder, seconds: seconds)
    }

    private func run(in folder: DemoFolder, seconds: Double?) async throws {
        var options = StoreOptions()
        // What the shop sends fills no disk, and a temporary folder should stay small.
        options.ballastBytes = 0
        let store = try await SQLiteStore.open(folder: folder.path, options: options)
        let listeners = [
            ListenerConfiguration(address: .tcp(host: "127.0.0.1", port: 0)),
            ListenerConfiguration(address: .unix(path: CollectorConfiguration.socketPath(dataFolder: folder.path))),
        ]
        var configuration = CollectorConfiguration(dataFolder: folder.path, listeners: listeners)
        // The demo's own lines are what the reader wants to see.
        configuration.log.level = .warning
        let logger = CollectorLog(configuration.log).logger(label: "oriel")
        let collector = Collector(
            configuration: configuration, store: store, logger: logger, version: RootCommand.version,
            revision: RootCommand.revision)
        let shop = DemoRun(
            endpoint: {
                for listener in try await collector.boundListeners() {
                    if case .tcp(let host, let port) = listener.address { return LoadEndpoint(host: host, port: port) }
                }
                throw LoadError("the collector listens on no port")
            }, duration: seconds,
            ready: { endpoint, failed in
                let waterfall = try await DemoCommand.waterfall(failed, store: store, folder: folder.path)
                try DemoCommand.show(DemoCommand.greeting(endpoint: endpoint, failed: failed, waterfall: waterfall, folder: folder))
            })
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [
                    .init(service: collector),
                    .init(service: shop, successTerminationBehavior: .gracefullyShutdownGroup, failureTerminationBehavior: .cancelGroup),
                ], gracefulShutdownSignals: [.sigint, .sigterm], logger: logger))
        do {
            try await group.run()
        } catch {
            try await store.close()
            throw error
        }
        try await store.close()
        try Self.show(folder.isKept ? "\nThe demo has ended; its data is in \(folder.path)." : "\nThe demo has ended; its data is removed.")
    }

    /// Prints at once, also where output goes into a file or a pipe.
    private static func show(_ text: String) throws {
        var output = StandardOutput()
        try output.line(text)
        try output.flush()
    }

    /// The trace as `oriel trace` shows it.
    private static func waterfall(_ id: TraceID?, store: SQLiteStore, folder: String) async throws -> [String] {
        guard let id else { return [] }
        let body = try await StoreQueryService(store: store, folder: folder).answer(QueryTarget("traces/\(id.hexadecimal)").text)
        let rendering = RenderOptions(style: Style(isColoured: Terminal.mayColour), width: Terminal.width, isUTC: false)
        return TraceRendering(try AnswerList.decode(TraceAnswer.self, body), rendering).lines()
    }

    /// What is to be seen, and where.
    private static func greeting(endpoint: LoadEndpoint, failed: TraceID?, waterfall: [String], folder: DemoFolder) -> String {
        let program = CommandLine.arguments.first ?? "oriel"
        let id = failed?.hexadecimal ?? "ID"
        return """
            The demo runs. A small shop sends logs, metrics and traces to it, with a quarter of an hour of past.

              OTLP       \(endpoint)   (HTTP and gRPC on the same port)
              API        \(endpoint)/api/oriel/v1/traces
              metrics    \(endpoint)/metrics   (of the collector itself)
              data       \(folder.path)\(folder.isKept ? "" : "   (removed at the end; --keep DIR keeps it)")

            In the last minute a checkout failed. This is where its time went:

            \(waterfall.joined(separator: "\n"))

            In another terminal the same, and more:

              export ORIEL_SERVER=\(endpoint)
              \(program) trace \(id)
              \(program) traces --status error
              \(program) logs --severity error
              \(program) logs --follow
              \(program) metrics

            Ctrl-C ends the demo.
            """
    }
}
