public import OrielClient
public import OrielTelemetry
import OrielThreads
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Lets Prometheus scrape a process that has no HTTP server of its own, on one thread and a port of its own.
///
/// ```swift
/// let listener = try PrometheusListener(registry: registry)
/// print("metrics at http://\(listener.address)/metrics")
/// ```
///
/// It answers `GET` and `HEAD` of `/metrics`, in the format that the request's `Accept` likes best, over HTTP/1.1 with keep-alive. Connections, heads of requests and times are
/// bounded; no client waits for another one that reads slowly, and none for the cooperative pool. There is no TLS and nobody is asked who they are, so what it listens on
/// should be loopback or a network of friends.
///
/// It ends when it is shut down or let go.
public final class PrometheusListener: Sendable {
    public struct Configuration: Sendable, Hashable {
        /// Where to listen: `host:port` or `[IPv6 address]:port`, and `:port` for all addresses of the machine. A host listens on all its addresses, so `localhost` on
        /// 127.0.0.1 and ::1. Port 0 lets the system choose, see ``PrometheusListener/port``.
        public var address: String
        /// The most connections, 1 to 1000. When one more comes, the one that has been idle for longest is closed.
        public var maximumConnections: Int
        /// How long a connection may stay open between requests.
        public var idleTimeout: Duration
        /// How long a client may take to send the head of a request, and again to take the answer.
        public var requestTimeout: Duration
        /// Whether scrapers that ask for OpenMetrics, which alone has exemplars, get it.
        public var offersOpenMetrics: Bool

        /// - Parameter address: the port is the one that OpenTelemetry's libraries use for this.
        public init(
            address: String = "localhost:9464", maximumConnections: Int = 32, idleTimeout: Duration = .seconds(150), requestTimeout: Duration = .seconds(30),
            offersOpenMetrics: Bool = true
        ) {
            self.address = address
            self.maximumConnections = min(max(maximumConnections, 1), 1000)
            self.idleTimeout = idleTimeout
            self.requestTimeout = requestTimeout
            self.offersOpenMetrics = offersOpenMetrics
        }

        var idleNanoseconds: Int64 { Self.nanoseconds(idleTimeout) }
        var requestNanoseconds: Int64 { Self.nanoseconds(requestTimeout) }

        /// From a millisecond to a day.
        private static func nanoseconds(_ duration: Duration) -> Int64 {
            let (seconds, attoseconds) = min(max(duration, .milliseconds(1)), .seconds(86_400)).components
            return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
        }
    }

    /// Where it listens, in numbers: `127.0.0.1:9464`. Of several addresses the first.
    public let address: String
    /// The port, also where the system chose it.
    public let port: UInt16
    private let thread: OwnThread
    /// Writing to it ends the thread, and so does closing it, which happens when this object is let go.
    private let stop: Descriptor
    /// Kept as long as the sender: to write into a pipe that nobody can read is a signal which ends the process.
    private let stopReader: Descriptor
    /// Told by the thread when it is done.
    private let end: Completion

    /// Starts to listen.
    /// - Parameter resource: what `target_info` tells of the process; without attributes there is no such metric.
    /// - Throws: ``ListenerError``, before anything is started.
    public init(registry: MetricRegistry, resource: Resource = Resource(), configuration: Configuration = Configuration()) throws(ListenerError) {
        let sockets = try ListenSockets(address: configuration.address)
        let (receiver, sender) = try Self.stopPair()
        let end = Completion()
        let handover = Handover(sockets.sockets)
        let source = ScrapeSource(registry: registry, resource: resource)
        do throws(ThreadError) {
            thread = try OwnThread(name: "oriel-scrape") {
                var loop = ListenerLoop(sockets: handover.take(), stop: receiver, source: source, configuration: configuration)
                loop.run()
                // Closes what it listened on before it tells.
                _ = consume loop
                end.end(true)
            }
        } catch {
            throw .noResources("\(error)")
        }
        stop = sender
        stopReader = receiver
        self.end = end
        address = sockets.address
        port = sockets.port
    }

    /// What is listened on, on its way to the thread, which alone keeps it then: its end closes it.
    private final class Handover: Sendable {
        private let sockets: Mutex<[Descriptor]>

        init(_ sockets: [Descriptor]) {
            self.sockets = Mutex(sockets)
        }

        func take() -> [Descriptor] {
            sockets.withLock { sockets in
                defer { sockets = [] }
                return sockets
            }
        }
    }

    /// Two ends, of which the first can be read when the second was written to or closed.
    private static func stopPair() throws(ListenerError) -> (receiver: Descriptor, sender: Descriptor) {
        var ends: [Int32] = [-1, -1]
        #if canImport(Darwin)
        let code = unsafe pipe(&ends)
        #else
        // A child that is started just now must not inherit them.
        let code = unsafe socketpair(AF_UNIX, Descriptor.streamType, 0, &ends)
        #endif
        // The array has the two places that the call fills.
        guard code == 0 else { throw .noResources("no pipe, error \(errno)") }
        return (Descriptor(ends[0]), Descriptor(ends[1]))
    }

    /// Stops to listen, and closes all connections. Returns when the port is free: at once, or when the scrape that is being written has read the metrics. Not to be called by
    /// what a scrape calls: a collector, a reading.
    public func shutdown() {
        beginShutdown()
        thread.join()
    }

    /// As ``shutdown()``, by a deadline: a scrape that takes longer ends when it is through.
    ///
    /// - Parameter deadline: by the wall clock.
    /// - Returns: whether the port is free.
    @discardableResult
    public func shutdown(deadline: Timestamp) async -> Bool {
        beginShutdown()
        return joined(await end.wait(until: deadline))
    }

    /// As ``shutdown(deadline:)``, for a thread that may block.
    @discardableResult
    package func shutdownBlocking(deadline: Timestamp) -> Bool {
        beginShutdown()
        return joined(end.waitBlocking(until: deadline))
    }

    /// Lets the system forget the thread if it has ended: it has nothing left to do then, and this object may be kept for long.
    private func joined(_ hasEnded: Bool) -> Bool {
        if hasEnded { thread.join() }
        return hasEnded
    }

    /// As ``shutdown(deadline:)``, without a wait.
    package func beginShutdown() {
        var byte: UInt8 = 0
        // One byte always fits, and is read from a variable that lives through the call.
        _ = unsafe write(stop.number, &byte, 1)
    }
}
