public import Logging
import NIOCore
import NIOPosix
public import OrielClient
import OrielOTLP
public import OrielStore
public import ServiceLifecycle
import Synchronization

/// The daemon as one service: receivers, query routes and listeners over a store.
///
/// The store is opened and closed by the caller, before and after ``run()``.
public final class Collector: Service {
    private enum Phase {
        case starting(waiters: [CheckedContinuation<[BoundListener], any Error>])
        case running([BoundListener])
        case stopping([BoundListener])
        case failed(any Error)
    }

    private let configuration: CollectorConfiguration
    private let logger: Logger
    private let manager: ServiceManager
    private let server: HTTPServer
    private let worker: IngestWorker
    private let store: any TelemetryStore
    private let phase = Mutex(Phase.starting(waiters: []))
    private let readiness: Readiness
    private let tokens: TokenRegistry
    /// All HTTP routes, whichever listener serves them.
    let routes: RouteTable
    /// The daemon's own metrics, as `/metrics` shows them.
    public let registry: MetricRegistry

    /// - Parameters:
    ///   - tokens: where bearer tokens are kept; without one they end with the process.
    ///   - administration: makes backups and examines the store; without it there are no routes for that.
    ///   - environment: of the process, for what a service manager says.
    ///   - version: shown in metrics.
    ///   - revision: the commit of the binary, shown in metrics; empty if unknown.
    public init(
        configuration: CollectorConfiguration, store: any TelemetryStore, tokens tokenStore: (any TokenStore)? = nil,
        administration: (any StoreAdministration)? = nil, logger: Logger, environment: [String: String] = [:], version: String = "dev",
        revision: String = "", registry: MetricRegistry = MetricRegistry()
    ) {
        self.configuration = configuration
        self.logger = logger
        self.registry = registry
        self.store = store
        manager = ServiceManager(environment: environment)
        let readiness = Readiness()
        self.readiness = readiness
        let limits = configuration.limits
        let statistics = ServerStatistics()
        let budget = AdmissionBudget(capacity: configuration.admissionBudget)
        let openResponses = OpenResponses()
        let tokens = TokenRegistry(store: tokenStore, file: configuration.tokensFile, openResponses: openResponses)
        self.tokens = tokens
        let access = AccessControl(
            tokens: tokens, allowsAnonymous: configuration.allowsAnonymous, readsTenantHeader: configuration.readsTenantHeader,
            statistics: AccessStatistics())
        let audit = AuditLog(logger)
        worker = IngestWorker(threads: max(1, System.coreCount), limit: limits.maximumIngestBodySize)

        var options = OTLPDecoder.Options()
        options.maximumByteCount = limits.maximumIngestBodySize
        options.metrics = OTLPMetricOptions(
            translation: configuration.metrics.translation,
            promotedResourceAttributes: configuration.metrics.promotedResourceAttributes)
        let otlp = OTLPReceiver(store: store, worker: worker, options: options, statistics: IngestStatistics(registry: registry))

        var routes = RouteTable()
        var services = GRPCServices()
        otlp.addRoutes(to: &routes)
        otlp.addMethods(to: &services)
        GRPCHealth.add(to: &services, serving: Set(OTLPSignal.allCases.map(\.service)), worker: worker) { readiness.isReady }
        let answers = AdmissionBudget(capacity: limits.answerBudget)
        OrielAPI(store: store, answers: answers).addRoutes(to: &routes)
        TokenRoutes(tokens: tokens, audit: audit).addRoutes(to: &routes)
        DeletionRoutes(store: store, audit: audit).addRoutes(to: &routes)
        PinRoutes(store: store, audit: audit).addRoutes(to: &routes)
        if let administration { StoreRoutes(administration: administration, audit: audit).addRoutes(to: &routes) }
        HealthRoutes.add(to: &routes, registry: registry) { readiness.isReady }
        CollectorMetrics.register(
            in: registry, version: version, revision: revision, server: statistics, budget: budget, answers: answers,
            access: access, store: store)

        let table = routes
        self.routes = table
        let grpc = services
        let policy = AccessPolicy(allowedHosts: Set(configuration.allowedHosts.map { $0.lowercased() }))
        let date = HTTPDate()
        server = HTTPServer(
            limits: limits, statistics: statistics, openResponses: openResponses, logger: logger, group: MultiThreadedEventLoopGroup.singleton
        ) { listener in
            RequestDispatcher(
                listener: listener, responder: table.makeResponder(roles: listener.roles), grpc: grpc, ingestPaths: table.ingestPaths,
                requirements: table.requirements(roles: listener.roles), access: access, policy: policy, limits: limits, budget: budget, statistics: statistics,
                logger: logger, date: date,
                openResponses: openResponses, renderRefusal: OTLPReceiver.refusal)
        }
    }

    /// Listens and serves until the task is cancelled or its service group shuts down gracefully; then lets requests end and returns.
    ///
    /// - Throws: ``ListenError`` if a listener cannot be opened.
    public func run() async throws {
        let bound: [BoundListener]
        do {
            bound = try await start()
        } catch {
            settle(.failed(error))
            await worker.stop()
            throw error
        }
        settle(.running(bound))
        readiness.isReady = true
        manager.notify("READY=1")
        await serve()
        readiness.isReady = false
        manager.notify("STOPPING=1")
        phase.withLock { $0 = .stopping(bound) }
        await server.shutDown()
        await worker.stop()
        logger.info("stopped")
    }

    /// Reads the tokens file and the listeners' certificates again, as on SIGHUP. What cannot be read leaves what is in use, and is logged.
    public func reload() {
        server.reloadCertificates(always: true)
        do {
            let change = try tokens.reloadFile()
            logger.info("reloaded", metadata: ["tokens_added": "\(change.added)", "tokens_removed": "\(change.removed)"])
        } catch {
            logger.error("the tokens file cannot be used; the tokens stay as they were", metadata: ["reason": "\(error)"])
        }
    }

    /// The addresses that are listened on, as soon as they are.
    ///
    /// - Throws: what made the start fail.
    public func boundListeners() async throws -> [BoundListener] {
        try await withCheckedThrowingContinuation { continuation in
            phase.withLock { phase in
                switch phase {
                case .starting(let waiters): phase = .starting(waiters: waiters + [continuation])
                case .running(let bound), .stopping(let bound): continuation.resume(returning: bound)
                case .failed(let error): continuation.resume(throwing: error)
                }
            }
        }
    }

    private func settle(_ new: Phase) {
        phase.withLock { phase in
            if case .starting(let waiters) = phase {
                for waiter in waiters {
                    switch new {
                    case .running(let bound), .stopping(let bound): waiter.resume(returning: bound)
                    case .failed(let error): waiter.resume(throwing: error)
                    case .starting: break
                    }
                }
            }
            phase = new
        }
    }

    private func start() async throws -> [BoundListener] {
        var configuration = configuration
        if !manager.listeningDescriptors.isEmpty {
            // Sockets that the service manager opened for us are the listeners; the socket in the data folder stays.
            let given = manager.listeningDescriptors.map { ListenerConfiguration(address: .fileDescriptor($0)) }
            configuration.listeners = given + configuration.listeners.filter { if case .unix = $0.address { true } else { false } }
        }
        try await tokens.load()
        try ExposureCheck.check(configuration, hasTokens: !tokens.isEmpty)
        let bound = try await server.open(configuration.listeners)
        do {
            try ExposureCheck.check(bound, configuration, hasTokens: !tokens.isEmpty)
        } catch {
            await server.stopAccepting()
            throw error
        }
        for listener in bound {
            logger.info(
                "listening",
                metadata: [
                    "address": "\(listener.address)", "roles": "\(listener.roles.map(\.rawValue).sorted().joined(separator: ","))",
                    "tls": "\(listener.isSecure)",
                ])
            if !listener.address.isLocal, !listener.isSecure, !tokens.isEmpty {
                logger.warning(
                    "tokens cross the network in the clear on this listener; give it tls, or put a proxy with TLS before it",
                    metadata: ["address": "\(listener.address)"])
            }
        }
        try await server.startAccepting()
        return bound
    }

    /// How often the store is asked for what should be told in the log.
    private static let warningInterval = Duration.seconds(10)

    /// Waits for the end, telling a service manager meanwhile that the daemon lives, and the log what is wrong with the store.
    private func serve() async {
        await withDiscardingTaskGroup { group in
            let (store, logger) = (store, logger)
            group.addTask {
                var warnings = StoreWarnings()
                while !Task.isCancelled {
                    warnings.update(store.statistics, logger: logger)
                    // Cancellation is the only way in which a sleep fails, and the loop sees it.
                    do { try await Task.sleep(for: Self.warningInterval) } catch { return }
                }
            }
            if let interval = manager.watchdogInterval {
                let manager = manager
                group.addTask {
                    while !Task.isCancelled {
                        manager.notify("WATCHDOG=1")
                        // Cancellation is the only way in which a sleep fails, and the loop sees it.
                        do { try await Task.sleep(for: interval / 2) } catch { return }
                    }
                }
            }
            if server.isSecure {
                let (server, interval) = (server, configuration.certificateCheckInterval)
                group.addTask {
                    while !Task.isCancelled {
                        // Cancellation is the only way in which a sleep fails, and the loop sees it.
                        do { try await Task.sleep(for: interval) } catch { return }
                        server.reloadCertificates(always: false)
                    }
                }
            }
            do {
                try await gracefulShutdown()
            } catch {
                logger.debug("cancelled")
            }
            group.cancelAll()
        }
    }
}

/// Whether the daemon should be sent work.
private final class Readiness: Sendable {
    private let ready = Atomic<Bool>(false)

    var isReady: Bool {
        get { ready.load(ordering: .acquiring) }
        set { ready.store(newValue, ordering: .releasing) }
    }
}
