/// Why a ``PrometheusListener`` could not start.
public enum ListenerError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The address is not of the form `host:port`, `[IPv6]:port` or `:port`, with a port of 0 to 65535.
    case invalidAddress(String)
    /// The host has no address.
    case unknownHost(String, reason: String)
    /// The system does not let us listen there: the port is taken, or the address is none of this machine.
    case cannotListen(String, reason: String)
    /// The system has no descriptor or thread to give.
    case noResources(String)

    public var description: String {
        switch self {
        case .invalidAddress(let address):
            "\"\(address.prefix(100))\" is no address to listen on: write host:port, [IPv6 address]:port or :port, with a port of 0 to 65535"
        case .unknownHost(let host, let reason): "the host \"\(host.prefix(100))\" has no address: \(reason)"
        case .cannotListen(let address, let reason): "cannot listen on \(address): \(reason)"
        case .noResources(let reason): "cannot listen: \(reason)"
        }
    }
}
