import OrielClient
import OrielTelemetry
import OrielThreads
import Synchronization

/// Finds the addresses of hosts within a deadline, which the system's resolver does not keep: it asks on a thread of its own, and whoever waits may leave.
///
/// A lookup that takes long is the only one for its host; the next to ask waits for it too.
final class HostResolver: Sendable {
    private struct Name: Hashable, Sendable {
        let host: String
        let port: UInt16
    }

    private final class Lookup: Sendable {
        let result = Mutex<Result<[SocketAddress], StreamError>?>(nil)
        let signal = ThreadSignal()
    }

    private let running = Mutex<[Name: Lookup]>([:])

    func addresses(of host: String, port: UInt16, until deadline: Deadline) throws(StreamError) -> [SocketAddress] {
        // What is no address is a name, to be looked up.
        if let addresses = try? SocketAddress.resolve(host, port: port, isNumeric: true) { return addresses }
        let lookup = try lookup(Name(host: host, port: port))
        while true {
            let ticket = lookup.signal.ticket
            if let result = lookup.result.withLock({ $0 }) { return try result.get() }
            guard let rest = deadline.rest else { throw .timeout("the host \(host) could not be looked up") }
            lookup.signal.wait(after: ticket, timeout: min(rest, Socket.longestWait))
        }
    }

    private func lookup(_ name: Name) throws(StreamError) -> Lookup {
        let (lookup, isNew) = running.withLock { running in
            if let known = running[name] { return (known, false) }
            let lookup = Lookup()
            running[name] = lookup
            return (lookup, true)
        }
        guard isNew else { return lookup }
        do throws(ThreadError) {
            _ = try OwnThread(name: "oriel-resolver") { [self] in
                let result: Result<[SocketAddress], StreamError>
                do throws(StreamError) {
                    result = .success(try SocketAddress.resolve(name.host, port: name.port, isNumeric: false))
                } catch {
                    result = .failure(error)
                }
                running.withLock { $0[name] = nil }
                lookup.result.withLock { $0 = result }
                lookup.signal.notify()
            }
        } catch {
            running.withLock { $0[name] = nil }
            throw StreamError(.unreachable, "the host \(name.host) cannot be looked up: \(error)")
        }
        return lookup
    }
}
