import HTTPTypes
import NIOCore
import NIOHTTP2
import NIOHTTPTypes
import NIOHTTPTypesHTTP2
import NIOPosix

/// An HTTP/2 client with prior knowledge, for gRPC and plain requests.
final class HTTP2Client: Sendable {
    struct Reply: Sendable {
        var status: HTTPResponse.Status = .ok
        var headers = HTTPFields()
        var body: [UInt8] = []
        var trailers = HTTPFields()

        /// gRPC's status, from the trailers or the headers.
        var grpcStatus: Int? {
            let field = HTTPField.Name("grpc-status").flatMap { trailers[$0] ?? headers[$0] }
            return field.flatMap { Int($0) }
        }

        func field(_ name: String) -> String? { HTTPField.Name(name).flatMap { trailers[$0] ?? headers[$0] } }
    }

    private let channel: any Channel
    private let multiplexer: NIOHTTP2Handler.StreamMultiplexer

    private init(channel: any Channel, multiplexer: NIOHTTP2Handler.StreamMultiplexer) {
        self.channel = channel
        self.multiplexer = multiplexer
    }

    var closed: EventLoopFuture<Void> { channel.closeFuture }

    static func connect(port: Int) async throws -> HTTP2Client {
        try await connect { try await $0.connect(host: "127.0.0.1", port: port).get() }
    }

    static func connect(unix path: String) async throws -> HTTP2Client {
        try await connect { try await $0.connect(unixDomainSocketPath: path).get() }
    }

    private static func connect(_ open: (ClientBootstrap) async throws -> any Channel) async throws -> HTTP2Client {
        let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(
                    NIOHTTP2Handler(mode: .client, eventLoop: channel.eventLoop) { stream in stream.eventLoop.makeSucceededVoidFuture() })
            }
        }
        let channel = try await open(bootstrap)
        let multiplexer = try await channel.pipeline.handler(type: NIOHTTP2Handler.self).flatMap { $0.multiplexer }.get()
        return HTTP2Client(channel: channel, multiplexer: multiplexer)
    }

    func close() async {
        do {
            try await channel.close().get()
        } catch {
            // The server was first.
        }
    }

    /// Sends a request in one piece and waits for the whole reply.
    func send(_ request: HTTPRequest, body: [UInt8]) async throws -> Reply {
        let promise = channel.eventLoop.makePromise(of: Reply.self)
        let stream = try await multiplexer.createStreamChannel { stream in
            stream.eventLoop.makeCompletedFuture {
                try stream.pipeline.syncOperations.addHandlers(HTTP2FramePayloadToHTTPClientCodec(), ReplyCollector(promise: promise))
            }
        }.get()
        stream.write(HTTPRequestPart.head(request), promise: nil)
        if !body.isEmpty { stream.write(HTTPRequestPart.body(ByteBuffer(bytes: body)), promise: nil) }
        stream.writeAndFlush(HTTPRequestPart.end(nil), promise: nil)
        return try await promise.futureResult.get()
    }

    /// A unary gRPC call with an already framed body.
    func call(_ path: String, frame: [UInt8], headers: [String: String] = [:]) async throws -> Reply {
        var request = HTTPRequest(method: .post, scheme: "http", authority: "localhost", path: path)
        request.headerFields[.contentType] = "application/grpc"
        request.headerFields[.te] = "trailers"
        for (name, value) in headers {
            if let name = HTTPField.Name(name) { request.headerFields[name] = value }
        }
        return try await send(request, body: frame)
    }

    /// The frame of a gRPC message.
    static func frame(_ message: [UInt8], isCompressed: Bool = false) -> [UInt8] {
        let count = UInt32(message.count)
        return [isCompressed ? 1 : 0] + (0..<4).map { UInt8(truncatingIfNeeded: count >> UInt32(24 - 8 * $0)) } + message
    }

    private final class ReplyCollector: ChannelInboundHandler {
        typealias InboundIn = HTTPResponsePart
        private let promise: EventLoopPromise<Reply>
        private var reply = Reply()

        init(promise: EventLoopPromise<Reply>) { self.promise = promise }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head):
                if head.status.kind == .informational { return }
                reply.status = head.status
                reply.headers = head.headerFields
            case .body(let bytes): reply.body += Array(bytes.readableBytesView)
            case .end(let trailers):
                if let trailers { reply.trailers = trailers }
                promise.succeed(reply)
            }
        }

        func channelInactive(context: ChannelHandlerContext) { promise.fail(ChannelError.eof) }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { promise.fail(error) }
    }
}
