import NIOCore
import NIOPosix
import Synchronization

/// A connection of plain bytes to a server under test; waits for what should come, with a deadline.
final class RawConnection: Sendable {
    /// The peer did not do in time what the test waits for.
    struct TimedOut: Error, CustomStringConvertible {
        let received: String
        var description: String { "timed out; received so far: \(received.debugDescription)" }
    }

    private struct State {
        var received: [UInt8] = []
        var isClosed = false
        var waiters: [(id: Int, condition: @Sendable ([UInt8], Bool) -> Bool, continuation: CheckedContinuation<Bool, Never>)] = []
        var nextID = 0
    }

    private let channel: any Channel
    private let state: Mutexed

    private final class Mutexed: Sendable {
        let value = Mutex(State())

        func update(_ change: (inout State) -> Void) {
            let ready = value.withLock { state -> [CheckedContinuation<Bool, Never>] in
                change(&state)
                var ready: [CheckedContinuation<Bool, Never>] = []
                var waiting = state.waiters
                waiting.removeAll { waiter in
                    guard waiter.condition(state.received, state.isClosed) else { return false }
                    ready.append(waiter.continuation)
                    return true
                }
                state.waiters = waiting
                return ready
            }
            for continuation in ready { continuation.resume(returning: true) }
        }
    }

    private final class Reader: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer
        let state: Mutexed

        init(_ state: Mutexed) { self.state = state }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let bytes = Array(unwrapInboundIn(data).readableBytesView)
            state.update { $0.received += bytes }
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if case ChannelEvent.inputClosed? = event as? ChannelEvent { state.update { $0.isClosed = true } }
        }

        func channelInactive(context: ChannelHandlerContext) { state.update { $0.isClosed = true } }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { state.update { $0.isClosed = true } }
    }

    private init(channel: any Channel, state: Mutexed) {
        self.channel = channel
        self.state = state
    }

    /// - Parameter reads: Whether it reads what comes; else only from ``startReading()`` on.
    static func connect(port: Int, reads: Bool = true) async throws -> RawConnection {
        try await connect { bootstrap in
            // The system takes little for one that does not read.
            let ready = reads ? bootstrap : bootstrap.channelOption(.autoRead, value: false).channelOption(.socketOption(.so_rcvbuf), value: 64 << 10)
            return try await ready.connect(host: "127.0.0.1", port: port).get()
        }
    }

    static func connect(unix path: String) async throws -> RawConnection {
        try await connect { try await $0.connect(unixDomainSocketPath: path).get() }
    }

    private static func connect(_ open: (ClientBootstrap) async throws -> any Channel) async throws -> RawConnection {
        let state = Mutexed()
        let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelInitializer { $0.pipeline.addHandler(Reader(state)) }
        return RawConnection(channel: try await open(bootstrap), state: state)
    }

    func send(_ bytes: [UInt8]) async throws {
        try await channel.writeAndFlush(ByteBuffer(bytes: bytes)).get()
    }

    func send(_ text: String) async throws { try await send(Array(text.utf8)) }

    func startReading() async throws { try await channel.setOption(.autoRead, value: true).get() }

    func closeOutput() async throws { try await channel.close(mode: .output).get() }

    func close() async {
        do {
            try await channel.close().get()
        } catch {
            // The server was first.
        }
    }

    var received: String { state.value.withLock { String(decoding: $0.received, as: UTF8.self) } }
    var receivedBytes: [UInt8] { state.value.withLock { $0.received } }

    /// Waits until the received bytes meet a condition.
    @discardableResult
    func receive(within time: Duration = .seconds(10), _ condition: @escaping @Sendable ([UInt8]) -> Bool) async throws -> String {
        try await wait(time) { bytes, _ in condition(bytes) }
        return received
    }

    /// Waits until the received text contains a text.
    @discardableResult
    func receive(_ text: String, within time: Duration = .seconds(10)) async throws -> String {
        try await receive(within: time) { String(decoding: $0, as: UTF8.self).contains(text) }
    }

    /// Waits until the server has closed its side, and gives all that it sent.
    @discardableResult
    func receiveAll(within time: Duration = .seconds(10)) async throws -> String {
        try await wait(time) { _, isClosed in isClosed }
        return received
    }

    private func wait(_ time: Duration, _ condition: @escaping @Sendable ([UInt8], Bool) -> Bool) async throws {
        let state = state
        let loop = channel.eventLoop
        let isMet = await withCheckedContinuation { continuation in
            var id = 0
            state.update { value in
                id = value.nextID
                value.nextID += 1
                value.waiters.append((id, condition, continuation))
            }
            let waiter = id
            loop.scheduleTask(in: .nanoseconds(Int64(time / .nanoseconds(1)))) {
                let late = state.value.withLock { value -> CheckedContinuation<Bool, Never>? in
                    guard let index = value.waiters.firstIndex(where: { $0.id == waiter }) else { return nil }
                    return value.waiters.remove(at: index).continuation
                }
                late?.resume(returning: false)
            }
        }
        if !isMet { throw TimedOut(received: received) }
    }
}

/// Waits until a condition holds, asking it again and again.
func eventually(within time: Duration = .seconds(10), _ condition: () async throws -> Bool) async throws -> Bool {
    let deadline = ContinuousClock.now + time
    while ContinuousClock.now < deadline {
        if try await condition() { return true }
        try await Task.sleep(for: .milliseconds(2))
    }
    return try await condition()
}
