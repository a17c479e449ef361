#if TLS
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

/// A server that answers every request, over TLS if it has a context for it.
final class TLSServer: Sendable {
    enum Behaviour: Sendable {
        case answers
        case answersAndCloses
        /// Reads and says nothing.
        case isSilent
        /// Closes at the first bytes.
        case closes
    }

    struct Request: Sendable {
        var host = ""
        var body: [UInt8] = []
    }

    private struct State {
        var accepted = 0
        var requests: [Request] = []
    }

    private final class Log: Sendable {
        let state = Mutex(State())
    }

    private let channel: any Channel
    private let log: Log

    init(_ context: NIOSSLContext?, _ behaviour: Behaviour = .answers) throws {
        let log = Log()
        self.log = log
        channel = try ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                log.state.withLock { $0.accepted += 1 }
                return channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let context { try pipeline.addHandler(NIOSSLServerHandler(context: context)) }
                    switch behaviour {
                    case .answers, .answersAndCloses:
                        try pipeline.configureHTTPServerPipeline()
                        try pipeline.addHandler(Answerer(log, closes: behaviour == .answersAndCloses))
                    case .isSilent: break
                    case .closes: try pipeline.addHandler(Closer())
                    }
                }
            }
            .bind(host: "127.0.0.1", port: 0).wait()
    }

    func stop() {
        channel.close(promise: nil)
    }

    var port: Int { channel.localAddress?.port ?? 0 }
    var accepted: Int { log.state.withLock { $0.accepted } }
    var requests: [Request] { log.state.withLock { $0.requests } }

    private final class Answerer: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let log: Log
        private let closes: Bool
        private var request = Request()

        init(_ log: Log, closes: Bool) {
            self.log = log
            self.closes = closes
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head): request = Request(host: head.headers["host"].first ?? "")
            case .body(let buffer): request.body += buffer.readableBytesView
            case .end:
                log.state.withLock { $0.requests.append(request) }
                var head = HTTPResponseHead(version: .http1_1, status: .ok)
                head.headers.add(name: "Content-Length", value: "0")
                if closes { head.headers.add(name: "Connection", value: "close") }
                context.write(wrapOutboundOut(.head(head)), promise: nil)
                context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
                if closes { context.close(promise: nil) }
            }
        }
    }

    private final class Closer: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            context.close(promise: nil)
        }
    }
}
#endif
