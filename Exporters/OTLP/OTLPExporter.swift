public import OrielClient
public import OrielTelemetry
import OrielOTLP
import Synchronization

/// Sends telemetry by OTLP over HTTP/1.1, in protobuf.
///
/// It works on the thread that calls it, with sockets of its own, and keeps one connection to each receiver. A name is looked up anew for each new connection. A
/// connection that was kept and turns out dead before anything was answered is replaced once; all else is the business of the ``DeliveryPipeline`` that calls it.
///
/// `OTLPExporter` keeps no lock while it waits for the network, and never raises `SIGPIPE`. A connection over https belongs to the thread that made it, which should be the
/// one to call ``shutdown()``, too, as a pipeline's thread does; another thread makes a connection of its own.
public final class OTLPExporter: TelemetryExporter {
    /// Where one kind of telemetry goes.
    private struct Destination: Sendable {
        let endpoint: OTLPEndpoint
        let head: HTTPRequestHead
        let isCompressed: Bool
        let origin: Origin
        /// The longest that a request may take.
        let timeout: Duration?
    }

    /// What connections are kept by.
    private struct Origin: Hashable, Sendable {
        let address: OTLPEndpoint.Address
        /// `nil` for plain connections.
        let tls: TLS?
    }

    /// What a call works with. It is taken out while a call runs, so that no lock is held; a second call at the same time gets one of its own.
    private struct Tools: ~Copyable, Sendable {
        var connections: [Origin: HTTPConnection] = [:]
        var deflater = Deflater()
    }

    private struct State: ~Copyable, Sendable {
        var tools: Tools?
        var hasEnded = false
    }

    private let destinations: [ExportSignal: Destination]
    private let connector: Connector
    private let state = Mutex(State())
    private let limit = DeadlineLimit()

    /// Makes an exporter; nothing is connected yet.
    ///
    /// - Throws: ``OTLPExporterError`` when an endpoint, a header or a certificate cannot be used.
    public convenience init(_ configuration: Configuration = Configuration()) throws(OTLPExporterError) {
        var problems: [ExportSignal: OTLPExporterError] = [:]
        self.init(usableOf: configuration, &problems)
        for signal in ExportSignal.allCases {
            if let problem = problems[signal] { throw problem }
        }
    }

    /// Makes an exporter of what can be used: one kind of telemetry with a wrong endpoint, header or certificate keeps none of the others back.
    ///
    /// - Parameter problems: why kinds of telemetry are left out, of which batches are refused.
    package init(usableOf configuration: Configuration, _ problems: inout [ExportSignal: OTLPExporterError]) {
        var destinations: [ExportSignal: Destination] = [:]
        var connector = Connector()
        for signal in ExportSignal.allCases where configuration.signals.contains(signal) {
            do throws(OTLPExporterError) {
                destinations[signal] = try Self.destination(of: signal, configuration, &connector)
            } catch {
                problems[signal] = error
            }
        }
        self.destinations = destinations
        self.connector = connector
    }

    private static func destination(
        of signal: ExportSignal, _ configuration: Configuration, _ connector: inout Connector
    ) throws(OTLPExporterError) -> Destination {
        let override = configuration.overrides[signal] ?? Override()
        let endpoint = try OTLPEndpoint(override.endpoint ?? configuration.endpoint, signal: signal, isBase: override.endpoint == nil)
        let head = try HTTPRequestHead(endpoint, headers: override.headers ?? configuration.headers)
        let tls = endpoint.isSecure ? override.tls ?? configuration.tls : nil
        if let tls { try connector.add(tls, endpoint: endpoint.receiver) }
        return Destination(
            endpoint: endpoint, head: head, isCompressed: (override.compression ?? configuration.compression) == .gzip,
            origin: Origin(address: endpoint.address, tls: tls),
            timeout: (override.timeout ?? configuration.timeout).map { max($0, .milliseconds(1)) })
    }

    /// Delivers one batch. Blocks until it was answered, or failed, or the deadline, or until the time is over that a request of its kind may take.
    public func export(_ batch: ExportBatch, deadline: Timestamp) -> ExportOutcome {
        guard let destination = destinations[batch.signal] else { return .refused(reason: "no endpoint for \(batch.signal.rawValue)") }
        guard deadline > .now else { return .failed(reason: "\(destination.endpoint.receiver): no time was left for a request") }
        let latest = destination.timeout.map { min(deadline, Timestamp.now.advanced(by: $0.nanoseconds)) } ?? deadline
        var tools = state.withLock { state in state.tools.take() } ?? Tools()
        let outcome = send(batch, to: destination, &tools, until: Deadline(latest, limit: limit))
        putBack(tools)
        return outcome
    }

    /// Connects to the receivers to which there is no connection. Where it fails, the next export tells.
    public func prepare(deadline: Timestamp) {
        var tools = state.withLock { state in state.tools.take() } ?? Tools()
        let deadline = Deadline(deadline, limit: limit)
        for destination in destinations.values {
            if tools.connections[destination.origin]?.isUsable() ?? false { continue }
            tools.connections[destination.origin] = try? connect(to: destination, until: deadline)
        }
        putBack(tools)
    }

    public func endExports(by deadline: Timestamp) { limit.set(deadline) }

    /// Closes the connections. A later ``export(_:deadline:)`` makes a new one and does not keep it.
    public func shutdown() {
        // Taken out first: connections are closed without the lock.
        let tools = state.withLock { state in
            state.hasEnded = true
            return state.tools.take()
        }
        _ = consume tools
        limit.lift()
    }

    private func putBack(_ tools: consuming Tools) {
        var tools: Tools? = tools
        state.withLock { state in
            if !state.hasEnded, state.tools == nil { swap(&state.tools, &tools) }
        }
    }

    private func connect(to destination: Destination, until deadline: Deadline) throws(StreamError) -> HTTPConnection {
        HTTPConnection(try connector.connect(destination.endpoint, destination.origin.tls, until: deadline))
    }

    private func send(_ batch: ExportBatch, to destination: Destination, _ tools: inout Tools, until deadline: Deadline) -> ExportOutcome {
        let compressed = destination.isCompressed && batch.request.count >= Deflater.threshold ? tools.deflater.compress(batch.request) : nil
        let body = compressed ?? batch.request
        let parts = [destination.head.bytes(length: body.count, isCompressed: compressed != nil), body]
        let receiver = destination.endpoint.receiver
        do throws(StreamError) {
            var kept = tools.connections.removeValue(forKey: destination.origin)
            if kept?.isUsable() == false { kept = nil }
            // A connection that was closed while nobody looked, or while the process did not run, is replaced, once.
            var mayRepeat = true
            while true {
                let isKept = kept != nil
                // A coalescing operator would not throw what `connect` throws.
                var connection = if let kept { kept } else { try connect(to: destination, until: deadline) }
                kept = nil
                do throws(HTTPConnection.Failure) {
                    let response = try connection.exchange(parts, until: deadline)
                    if response.keepsAlive { tools.connections[destination.origin] = connection }
                    return ExportOutcome(response, signal: batch.signal, receiver: receiver)
                } catch {
                    let isWorthOther = error.error.kind == .stopped || isKept && error.error.kind == .closed && !error.hasAnswer
                    guard mayRepeat, isWorthOther else { throw error.error }
                    mayRepeat = false
                }
            }
        } catch {
            let reason = "\(receiver): \(error.reason)"
            return error.kind == .unreachable ? .unreachable(reason: reason) : .failed(reason: reason)
        }
    }
}
