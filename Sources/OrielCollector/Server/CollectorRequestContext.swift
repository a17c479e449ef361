import FoundationEssentials
import Hummingbird
import Logging
import NIOCore

/// What a route handler knows about a request beside the request itself.
struct CollectorRequestContext: RequestContext {
    struct Source: RequestContextSource {
        let logger: Logger
        let body: ByteBuffer
        let reservation: AdmissionReservation
        let listener: ListenerDescription
        let peer: SocketAddress?
        let access: Access
    }

    var coreContext: CoreRequestContextStorage
    /// The whole body as sent, not yet inflated. `request.body` streams the same bytes.
    let body: ByteBuffer
    /// What the request holds of the admission budget; grow it before allocating in proportion to the request.
    let reservation: AdmissionReservation
    /// The listener that accepted the connection.
    let listener: ListenerDescription
    /// The peer's address; on a unix socket it has no name.
    let peer: SocketAddress?
    /// Who asks. A route's store is `access.narrow(store)`.
    let access: Access

    init(source: Source) {
        coreContext = CoreRequestContextStorage(source: source)
        body = source.body
        reservation = source.reservation
        listener = source.listener
        peer = source.peer
        access = source.access
    }

    /// From where the request came, for the log: the peer's address, or the socket that it came over.
    var origin: String? { listener.isUnixSocket ? listener.address.description : peer?.description }
}

/// What a connection inherits from its listener.
struct ListenerDescription: Sendable {
    let address: ListenerAddress
    let roles: Set<ListenerRole>
    let isSecure: Bool
    /// Bound to loopback: a foreign `Host` is refused.
    let isLoopback: Bool
    /// Peers have shown a certificate of the listener's authority.
    let asksForCertificate: Bool

    /// A unix socket's file mode says who may connect; it alone serves anonymous admin.
    var isUnixSocket: Bool {
        if case .unix = address { true } else { false }
    }
}
