import OrielClient
import OrielTelemetry

/// Makes connections to endpoints.
struct Connector: Sendable {
    private let resolver = HostResolver()
    #if TLS
    private var contexts: [OTLPExporter.TLS: TLSContext] = [:]
    #endif

    /// Makes ready for TLS.
    ///
    /// - Parameter endpoint: for messages.
    mutating func add(_ tls: OTLPExporter.TLS, endpoint: String) throws(OTLPExporterError) {
        #if TLS
        if contexts[tls] == nil { contexts[tls] = try TLSContext(tls) }
        #else
        throw .needsTLS(endpoint: endpoint)
        #endif
    }

    /// A new connection to the first address of the endpoint that takes one.
    func connect(_ endpoint: OTLPEndpoint, _ tls: OTLPExporter.TLS?, until deadline: Deadline) throws(StreamError) -> any ByteStream {
        switch endpoint.address {
        case .unix(let path): return SocketStream(try Socket.connect(SocketAddress(unixPath: path), until: deadline))
        case .host(let name, let port):
            let socket = try connect(to: resolver.addresses(of: name, port: port, until: deadline), until: deadline)
            #if TLS
            if let tls, let context = contexts[tls] { return try TLSStream(socket, context, host: name, until: deadline) }
            #endif
            return SocketStream(socket)
        }
    }

    /// Gives each address its share of the time that is left, so that one which does not answer leaves some for the others.
    private func connect(to addresses: [SocketAddress], until deadline: Deadline) throws(StreamError) -> Socket {
        var failure = StreamError(.unreachable, "no address")
        for (index, address) in addresses.enumerated() {
            do throws(StreamError) {
                return try Socket.connect(address, until: deadline.share(of: addresses.count - index))
            } catch {
                failure = error
            }
        }
        throw failure
    }
}
