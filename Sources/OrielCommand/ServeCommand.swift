import ArgumentParser
import Dispatch
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
            /etc/oriel/oriel.yaml). SIGTERM and SIGINT let requests end, write everything to disk and stop. SIGHUP reads certificates, the tokens file and the level of the log again.

            Examples:
              oriel serve
              oriel serve --data /var/lib/oriel --retention-logs 14d
              oriel serve --disk-budget 200GB
              oriel serve --listen tcp://0.0.0.0:4318 --tokens-file tokens.yaml
              oriel serve --print-config
            """)

    @OptionGroup var flags: ServeFlags

    @Flag(help: "Print every setting with its value and where it comes from, in the form of a configuration file, then stop.")
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
            for warning in resolved.warnings { StandardError.write("oriel: \(TerminalText.safe(warning))\n") }
            var output = StandardOutput()
            try output.line(resolved.description)
            try output.flush()
            return
        }
        try await Self.serve(resolved, flags: flags.given, environment: environment)
    }

    /// Opens the store, serves until a signal comes, closes the store.
    private static func serve(_ resolved: ResolvedConfiguration, flags: [String: [String]], environment: [String: String]) async throws {
        let configuration = resolved.configuration
        let log = CollectorLog(configuration.log)
        let logger = log.logger(label: "oriel")
        for warning in resolved.warnings { logger.warning("\(warning)") }
        do {
            if !FileManager.default.fileExists(atPath: configuration.dataFolder + "/LOCK") {
                // A server that cannot listen leaves no new store behind.
                try ListenerCheck.run(configuration, environment: environment)
            }
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
                    .init(
                        service: ReloadOnSignal(collector: collector, log: log, flags: flags, environment: environment),
                        successTerminationBehavior: .ignore),
                ],
                gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
        let memory = MemoryArenas.giveBack()
        defer { memory.cancel() }
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

/// Has the collector read its files again on SIGHUP, which would end the process otherwise, and takes the level of the log over.
private struct ReloadOnSignal: Service {
    let collector: Collector
    let log: CollectorLog
    let flags: [String: [String]]
    let environment: [String: String]

    func run() async throws {
        let signals = await UnixSignalsSequence(trapping: .sighup)
        for await _ in signals.cancelOnGracefulShutdown() {
            reloadLogLevel()
            collector.reload()
        }
    }

    private func reloadLogLevel() {
        let logger = log.logger(label: "oriel")
        do {
            let level = try ConfigurationResolver(flags: flags, environment: environment).resolve().configuration.log.level
            guard level != log.level else { return }
            logger.notice("log level changed", metadata: ["from": "\(log.level)", "to": "\(level)"])
            log.level = level
        } catch {
            logger.error("the configuration cannot be used; the log level stays as it was", metadata: ["reason": "\(error)"])
        }
    }
}
