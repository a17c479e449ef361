import NIOCore
import NIOHTTP1

/// Notes what each HTTP/1 request says about its connection before the version is lost in the shared HTTP types.
final class HTTP1KeepAlive: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart

    /// Whether the connection stays open after the current request: `Connection`, or the version's default.
    private(set) var isKeepAlive = true

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .head(let head) = unwrapInboundIn(data) { isKeepAlive = head.isKeepAlive }
        context.fireChannelRead(data)
    }
}

@available(*, unavailable)
extension HTTP1KeepAlive: Sendable {}
