import NIOCore
import NIOHTTP1

/// Notes what each HTTP/1 request says about its connection and its body before the version is lost in the shared HTTP types.
final class HTTP1KeepAlive: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart

    /// Whether the connection stays open after the current request: `Connection`, or the version's default.
    private(set) var isKeepAlive = true
    /// Whether a body follows the current request's head.
    private(set) var hasBody = false
    /// Whether the current request names one host, as HTTP/1.1 asks of it (RFC 9112, 3.2).
    private(set) var namesHost = true

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .head(let head) = unwrapInboundIn(data) {
            isKeepAlive = head.isKeepAlive
            hasBody = head.headers.contains(name: "transfer-encoding") || head.headers["content-length"].contains { $0 != "0" }
            let hosts = head.headers["host"].count
            namesHost = hosts == 1 || hosts == 0 && head.version == .http1_0
        }
        context.fireChannelRead(data)
    }
}

@available(*, unavailable)
extension HTTP1KeepAlive: Sendable {}
