import Logging
import NIOCore
import NIOHTTP1
import NIOHTTP2
import NIOHTTPTypesHTTP1
import NIOHTTPTypesHTTP2
import Synchronization

/// One accepted connection: how its pipeline is built for each protocol, and how it is told to finish.
final class ServerConnection: Sendable {
    let channel: any Channel
    let dispatcher: RequestDispatcher
    let tls: TLSContext?
    private let quiesce = Mutex<(@Sendable () -> Void)?>(nil)

    init(channel: any Channel, dispatcher: RequestDispatcher, tls: TLSContext?) {
        self.channel = channel
        self.dispatcher = dispatcher
        self.tls = tls
    }

    var limits: ServerLimits { dispatcher.limits }
    var logger: Logger { dispatcher.logger }
    var listener: ListenerDescription { dispatcher.listener }

    func countProtocolFailure() {
        dispatcher.statistics.protocolFailures.add(1, ordering: .relaxed)
    }

    /// Lets requests in progress end, accepts no more, closes. A connection whose protocol is not known yet is closed.
    func finish() {
        if let quiesce = quiesce.withLock({ $0 }) { quiesce() } else { channel.close(promise: nil) }
    }

    func addTLS(to operations: ChannelPipeline.SynchronousOperations) throws {
        try tls?.addHandler(to: operations)
    }

    func addHTTP1(to operations: ChannelPipeline.SynchronousOperations) throws {
        // A client may send its request, close its half and wait for the answer.
        try channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: true)
        var decoderLimits = NIOHTTPDecoderLimitConfiguration()
        decoderLimits.maxHeaderFieldSize = limits.maximumHeaderFieldSize
        decoderLimits.maxHeaderListSize = limits.maximumHeaderListSize
        decoderLimits.maxHeaderFieldCount = limits.maximumHeaderCount
        try operations.configureHTTPServerPipeline(
            withPipeliningAssistance: true, withErrorHandling: false, withOutboundHeaderValidation: false,
            withEncoderConfiguration: .init(), withDecoderLimitConfiguration: decoderLimits)
        let keepAlive = HTTP1KeepAlive()
        try operations.addHandler(keepAlive)
        try operations.addHandler(HTTP1ToHTTPServerCodec(secure: listener.isSecure))
        let exchange = HTTPExchangeHandler(dispatcher: dispatcher, keepAlive: keepAlive, eventLoop: channel.eventLoop, peer: channel.remoteAddress)
        try operations.addHandler(exchange)
        let bound = NIOLoopBound(exchange, eventLoop: channel.eventLoop)
        let eventLoop = channel.eventLoop
        quiesce.withLock { $0 = { eventLoop.execute { bound.value.quiesce() } } }
    }

    func addHTTP2(to operations: ChannelPipeline.SynchronousOperations) throws {
        // A half-closed HTTP/2 connection is of no use, and one that is left open keeps its socket in CLOSE-WAIT for ever.
        try channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: false)
        let manager = NIOHTTP2ServerConnectionManagementHandler(
            eventLoop: channel.eventLoop,
            configuration: .init(
                maxIdleTime: limits.idleTimeout, maxAge: nil, maxGraceTime: limits.drainTimeout,
                keepalive: .init(pingInterval: .minutes(2), ackTimeout: .seconds(20))))
        var connection = NIOHTTP2Handler.ConnectionConfiguration()
        connection.targetWindowSize = Self.connectionWindow
        connection.initialSettings = [
            HTTP2Setting(parameter: .maxConcurrentStreams, value: limits.maximumConcurrentStreams),
            HTTP2Setting(parameter: .initialWindowSize, value: Self.streamWindow),
            HTTP2Setting(parameter: .maxFrameSize, value: Self.frameSize),
            HTTP2Setting(parameter: .maxHeaderListSize, value: limits.maximumHeaderListSize),
        ]
        var stream = NIOHTTP2Handler.StreamConfiguration()
        stream.targetWindowSize = Self.streamWindow
        stream.outboundBufferSizeHighWatermark = 256 << 10
        stream.outboundBufferSizeLowWatermark = 64 << 10
        let dispatcher = dispatcher
        // A stream's channel has no addresses of its own.
        let peer = channel.remoteAddress
        let handler = NIOHTTP2Handler(
            mode: .server, eventLoop: channel.eventLoop, connectionConfiguration: connection, streamConfiguration: stream,
            streamDelegate: manager.http2StreamDelegate
        ) { stream in
            stream.eventLoop.makeCompletedFuture {
                try stream.pipeline.syncOperations.addHandlers(
                    HTTP2FramePayloadToHTTPServerCodec(),
                    HTTPExchangeHandler(dispatcher: dispatcher, keepAlive: nil, eventLoop: stream.eventLoop, peer: peer))
            }
        }
        try operations.addHandler(handler)
        try operations.addHandler(manager)
        // The channel is active for long; the manager starts its timers only when it is told so.
        manager.channelActive(context: try operations.context(handler: manager))
        let channel = channel
        quiesce.withLock {
            $0 = { channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent()) }
        }
    }

    // Measured: with the default windows of 64 KiB large messages arrive eight times slower.
    private static let streamWindow = 1 << 20
    private static let connectionWindow = 8 << 20
    private static let frameSize = 128 << 10
}
