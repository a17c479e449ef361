import NIOCore
import Synchronization

/// The open connections of all listeners.
final class ConnectionRegistry: Sendable {
    private struct State {
        var connections: [ObjectIdentifier: ServerConnection] = [:]
        var whenEmpty: [EventLoopPromise<Void>] = []
        var whenBelowLimit: [@Sendable () -> Void] = []
        var isFinishing = false
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
        let id = ObjectIdentifier(connection)
        let isFinishing = state.withLock {
            $0.connections[id] = connection
            return $0.isFinishing
        }
        statistics.connectionsAccepted.add(1, ordering: .relaxed)
        statistics.connectionsOpen.add(1, ordering: .relaxed)
        connection.channel.closeFuture.whenComplete { _ in self.remove(id) }
        if isFinishing { connection.finish() }
    }

    private func remove(_ id: ObjectIdentifier) {
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
