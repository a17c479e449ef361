import Glibc
import Logging
import NIOCore
import NIOPosix
import Synchronization

/// A listener that accepts connections.
public struct BoundListener: Sendable {
    /// The address that was asked for.
    public let requested: ListenerAddress
    /// The address that is bound, with the port that was taken for port 0.
    public let address: ListenerAddress
    public let roles: Set<ListenerRole>
    public let isSecure: Bool
    /// Clients need a certificate of the listener's authorities.
    public let asksForCertificate: Bool
}

/// A listener that cannot be opened, with what to do about it.
public struct ListenError: Error, Sendable, CustomStringConvertible {
    public let address: ListenerAddress
    public let problem: String
    /// The machine has no such address at all.
    let isMissingAddress: Bool

    init(address: ListenerAddress, problem: String) {
        self.address = address
        self.problem = problem
        isMissingAddress = false
    }

    /// From errno, with the owner of a taken port as far as it can be seen.
    init(address: ListenerAddress, code: Int32) {
        self.address = address
        isMissingAddress = code == EADDRNOTAVAIL || code == EAFNOSUPPORT
        guard code == EADDRINUSE, case .tcp(let host, let port) = address else {
            problem = SystemError.text(code) + (code == EACCES ? "; ports below 1024 need a privilege, choose a higher one" : "")
            return
        }
        let owner = PortOwner.describe(port: port).map { "it is taken by \($0)" } ?? "it is taken by another process"
        let other = ListenerAddress.tcp(host: host, port: port < 60000 ? port + 10000 : 0)
        problem = "\(owner); stop that process, or choose other ports with --listen \(other) (given once for each listener)"
    }

    public var description: String { "cannot listen on \(address): \(problem)" }
}

/// All listeners of the daemon, over one registry of connections.
final class HTTPServer: Sendable {
    private let limits: ServerLimits
    private let statistics: ServerStatistics
    private let logger: Logger
    private let group: any EventLoopGroup
    private let registry: ConnectionRegistry
    private let openResponses: OpenResponses
    private let listening = Mutex<[any Channel]>([])
    private let certificates = Mutex<[(address: ListenerAddress, tls: TLSContext)]>([])
    private let socketFiles = Mutex<[String]>([])
    private let makeDispatcher: @Sendable (ListenerDescription) -> RequestDispatcher

    init(
        limits: ServerLimits, statistics: ServerStatistics, openResponses: OpenResponses, logger: Logger, group: any EventLoopGroup,
        makeDispatcher: @escaping @Sendable (ListenerDescription) -> RequestDispatcher
    ) {
        self.limits = limits
        self.statistics = statistics
        self.openResponses = openResponses
        self.logger = logger
        self.group = group
        self.makeDispatcher = makeDispatcher
        registry = ConnectionRegistry(limit: limits.maximumConnections, statistics: statistics)
    }

    /// Opens the listeners. They accept when ``startAccepting()`` is called; until then the kernel queues connections.
    ///
    /// - Throws: ``ListenError``; the listeners that were opened before it are closed again.
    func open(_ configurations: [ListenerConfiguration]) async throws -> [BoundListener] {
        var bound: [BoundListener] = []
        do {
            for configuration in configurations {
                do {
                    bound.append(try await open(configuration))
                } catch let error as ListenError where configuration.isOptional && error.isMissingAddress {
                    logger.info("listener left out", metadata: ["reason": "\(error)"])
                }
            }
        } catch {
            await stopAccepting()
            throw error
        }
        return bound
    }

    /// Accepts connections from now on.
    func startAccepting() async throws {
        for channel in listening.withLock({ $0 }) {
            try await channel.setOption(.autoRead, value: true).get()
        }
    }

    /// Whether any listener speaks TLS.
    var isSecure: Bool { certificates.withLock { !$0.isEmpty } }

    /// Reads the listeners' certificates again; a listener whose new files cannot be used goes on with the old certificate.
    ///
    /// - Parameter always: also where the files look unchanged.
    func reloadCertificates(always: Bool) {
        for (address, tls) in certificates.withLock({ $0 }) {
            do throws(TLSError) {
                if try tls.reload(always: always) { logger.info("certificate reloaded", metadata: ["listener": "\(address)"]) }
            } catch {
                logger.error(
                    "the new certificate cannot be used; the old one stays in use", metadata: ["listener": "\(address)", "reason": "\(error)"])
            }
        }
    }

    /// Closes the listeners and removes their socket files. Connections stay.
    func stopAccepting() async {
        let channels = listening.withLock { channels in
            defer { channels.removeAll() }
            return channels
        }
        for channel in channels {
            do {
                try await channel.close().get()
            } catch {
                logger.debug("listener was closed already", metadata: ["error": "\(error)"])
            }
        }
        let files = socketFiles.withLock { files in
            defer { files.removeAll() }
            return files
        }
        for file in files where unsafe unlink(file) != 0 {
            logger.debug("socket file not removed", metadata: ["file": "\(file)", "error": "\(SystemError.text(errno))"])
        }
    }

    /// Stops accepting, lets requests in progress end until the drain timeout, closes what is left.
    func shutDown() async {
        await stopAccepting()
        openResponses.end()
        let loop = group.next()
        let finished = registry.finishAll(on: loop)
        logger.debug("stopped accepting; requests in progress may end")
        let registry = registry
        let logger = logger
        let deadline = loop.scheduleTask(in: limits.drainTimeout) {
            logger.warning("requests in progress did not end in time; closing their connections")
            registry.closeAll()
        }
        do {
            try await finished.get()
        } catch {
            logger.debug("draining failed", metadata: ["error": "\(error)"])
        }
        deadline.cancel()
    }

    private func open(_ configuration: ListenerConfiguration) async throws -> BoundListener {
        let tls: TLSContext?
        do {
            tls = try configuration.tls.map { try TLSContext(files: $0) }
        } catch {
            throw ListenError(address: configuration.address, problem: "\(error)")
        }
        let registry = registry
        let asksForCertificate = configuration.tls?.clientAuthorities != nil
        let dispatcher = DispatcherBox()
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: Self.backlog)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.autoRead, value: false)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptLimiter(registry: registry))
                }
            }
            .childChannelOption(.maxMessagesPerRead, value: 4)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let dispatcher = dispatcher.value else { throw ChannelError.operationUnsupported }
                    let connection = ServerConnection(channel: channel, dispatcher: dispatcher, tls: tls)
                    registry.add(connection)
                    try channel.pipeline.syncOperations.addHandler(ProtocolSniffingHandler(connection: connection, isInsideTLS: false))
                }
            }
        let channel = try await bind(bootstrap, to: configuration.address)
        let address = Self.boundAddress(of: channel, requested: configuration.address)
        dispatcher.value = makeDispatcher(
            ListenerDescription(
                address: address, roles: configuration.roles, isSecure: configuration.tls != nil,
                isLoopback: address.isLocal && Self.isTCP(address), asksForCertificate: asksForCertificate))
        if let tls { certificates.withLock { $0.append((address, tls)) } }
        listening.withLock { $0.append(channel) }
        return BoundListener(
            requested: configuration.address, address: address, roles: configuration.roles, isSecure: configuration.tls != nil,
            asksForCertificate: asksForCertificate)
    }

    private func bind(_ bootstrap: ServerBootstrap, to address: ListenerAddress) async throws(ListenError) -> any Channel {
        do {
            switch address {
            case .tcp(let host, let port):
                return try await bootstrap.bind(host: host, port: port).get()
            case .unix(let path):
                let descriptor = try UnixSocket.listen(path: path, backlog: Self.backlog)
                socketFiles.withLock { $0.append(path) }
                return try await bootstrap.withBoundSocket(descriptor).get()
            case .fileDescriptor(let descriptor):
                return try await bootstrap.withBoundSocket(descriptor).get()
            }
        } catch let error as IOError {
            throw ListenError(address: address, code: error.errnoCode)
        } catch let error as UnixSocket.Failure {
            throw ListenError(address: address, problem: error.problem)
        } catch {
            throw ListenError(address: address, problem: "\(error)")
        }
    }

    private static func boundAddress(of channel: any Channel, requested: ListenerAddress) -> ListenerAddress {
        guard let local = channel.localAddress else { return requested }
        if let port = local.port, let host = local.ipAddress { return .tcp(host: host, port: port) }
        if let path = local.pathname, !path.isEmpty { return .unix(path: path) }
        return requested
    }

    private static func isTCP(_ address: ListenerAddress) -> Bool {
        if case .tcp = address { true } else { false }
    }

    private static let backlog: Int32 = 1024
}

/// Holds the dispatcher of a listener, which is made after the address is known but before anything is accepted.
private final class DispatcherBox: Sendable {
    private let stored = Mutex<RequestDispatcher?>(nil)

    var value: RequestDispatcher? {
        get { stored.withLock { $0 } }
        set { stored.withLock { $0 = newValue } }
    }
}
