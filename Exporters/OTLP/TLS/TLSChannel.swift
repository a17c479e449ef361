#if TLS
import NIOCore
import NIOEmbedded
import NIOSSL
import NIOTLS
import OrielTelemetry

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// NIO's TLS without its threads: a channel that is fed by hand with what came from the network, and tells by hand what is to be sent.
///
/// NIO binds such a channel to the thread that makes it, which is to let go of it, too.
final class TLSChannel: Sendable {
    /// Notices the end of the handshake.
    private final class Events: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        var isHandshakeDone = false

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if case .handshakeCompleted? = event as? TLSUserEvent { isHandshakeDone = true }
            context.fireUserInboundEventTriggered(event)
        }
    }

    private let host: String
    private let loop = EmbeddedEventLoop()
    private let channel: EmbeddedChannel
    private let events: NIOLoopBound<Events>
    private let thread = TLSChannel.currentThread

    /// Begins the handshake.
    init(_ context: TLSContext, host: String) throws(StreamError) {
        // An address is compared with those in the certificate, a name with its names.
        let bare = String(host.prefix { $0 != "%" })
        let address = try? NIOCore.SocketAddress(ipAddress: bare, port: 443)
        let handler: NIOSSLClientHandler
        do {
            handler = try NIOSSLClientHandler(context: context.context, serverHostname: address == nil ? host : nil)
        } catch {
            throw StreamError(.unreachable, "the host name \(host) cannot be used with TLS: \(error)")
        }
        let events = Events()
        self.host = bare
        self.events = NIOLoopBound(events, eventLoop: loop)
        channel = EmbeddedChannel(handlers: [handler, events], loop: loop)
        channel.connect(to: try remoteAddress(address), promise: nil)
        try check()
    }

    deinit {
        // The handler lets go without a word to the other side. Then time goes by until its timers have run out: a loop must not end with tasks left.
        channel.pipeline.fireChannelInactive()
        channel.close(promise: nil)
        loop.advanceTime(by: .hours(1))
    }

    /// Where a name is used, the address of the other side does not matter, but there must be one.
    private func remoteAddress(_ known: NIOCore.SocketAddress?) throws(StreamError) -> NIOCore.SocketAddress {
        if let known { return known }
        do { return try NIOCore.SocketAddress(ipAddress: "127.0.0.1", port: 443) } catch { throw StreamError(.unreachable, "\(error)") }
    }

    private static var currentThread: UInt {
        #if canImport(Darwin)
        UInt(bitPattern: pthread_self())
        #else
        UInt(pthread_self())
        #endif
    }

    /// Whether the calling thread may use the channel.
    var isMine: Bool { thread == Self.currentThread }

    var isHandshakeDone: Bool { events.value.isHandshakeDone }

    /// Whether the other side has said that it sends nothing more, or an error has ended all.
    var isClosed: Bool { !channel.isActive }

    /// Takes bytes to be sent.
    func write(_ bytes: Span<UInt8>) throws(StreamError) {
        channel.writeAndFlush(channel.allocator.buffer(bytes: bytes.array), promise: nil)
        try check()
    }

    /// Takes bytes from the network.
    func receive(_ bytes: Span<UInt8>) throws(StreamError) {
        do {
            try channel.writeInbound(channel.allocator.buffer(bytes: bytes.array))
        } catch {
            throw describe(error)
        }
    }

    /// Bytes for the network; `nil` when there are none now.
    func nextForNetwork() -> [UInt8]? {
        // Throws only for what is no buffer, and the handler writes nothing else.
        (try? channel.readOutbound(as: ByteBuffer.self)).flatMap { $0 }.map { Array($0.readableBytesView) }
    }

    /// Bytes that the other side sent; `nil` when there are none now.
    func nextReceived() -> [UInt8]? {
        // Throws only for what is no buffer, and the handler hands on nothing else.
        (try? channel.readInbound(as: ByteBuffer.self)).flatMap { $0 }.map { Array($0.readableBytesView) }
    }

    private func check() throws(StreamError) {
        do {
            try channel.throwIfErrorCaught()
        } catch {
            throw describe(error)
        }
    }

    private func describe(_ error: any Error) -> StreamError {
        let text = "\(error)"
        if error is NIOSSLExtraError { return StreamError(.protocolViolation, "the receiver's certificate is not one for \(host)") }
        if text.contains("CERTIFICATE_VERIFY_FAILED") {
            return StreamError(.protocolViolation, "the receiver's certificate is not signed by an authority that is trusted here, or has expired")
        }
        if text.contains("WRONG_VERSION_NUMBER") || text.contains("HTTP_REQUEST") {
            return StreamError(.protocolViolation, "the receiver does not speak TLS: the endpoint may have to begin with http")
        }
        if text.contains("ALERT_CERTIFICATE_REQUIRED") || text.contains("ALERT_HANDSHAKE_FAILURE") {
            return StreamError(.protocolViolation, "the receiver broke off TLS; it may want a certificate of the client: \(text)")
        }
        if text.contains("uncleanShutdown") { return StreamError(.closed, "the connection ended without the end of TLS") }
        return StreamError(.protocolViolation, "TLS failed: \(text)")
    }
}
#endif
