import OrielClient

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// What the thread of a ``PrometheusListener`` does: waits for all its sockets at once.
struct ListenerLoop {
    /// How long no connection is taken after the system had no descriptor for one.
    private static let pauseNanoseconds: Int64 = 100_000_000

    private let sockets: [Descriptor]
    /// Ready to be read when the loop is to end.
    private let stop: Descriptor
    private let source: ScrapeSource
    private let configuration: PrometheusListener.Configuration
    private var connections: [ScrapeConnection] = []
    private var pausedUntil: Int64 = 0

    init(sockets: [Descriptor], stop: Descriptor, source: ScrapeSource, configuration: PrometheusListener.Configuration) {
        self.sockets = sockets
        self.stop = stop
        self.source = source
        self.configuration = configuration
    }

    mutating func run() {
        while true {
            var now = Self.now
            connections.removeAll { $0.state == .ended || $0.deadline <= now }
            let isAccepting = now >= pausedUntil && (connections.count < configuration.maximumConnections || connections.contains { $0.isIdle })
            var waits = [pollfd(fd: stop.number, events: Int16(POLLIN), revents: 0)]
            // A negative descriptor is passed over.
            waits += sockets.map { pollfd(fd: isAccepting ? $0.number : -1, events: Int16(POLLIN), revents: 0) }
            waits += connections.map { pollfd(fd: $0.socket.number, events: Int16($0.state == .writing ? POLLOUT : POLLIN), revents: 0) }
            // The array lives through the call, which writes no further than its count.
            let count = unsafe poll(&waits, nfds_t(waits.count), timeout(now: now, isAccepting: isAccepting))
            if waits[0].revents != 0 { return }
            now = Self.now
            if count < 0 { continue }
            for (index, wait) in waits.dropFirst(1 + sockets.count).enumerated() where wait.revents != 0 || connections[index].state == .ready {
                connections[index].advance(now: now, source: source)
            }
            for (socket, wait) in zip(sockets, waits.dropFirst()) where wait.revents != 0 { accept(from: socket, now: now) }
        }
    }

    /// Milliseconds until something is due; -1 for never.
    private func timeout(now: Int64, isAccepting: Bool) -> Int32 {
        if connections.contains(where: { $0.state == .ready }) { return 0 }
        var next = connections.lazy.map(\.deadline).min() ?? .max
        if pausedUntil > now { next = min(next, pausedUntil) }
        return next == .max ? -1 : Int32(clamping: (next - now) / 1_000_000 + 1)
    }

    private mutating func accept(from socket: Descriptor, now: Int64) {
        #if canImport(Glibc)
        let number = Glibc.accept(socket.number, nil, nil)
        #elseif canImport(Musl)
        let number = Musl.accept(socket.number, nil, nil)
        #else
        let number = Darwin.accept(socket.number, nil, nil)
        #endif
        guard number >= 0 else {
            if [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(errno) { pausedUntil = now + Self.pauseNanoseconds }
            return
        }
        let connection = ScrapeConnection(Descriptor(number), configuration: configuration, now: now)
        connections.removeAll { $0.state == .ended }
        if connections.count >= configuration.maximumConnections {
            // The client that has asked for nothing for longest makes room.
            let idle = connections.indices.filter { connections[$0].isIdle }.min { connections[$0].idleSince < connections[$1].idleSince }
            guard let idle else { return }
            connections.remove(at: idle)
        }
        connections.append(connection)
    }

    /// Nanoseconds of a clock that nobody sets.
    private static var now: Int64 {
        var time = timespec()
        // Cannot fail: the clock exists and the pointer is valid for the call.
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
