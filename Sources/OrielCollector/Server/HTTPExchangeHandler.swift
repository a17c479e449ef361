import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTP2
import NIOHTTPTypes
import NIOHTTPTypesHTTP2

/// The last handler of an HTTP/1.1 connection or of one HTTP/2 stream: gathers a request, has it answered, writes the answer.
///
/// It holds the limits that need both sides of an exchange: body size, admission budget, body progress, idle time, unread
/// responses. A request that is refused before its body arrived is answered at once; what still comes is read and dropped for a
/// moment, so that the peer sees the answer and not a reset, and then the connection (or stream) is closed.
final class HTTPExchangeHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPRequestPart
    typealias OutboundOut = HTTPResponsePart

    private enum State {
        case idle
        case receiving(Incoming)
        /// The answer is known from the head alone, and no body follows: it is sent when the request has ended.
        case refusing(Response, to: HTTPRequest)
        case responding
        /// Answered early; the rest of the request is dropped.
        case lingering
        case closed
    }

    private struct Incoming {
        let head: HTTPRequest
        let limit: Int
        let crossOrigin: String?
        let grant: AccessGrant
        let reservation: AdmissionReservation
        var body = ByteBuffer()
        /// Body bytes seen when the current progress interval began.
        var counted = 0
    }

    private let dispatcher: RequestDispatcher
    private let isHTTP2: Bool
    private let keepAlive: HTTP1KeepAlive?
    private let eventLoop: any EventLoop
    private let peer: SocketAddress?
    private var state = State.idle
    private var exchange: UInt64 = 0
    private var timer = DeadlineTimer()
    private var task: Task<Void, Never>?
    private var context: ChannelHandlerContext?
    private var writeWaiters: [EventLoopPromise<Void>] = []
    /// The end of a response whose peer has not taken enough of it yet.
    private var heldEnd: HTTPResponsePart?
    private var writeStall: Scheduled<Void>?
    private var requestEnded = false
    private var responseEnded = false
    private var closesAfterResponse = false

    /// - Parameter keepAlive: what an HTTP/1 request said about its connection; nil in an HTTP/2 stream.
    init(dispatcher: RequestDispatcher, keepAlive: HTTP1KeepAlive?, eventLoop: any EventLoop, peer: SocketAddress?) {
        self.peer = peer
        self.dispatcher = dispatcher
        self.eventLoop = eventLoop
        self.keepAlive = keepAlive
        isHTTP2 = keepAlive == nil
    }

    // Lifecycle

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        setDeadline(in: dispatcher.limits.headTimeout, context: context)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        finish(context: context)
        self.context = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        finish(context: context)
        context.fireChannelInactive()
    }

    private func finish(context: ChannelHandlerContext) {
        state = .closed
        timer.cancel()
        writeStall?.cancel()
        task?.cancel()
        task = nil
        heldEnd = nil
        let waiters = writeWaiters
        writeWaiters.removeAll()
        for waiter in waiters { waiter.fail(ChannelError.ioOnClosedChannel) }
    }

    // Reading

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): receive(head, context: context)
        case .body(let bytes): receive(bytes, context: context)
        case .end: receiveEnd(context: context)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if case .receiving = state, timer.deadline == nil {
            setDeadline(in: dispatcher.limits.bodyProgressInterval, context: context)
        }
        context.fireChannelReadComplete()
    }

    private static func isUnixSocket(_ address: SocketAddress?) -> Bool {
        if case .unixDomainSocket = address { true } else { false }
    }

    private func receive(_ head: HTTPRequest, context: ChannelHandlerContext) {
        guard case .idle = state else { return }
        timer.clear()
        exchange &+= 1
        requestEnded = false
        responseEnded = false
        closesAfterResponse = keepAlive.map { !$0.isKeepAlive } ?? false
        let head = dispatcher.normalize(head)
        // On a unix socket there is no host to name, and clients differ in what they send then.
        if let keepAlive, !keepAlive.namesHost, !Self.isUnixSocket(context.channel.localAddress) {
            return respondEarly(HTTPProblem(.badRequest, "an HTTP/1.1 request names its host in one Host header").response(), to: head, context: context)
        }
        switch dispatcher.admit(head, isHTTP2: isHTTP2) {
        case .refuse(let response):
            if let keepAlive, !keepAlive.hasBody {
                state = .refusing(response, to: head)
                return
            }
            respondEarly(response, to: head, context: context)
        case .read(let limit, let crossOrigin, let grant):
            let incoming = Incoming(
                head: head, limit: limit, crossOrigin: crossOrigin, grant: grant, reservation: dispatcher.budget.makeReservation())
            state = .receiving(incoming)
            if head.headerFields[.expect]?.lowercased() == "100-continue" {
                context.writeAndFlush(wrapOutboundOut(.head(HTTPResponse(status: .continue))), promise: nil)
            }
        }
    }

    private func receive(_ bytes: ByteBuffer, context: ChannelHandlerContext) {
        guard case .receiving(var incoming) = state else { return }
        // Taken out of the enum so that appending does not copy.
        state = .idle
        let size = bytes.readableBytes
        if incoming.body.readableBytes + size > incoming.limit {
            let response = dispatcher.refusal(for: incoming.head, .bodyTooLarge(limit: incoming.limit))
            return respondEarly(response, to: incoming.head, context: context)
        }
        guard incoming.reservation.grow(by: size) else {
            return respondEarly(dispatcher.refusal(for: incoming.head, .overloaded), to: incoming.head, context: context)
        }
        incoming.grant.charge(size)
        var bytes = bytes
        if incoming.body.readableBytes == 0 {
            incoming.body = bytes
            if let expected = incoming.head.headerFields[.contentLength].flatMap({ Int($0) }), expected > size {
                // One allocation for most bodies; a length that is only claimed does not get much.
                incoming.body.reserveCapacity(min(expected, incoming.limit, 1 << 20))
            }
        } else {
            incoming.body.writeBuffer(&bytes)
        }
        state = .receiving(incoming)
    }

    private func receiveEnd(context: ChannelHandlerContext) {
        switch state {
        case .receiving(let incoming):
            state = .responding
            timer.clear()
            respond(to: incoming, context: context)
        case .refusing(let response, let head):
            state = .responding
            timer.clear()
            sendRefusal(response, to: head, context: context)
        case .lingering:
            requestEnded = true
            if responseEnded, !isHTTP2 { context.close(promise: nil) }
        case .idle, .responding, .closed:
            break
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case ChannelEvent.inputClosed as ChannelEvent:
            switch state {
            case .responding: closesAfterResponse = true
            case .idle, .receiving, .refusing, .lingering, .closed: context.close(promise: nil)
            }
        default:
            break
        }
        context.fireUserInboundEventTriggered(event)
    }

    /// Ends an HTTP/1 connection when its request, if there is one, is answered.
    func quiesce() {
        switch state {
        case .idle: context?.close(promise: nil)
        case .receiving, .refusing, .responding: closesAfterResponse = true
        case .lingering, .closed: break
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if isHTTP2 {
            dispatcher.logger.debug("HTTP/2 stream failed", metadata: ["error": "\(error)"])
            // Not at once: a stream whose head is bad fails before the connection has it among its open ones.
            let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
            return context.eventLoop.execute { handler.value.context?.close(promise: nil) }
        }
        switch state {
        case .idle, .receiving, .refusing:
            if error is IOError || error is ChannelError { return context.close(promise: nil) }
            let problem =
                (error as? HTTPParserError) == .headerOverflow
                ? HTTPProblem(.requestHeaderFieldsTooLarge, "the request's header fields exceed the limits of this server")
                : HTTPProblem(.badRequest, "the request is not valid HTTP/1.1: \(error)")
            refuseUnreadable(problem, context: context)
        case .responding:
            closesAfterResponse = true
        case .lingering, .closed:
            context.close(promise: nil)
        }
    }

    // Responding

    private func respond(to incoming: Incoming, context: ChannelHandlerContext) {
        let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
        let eventLoop = context.eventLoop
        let exchange = exchange
        let dispatcher = dispatcher
        let request = ReceivedRequest(
            head: incoming.head, body: incoming.body, reservation: incoming.reservation, peer: peer,
            isHTTP2: isHTTP2, grant: incoming.grant)
        let crossOrigin = incoming.crossOrigin
        task = Task {
            var response = await dispatcher.respond(to: request)
            if let crossOrigin { AccessPolicy.addCrossOriginHeaders(origin: crossOrigin, to: &response.headers) }
            let omitsBody = request.head.method == .head
            if omitsBody, response.headers[.contentLength] == nil { response.headers[.contentLength] = "0" }
            let body = response.body
            let stream = HTTPResponseStream(
                handler: handler, eventLoop: eventLoop, exchange: exchange, head: response.head, omitsBody: omitsBody,
                gathers: body.contentLength != nil)
            do {
                if body.contentLength == nil, !GRPCServices.isGRPC(request.head) {
                    try await dispatcher.openResponses.whileOpen(request.grant.access) { try await body.write(stream) }
                } else {
                    try await body.write(stream)
                }
            } catch {
                dispatcher.logger.debug("response not sent", metadata: ["error": "\(error)"])
            }
            // The request is in progress until its answer is written.
            withExtendedLifetime(request.grant) {}
            // A body that ended without finishing leaves the exchange open; the peer must not wait for ever.
            eventLoop.execute { handler.value.abandon(exchange: exchange) }
        }
    }

    private func respondEarly(_ response: Response, to head: HTTPRequest?, context: ChannelHandlerContext) {
        state = .lingering
        timer.clear()
        closesAfterResponse = true
        setDeadline(in: dispatcher.limits.lingerTimeout, context: context)
        sendRefusal(response, to: head, context: context)
    }

    private func sendRefusal(_ response: Response, to head: HTTPRequest?, context: ChannelHandlerContext) {
        dispatcher.statistics.countResponse(status: response.status.code)
        let exchange = exchange
        let body = response.body
        let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
        let eventLoop = context.eventLoop
        let stream = HTTPResponseStream(
            handler: handler, eventLoop: eventLoop, exchange: exchange, head: response.head, omitsBody: head?.method == .head,
            gathers: body.contentLength != nil)
        let logger = dispatcher.logger
        task = Task {
            do {
                try await body.write(stream)
            } catch {
                logger.debug("refusal not sent", metadata: ["error": "\(error)"])
            }
        }
    }

    /// Answers bytes that are no request. All at once: the decoder closes the channel as soon as the error was delivered.
    private func refuseUnreadable(_ problem: HTTPProblem, context: ChannelHandlerContext) {
        exchange &+= 1
        state = .lingering
        timer.clear()
        requestEnded = true
        closesAfterResponse = true
        dispatcher.statistics.countResponse(status: problem.status.code)
        let message = problem.message + "\n"
        let head = HTTPResponse(
            status: problem.status,
            headerFields: [
                .contentType: "text/plain; charset=utf-8", .contentLength: String(message.utf8.count), .connection: "close",
                .date: dispatcher.date.now,
            ])
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.body(ByteBuffer(string: message))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        context.close(mode: .output, promise: nil)
        setDeadline(in: dispatcher.limits.lingerTimeout, context: context)
    }

    /// Writes parts of the response of an exchange; completes when the peer has taken enough of them that more may be written.
    func send(_ parts: [HTTPResponsePart], exchange: UInt64) -> EventLoopFuture<Void> {
        guard let context else { return eventLoop.makeFailedFuture(ChannelError.ioOnClosedChannel) }
        switch state {
        case .responding where exchange == self.exchange, .lingering where exchange == self.exchange: break
        default: return context.eventLoop.makeFailedFuture(ChannelError.ioOnClosedChannel)
        }
        for part in parts {
            switch part {
            case .head(var head):
                head.headerFields[.date] = dispatcher.date.now
                if closesAfterResponse, !isHTTP2 { head.headerFields[.connection] = "close" }
                context.write(wrapOutboundOut(.head(head)), promise: nil)
            case .body:
                context.write(wrapOutboundOut(part), promise: nil)
            case .end where context.channel.isWritable:
                endResponse(with: part, context: context)
                return context.eventLoop.makeSucceededVoidFuture()
            case .end:
                // A client that sends requests without reading gets the next one answered when it has read: the end is what brings it.
                heldEnd = part
            }
        }
        context.flush()
        if context.channel.isWritable {
            endHeldResponse(context: context)
            return context.eventLoop.makeSucceededVoidFuture()
        }
        let waiter = context.eventLoop.makePromise(of: Void.self)
        writeWaiters.append(waiter)
        return waiter.futureResult
    }

    private func endHeldResponse(context: ChannelHandlerContext) {
        guard let end = heldEnd else { return }
        heldEnd = nil
        endResponse(with: end, context: context)
    }

    private func endResponse(with end: HTTPResponsePart, context: ChannelHandlerContext) {
        task = nil
        responseEnded = true
        let isLingering = if case .lingering = state { true } else { false }
        let closes = !isHTTP2 && !isLingering && closesAfterResponse
        if !isLingering {
            // Before the end is written: writing it may bring the next request of a client that did not wait.
            state = isHTTP2 || closes ? .closed : .idle
            if !isHTTP2, !closes { setDeadline(in: dispatcher.limits.idleTimeout, context: context) }
        }
        if closes || isLingering && !isHTTP2 && requestEnded {
            // A connection that is closed drops what it has not sent; a peer that does not read must not keep it for ever.
            if closes { setDeadline(in: dispatcher.limits.writeTimeout, context: context) }
            let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
            context.writeAndFlush(wrapOutboundOut(end)).whenComplete { _ in handler.value.context?.close(promise: nil) }
            return
        }
        context.writeAndFlush(wrapOutboundOut(end), promise: nil)
        if isLingering, !isHTTP2 {
            context.close(mode: .output, promise: nil)
        }
    }

    private func abandon(exchange: UInt64) {
        guard exchange == self.exchange, case .responding = state, let context else { return }
        dispatcher.logger.warning("a response ended early; closing its connection")
        if isHTTP2 {
            context.triggerUserOutboundEvent(NIOHTTP2FramePayloadToHTTPEvent.reset(code: .internalError), promise: nil)
        }
        context.close(promise: nil)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        writeStall?.cancel()
        writeStall = nil
        if context.channel.isWritable {
            endHeldResponse(context: context)
            let waiters = writeWaiters
            writeWaiters.removeAll()
            for waiter in waiters { waiter.succeed() }
        } else {
            let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
            writeStall = context.eventLoop.scheduleTask(in: dispatcher.limits.writeTimeout) {
                guard let context = handler.value.context else { return }
                handler.value.dispatcher.logger.debug("the peer does not read its response; closing")
                context.close(promise: nil)
            }
        }
        context.fireChannelWritabilityChanged()
    }

    // Deadlines

    private func setDeadline(in time: TimeAmount, context: ChannelHandlerContext) {
        timer.set(.now() + time, on: context.eventLoop, wake: wake(context: context))
    }

    private func wake(context: ChannelHandlerContext) -> @Sendable () -> Void {
        let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
        return { handler.value.timerWoke() }
    }

    private func timerWoke() {
        guard let context, timer.hasPassed(on: context.eventLoop, wake: wake(context: context)) else { return }
        timer.clear()
        switch state {
        case .idle:
            context.close(promise: nil)
        case .receiving(var incoming):
            let size = incoming.body.readableBytes
            if size - incoming.counted < dispatcher.limits.minimumBodyProgress {
                let problem = HTTPProblem(.requestTimeout, "the request body arrives too slowly; it was abandoned after \(size) bytes")
                return respondEarly(dispatcher.refusal(for: incoming.head, problem), to: incoming.head, context: context)
            }
            incoming.counted = size
            state = .receiving(incoming)
            setDeadline(in: dispatcher.limits.bodyProgressInterval, context: context)
        case .lingering:
            if isHTTP2 {
                context.triggerUserOutboundEvent(NIOHTTP2FramePayloadToHTTPEvent.reset(code: .noError), promise: nil)
            }
            context.close(promise: nil)
        case .closed: context.close(promise: nil)
        case .refusing, .responding: break
        }
    }
}

@available(*, unavailable)
extension HTTPExchangeHandler: Sendable {}
