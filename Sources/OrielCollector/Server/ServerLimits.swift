public import NIOCore

/// Bounds on what a connection may ask of the server.
public struct ServerLimits: Sendable, Hashable {
    /// Connections of all listeners together; beyond it the kernel's accept queue holds newcomers back. From 15/16 of it on each
    /// newcomer has the oldest connection finish, which closes it when it is idle.
    public var maximumConnections = 4096
    /// Bytes of one header field.
    public var maximumHeaderFieldSize = 16 * 1024
    /// Bytes of all header fields of a request.
    public var maximumHeaderListSize = 64 * 1024
    /// Number of header fields of a request.
    public var maximumHeaderCount = 128
    /// Bytes of an ingest request, both as sent and inflated. More is 413, or RESOURCE_EXHAUSTED in gRPC.
    public var maximumIngestBodySize = 64 << 20
    /// Bytes of the body of any other request.
    public var maximumBodySize = 4 << 20
    /// Bytes that answers of the query API may hold together, from their first row until their peers have taken them. More is 503.
    public var answerBudget = 128 << 20
    /// Streams that one HTTP/2 connection may have open.
    public var maximumConcurrentStreams = 128
    /// Time from accepting a connection to knowing its protocol.
    public var protocolTimeout = TimeAmount.seconds(5)
    /// Time from accepting a connection to its first complete request head.
    public var headTimeout = TimeAmount.seconds(15)
    /// Time that a connection may stay open between requests.
    public var idleTimeout = TimeAmount.minutes(3)
    /// A body must bring ``minimumBodyProgress`` bytes in each of these intervals.
    public var bodyProgressInterval = TimeAmount.seconds(5)
    /// Bytes that a body must bring in each ``bodyProgressInterval``.
    public var minimumBodyProgress = 1200
    /// Time that a peer may leave a response unread.
    public var writeTimeout = TimeAmount.seconds(60)
    /// Time for which a refused request's remaining bytes are read and dropped, so that the peer can read the refusal.
    public var lingerTimeout = TimeAmount.seconds(1)
    /// Time that requests in progress get at shutdown.
    public var drainTimeout = TimeAmount.seconds(20)

    public init() {}
}
