import Logging
import NIOCore

/// The first handler of a connection: holds its bytes back until they tell the protocol, then builds the pipeline for it.
final class ProtocolSniffingHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let connection: ServerConnection
    /// The bytes come out of a TLS session already.
    private let isInsideTLS: Bool
    private var buffer = ByteBuffer()
    private var timeout: Scheduled<Void>?
    private var isDecided = false

    init(connection: ServerConnection, isInsideTLS: Bool) {
        self.connection = connection
        self.isInsideTLS = isInsideTLS
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let connection = connection
        let channel = context.channel
        timeout = context.eventLoop.scheduleTask(in: connection.limits.protocolTimeout) {
            connection.logger.debug("connection closed: no request within \(connection.limits.protocolTimeout)")
            channel.close(promise: nil)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timeout?.cancel()
    }

    func channelInactive(context: ChannelHandlerContext) {
        timeout?.cancel()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if isDecided { return context.fireChannelRead(data) }
        var bytes = unwrapInboundIn(data)
        buffer.writeBuffer(&bytes)
        guard let found = SniffedProtocol.classify(buffer.readableBytesView) else { return }
        isDecided = true
        timeout?.cancel()
        do {
            try proceed(found, context: context)
        } catch {
            connection.logger.error("connection cannot be set up", metadata: ["error": "\(error)"])
            context.close(promise: nil)
        }
    }

    private func proceed(_ found: SniffedProtocol, context: ChannelHandlerContext) throws {
        let operations = context.pipeline.syncOperations
        let wantsTLS = connection.tls != nil && !isInsideTLS
        switch found {
        case .tls where wantsTLS:
            try connection.addTLS(to: operations)
            try operations.addHandler(ProtocolSniffingHandler(connection: connection, isInsideTLS: true))
        case .tls:
            connection.countProtocolFailure()
            connection.logger.warning(
                "connection closed: the client speaks TLS, but this port is plain; use http:// (or insecure gRPC), or give the listener tls",
                metadata: ["listener": "\(connection.listener.address)", "peer": "\(context.remoteAddress?.description ?? "-")"])
            return context.close(promise: nil)
        case .http1 where wantsTLS, .http2 where wantsTLS:
            connection.countProtocolFailure()
            return refusePlaintext(isHTTP2: found == .http2, context: context)
        case .http1:
            try connection.addHTTP1(to: operations)
        case .http2:
            try connection.addHTTP2(to: operations)
        case .unknown:
            connection.countProtocolFailure()
            connection.logger.debug(
                "connection closed: its first bytes are neither HTTP nor TLS", metadata: ["listener": "\(connection.listener.address)"])
            return context.close(promise: nil)
        }
        context.fireChannelRead(wrapInboundOut(buffer))
        context.fireChannelReadComplete()
        buffer = ByteBuffer()
        operations.removeHandler(self, promise: nil)
    }

    private func refusePlaintext(isHTTP2: Bool, context: ChannelHandlerContext) {
        let message = "This port speaks TLS: use https:// instead of http:// (for gRPC: a secure channel).\n"
        var answer = ByteBuffer()
        if isHTTP2 {
            // SETTINGS, then GOAWAY with INADEQUATE_SECURITY (0xc) and the message as debug data (RFC 9113, 6.8).
            answer.writeBytes([0, 0, 0, 4, 0, 0, 0, 0, 0] as [UInt8])
            answer.writeInteger(UInt32(8 + message.utf8.count) << 8 | 7)
            answer.writeBytes([0, 0, 0, 0, 0] as [UInt8])
            answer.writeInteger(UInt32(0))
            answer.writeInteger(UInt32(0xC))
            answer.writeString(message)
        } else {
            answer.writeString(
                "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: \(message.utf8.count)\r\n"
                    + "Connection: close\r\n\r\n" + message)
        }
        let channel = context.channel
        context.writeAndFlush(NIOAny(answer)).whenComplete { _ in channel.close(promise: nil) }
    }
}

@available(*, unavailable)
extension ProtocolSniffingHandler: Sendable {}
