import NIOCore
import Synchronization

/// The open connections of all listeners.
///
/// Beyond 15/16 of the limit each newcomer has the oldest connection finish: one that is idle is closed at once, one with requests in
/// progress when they are answered. So peers that only hold connections open cannot keep others out; the rest of the limit is for
/// connections that take their time to finish.
final class ConnectionRegistry: Sendable {
    private struct State {
        /// By the order in which they came.
        var connections: [UInt64: ServerConnection] = [:]
        var accepted: UInt64 = 0
        /// Connections below this number are gone or were told to finish.
        var oldest: UInt64 = 0
        var whenEmpty: [EventLoopPromise<Void>] = []
        var whenBelowLimit: [@Sendable () -> Void] = []
        var isFinishing = false

        /// The oldest connection that was not told to finish yet.
        mutating func takeOldest() -> ServerConnection? {
            while oldest < accepted {
                defer { oldest += 1 }
                if let connection = connections[oldest] { return connection }
            }
            return nil
        }
    }

    private let state = Mutex(State())
    private let limit: Int
    private let statistics: ServerStatistics

    init(limit: Int, statistics: ServerStatistics) {
        self.limit = limit
        self.statistics = statistics
    }

    /// Remembers a connection until its channel closes.
    func add(_ connection: ServerConnection) {
        let (id, isFinishing, surplus) = state.withLock { state -> (UInt64, Bool, ServerConnection?) in
            let id = state.accepted
            state.connections[id] = connection
            state.accepted += 1
            let isCrowded = state.connections.count > limit - limit / 16
            return (id, state.isFinishing, isCrowded ? state.takeOldest() : nil)
        }
        statistics.connectionsAccepted.add(1, ordering: .relaxed)
        statistics.connectionsOpen.add(1, ordering: .relaxed)
        connection.channel.closeFuture.whenComplete { _ in self.remove(id) }
        if isFinishing { connection.finish() }
        if let surplus {
            statistics.connectionsRecycled.add(1, ordering: .relaxed)
            surplus.finish()
        }
    }

    private func remove(_ id: UInt64) {
        let (empty, below) = state.withLock { state -> ([EventLoopPromise<Void>], [@Sendable () -> Void]) in
            state.connections[id] = nil
            var below: [@Sendable () -> Void] = []
            if state.connections.count < limit { swap(&below, &state.whenBelowLimit) }
            var empty: [EventLoopPromise<Void>] = []
            if state.connections.isEmpty { swap(&empty, &state.whenEmpty) }
            return (empty, below)
        }
        statistics.connectionsOpen.subtract(1, ordering: .relaxed)
        for promise in empty { promise.succeed() }
        for resume in below { resume() }
    }

    /// Whether one more may be accepted; if not, `resume` runs once when it may.
    func mayAccept(orResume resume: @escaping @Sendable () -> Void) -> Bool {
        state.withLock {
            if $0.connections.count < limit { return true }
            $0.whenBelowLimit.append(resume)
            return false
        }
    }

    /// Lets all connections finish.
    ///
    /// - Returns: completes when the last one is closed.
    func finishAll(on eventLoop: any EventLoop) -> EventLoopFuture<Void> {
        let promise = eventLoop.makePromise(of: Void.self)
        let connections = state.withLock { state -> [ServerConnection] in
            state.isFinishing = true
            if !state.connections.isEmpty { state.whenEmpty.append(promise) }
            return Array(state.connections.values)
        }
        if connections.isEmpty { promise.succeed() }
        for connection in connections { connection.finish() }
        return promise.futureResult
    }

    /// Closes what is left, whatever it is doing.
    func closeAll() {
        for connection in state.withLock({ Array($0.connections.values) }) { connection.channel.close(promise: nil) }
    }
}

/// Stops accepting while the registry is full: the kernel's queue then holds newcomers back instead of our memory.
final class AcceptLimiter: ChannelDuplexHandler {
    typealias InboundIn = any Channel
    typealias InboundOut = any Channel
    typealias OutboundIn = Never

    private let registry: ConnectionRegistry
    private var isWaiting = false

    init(registry: ConnectionRegistry) {
        self.registry = registry
    }

    func read(context: ChannelHandlerContext) {
        if isWaiting { return }
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        let eventLoop = context.eventLoop
        let mayAccept = registry.mayAccept {
            eventLoop.execute {
                let (limiter, context) = bound.value
                limiter.isWaiting = false
                if context.channel.isActive { limiter.read(context: context) }
            }
        }
        if mayAccept { context.read() } else { isWaiting = true }
    }
}

@available(*, unavailable)
extension AcceptLimiter: Sendable {}
