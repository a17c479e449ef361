import ArgumentParser
import FoundationEssentials
import Logging
import OrielCollector
import OrielSQLite
import OrielStore
import OrielTelemetry
import ServiceLifecycle
import UnixSignals

/// `oriel serve`: the daemon.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Take telemetry in, keep it, and answer questions about it.",
        discussion: """
            Without flags it listens on localhost, ports 4317 and 4318, for OTLP over gRPC and HTTP, and keeps its data in ~/.local/state/oriel.
            Flags win over environment variables (ORIEL_LISTEN, ORIEL_RETENTION_LOGS, ...), those over the file (--config, ORIEL_CONFIG, ./oriel.yaml,
            /etc/oriel/oriel.yaml). SIGTERM and SIGINT let requests end, write everything to disk and stop. SIGHUP reads certificates and the tokens file again.

            Examples:
              oriel serve
              oriel serve --data /var/lib/oriel --retention-logs 14d
              oriel serve --disk-budget 200GB
              oriel serve --listen tcp://0.0.0.0:4318 --tokens-file tokens.yaml
              oriel serve --print-config
            """)

    @OptionGroup var flags: ServeFlags

    @Flag(help: "Print every setting with its value and where it comes from, then stop.")
    var printConfig = false

    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        let resolved: ResolvedConfiguration
        do {
            resolved = try ConfigurationResolver(flags: flags.given, environment: environment).resolve()
        } catch {
            throw CommandFailure("\(error)", .usage)
        }
        if printConfig {
            var output = StandardOutput()
            try output.line(resolved.description)
            try output.flush()
            return
        }
        try await Self.serve(resolved.configuration, environment: environment)
    }

    /// Opens the store, serves until a signal comes, closes the store.
    private static func serve(_ configuration: CollectorConfiguration, environment: [String: String]) async throws {
        let log = CollectorLog(configuration.log)
        let logger = log.logger(label: "oriel")
        do {
            try DataFolder.prepare(configuration.dataFolder)
        } catch {
            throw CommandFailure("\(error)")
        }
        let options = StoreOptions(configuration.retention)
        let store: SQLiteStore
        do {
            store = try await SQLiteStore.open(folder: configuration.dataFolder, options: options)
        } catch {
            throw CommandFailure("\(error)")
        }
        logger.info(
            "store opened",
            metadata: [
                "folder": "\(configuration.dataFolder)", "sqlite": "\(SQLiteLibrary.version)", "threading": "\(SQLiteLibrary.threading)",
            ])
        let collector = Collector(
            configuration: configuration, store: store, tokens: store, administration: store, logger: logger, environment: environment,
            version: RootCommand.version, revision: RootCommand.revision)
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [
                    .init(service: collector, successTerminationBehavior: .gracefullyShutdownGroup),
                    .init(service: ReloadOnSignal(collector: collector), successTerminationBehavior: .ignore),
                ],
                gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(try await group.run())
        } catch {
            outcome = .failure(error)
        }
        do {
            try await store.close()
        } catch {
            logger.error("the store was not closed cleanly", metadata: ["error": "\(error)"])
            if case .success = outcome { throw CommandFailure("\(error)") }
        }
        if case .failure(let error) = outcome { throw CommandFailure("\(error)") }
    }
}

extension StoreOptions {
    /// How long rows stay and how much of the disk they take, as configured.
    init(_ retention: CollectorConfiguration.Retention) {
        self.init()
        self.retention = [
            .logs: retention.logs, .spans: retention.traces, .samples: retention.metrics, .histograms: retention.metrics, .exemplars: retention.metrics,
        ]
        // A retention of 0 keeps rows for ever; the store would take it as "nothing".
        self.retention = self.retention.filter { $0.value > 0 }
        diskBudget = retention.disk.map { Int64($0) }
        freeSpaceFloor = Int64(retention.freeSpace)
        diskShares = [.logs: retention.shares.logs, .spans: retention.shares.traces]
        // Metrics are divided among their three signals as by default.
        let metrics = StoreOptions.defaultDiskShares.filter { $0.key.isMetric }
        let whole = metrics.values.reduce(0, +)
        for (signal, share) in metrics { diskShares[signal] = retention.shares.metrics * share / whole }
    }
}

/// Has the collector read its files again on SIGHUP, which would end the process otherwise.
private struct ReloadOnSignal: Service {
    let collector: Collector

    func run() async throws {
        let signals = await UnixSignalsSequence(trapping: .sighup)
        for await _ in signals.cancelOnGracefulShutdown() { collector.reload() }
    }
}
