import HTTPTypes
import Hummingbird
import NIOCore
import NIOHTTPTypes

/// Writes one response from a task to the connection's event loop, with back pressure.
///
/// A response of known length goes out in one piece, and so in one hop; one of unknown length is flushed with every write.
struct HTTPResponseStream: ResponseBodyWriter, Sendable {
    private let handler: NIOLoopBound<HTTPExchangeHandler>
    private let eventLoop: any EventLoop
    private let exchange: UInt64
    private let gathers: Bool
    private let omitsBody: Bool
    private var parts: [HTTPResponsePart]
    private var gathered = 0

    /// - Parameters:
    ///   - omitsBody: the request was HEAD: head and end only.
    ///   - gathers: the length is known, so small writes wait for each other.
    init(
        handler: NIOLoopBound<HTTPExchangeHandler>, eventLoop: any EventLoop, exchange: UInt64, head: HTTPResponse, omitsBody: Bool,
        gathers: Bool
    ) {
        self.handler = handler
        self.eventLoop = eventLoop
        self.exchange = exchange
        self.omitsBody = omitsBody
        self.gathers = gathers
        parts = [.head(head)]
    }

    mutating func write(_ buffer: ByteBuffer) async throws {
        if omitsBody || buffer.readableBytes == 0 { return }
        parts.append(.body(buffer))
        gathered += buffer.readableBytes
        if gathers, gathered < 256 << 10 { return }
        try await send()
    }

    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {
        parts.append(.end(trailingHeaders))
        try await send()
    }

    private mutating func send() async throws {
        let sending = parts
        parts.removeAll(keepingCapacity: true)
        gathered = 0
        let handler = handler
        let exchange = exchange
        try await eventLoop.flatSubmit { handler.value.send(sending, exchange: exchange) }.get()
    }
}
