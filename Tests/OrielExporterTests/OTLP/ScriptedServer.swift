import Glibc
import OrielThreads
import Synchronization

/// A server on plain sockets that does to its clients what a test says, one thread a connection.
final class ScriptedServer: Sendable {
    /// A request as it came.
    struct Request: Sendable {
        var head = ""
        var body: [UInt8] = []

        /// The value of a header, by its name in lower case.
        subscript(name: String) -> String? {
            for line in head.split(separator: "\r\n").dropFirst() {
                let parts = line.split(separator: ":", maxSplits: 1)
                if parts[0].lowercased() == name { return parts.count > 1 ? String(parts[1].drop { $0 == " " }) : "" }
            }
            return nil
        }

        var firstLine: String { String(head.prefix { $0 != "\r\n" }) }

        /// The request that some bytes begin with, and what follows it; `nil` when it is not complete.
        static func first(in bytes: [UInt8]) -> (Request, rest: [UInt8])? {
            let end = Array("\r\n\r\n".utf8)
            guard let headEnd = bytes.prefix(64 << 10).indices.first(where: { bytes[$0...].starts(with: end) }) else { return nil }
            var request = Request()
            request.head = String(decoding: bytes[..<headEnd], as: UTF8.self)
            let bodyEnd = headEnd + 4 + (request["content-length"].flatMap { Int($0) } ?? 0)
            guard bytes.count >= bodyEnd else { return nil }
            request.body = Array(bytes[(headEnd + 4)..<bodyEnd])
            return (request, Array(bytes[bodyEnd...]))
        }
    }

    /// One side of a connection.
    struct Connection: Sendable {
        fileprivate let descriptor: Int32
        /// Counts the connections of the server.
        let number: Int
        let server: ScriptedServer
        private let received: Received

        fileprivate final class Received: Sendable {
            let bytes = Mutex<[UInt8]>([])
        }

        fileprivate init(_ descriptor: Int32, number: Int, _ server: ScriptedServer) {
            self.server = server
            self.descriptor = descriptor
            self.number = number
            received = Received()
        }

        /// The next request; `nil` when the client went away.
        func request() -> Request? {
            var bytes = received.bytes.withLock { $0 }
            while true {
                if let (request, rest) = Request.first(in: bytes) {
                    received.bytes.withLock { $0 = rest }
                    return request
                }
                if !read(into: &bytes) { return nil }
            }
        }

        /// - Returns: whether anything came.
        func read(into bytes: inout [UInt8]) -> Bool {
            var buffer = [UInt8](repeating: 0, count: 64 << 10)
            // The buffer outlives the call.
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe recv(descriptor, $0.baseAddress, $0.count, 0) }
            if count > 0 { bytes += buffer.prefix(count) }
            return count > 0
        }

        func write(_ text: String) { write(Array(text.utf8)) }

        func write(_ bytes: [UInt8]) {
            var offset = 0
            while offset < bytes.count {
                // The bytes outlive the call.
                let count = unsafe bytes[offset...].withUnsafeBytes { unsafe send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
                guard count > 0 else { return }
                offset += count
            }
        }

        /// Waits until the client goes away.
        func waitForEnd() {
            var bytes: [UInt8] = []
            while read(into: &bytes) { bytes = [] }
        }

        /// Makes the end of the connection a reset.
        func resetAtEnd() {
            var option = linger(l_onoff: 1, l_linger: 0)
            unsafe setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        }
    }

    let port: UInt16
    private let descriptor: Int32
    private let script: @Sendable (Connection) -> Void
    private let state = Mutex(State())

    private struct State {
        var accepted = 0
        var open: Set<Int32> = []
        var requests: [Request] = []
        var isStopped = false
    }

    /// - Parameters:
    ///   - port: 0 for a free one.
    ///   - unixPath: a Unix socket instead of a port.
    ///   - script: what is done with a connection, which is closed after it.
    init(port: UInt16 = 0, unixPath: String? = nil, _ script: @escaping @Sendable (Connection) -> Void) throws {
        self.script = script
        if let unixPath {
            let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            self.descriptor = descriptor
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: unixPath.utf8) }
            let bound = unsafe withUnsafePointer(to: &address) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
            }
            guard bound == 0 else { throw SocketFailure(number: errno) }
            self.port = 0
        } else {
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            self.descriptor = descriptor
            var on: Int32 = 1
            unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let code = unsafe withUnsafeMutablePointer(to: &address) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                    unsafe bind(descriptor, pointer, length) == 0 ? getsockname(descriptor, pointer, &length) : -1
                }
            }
            guard code == 0 else { throw SocketFailure(number: errno) }
            self.port = UInt16(bigEndian: address.sin_port)
        }
        guard listen(descriptor, 64) == 0 else { throw SocketFailure(number: errno) }
        _ = try OwnThread(name: "server") { [self] in
            while true {
                let client = accept(descriptor, nil, nil)
                if client < 0 { break }
                serve(client)
            }
            // Here, where nobody waits at it any more: its number may be given to another server at once.
            close(descriptor)
        }
    }

    struct SocketFailure: Error {
        let number: Int32
    }

    private func serve(_ client: Int32) {
        let number = state.withLock { state -> Int? in
            if state.isStopped { return nil }
            state.accepted += 1
            state.open.insert(client)
            return state.accepted
        }
        guard let number else {
            close(client)
            return
        }
        _ = try? OwnThread(name: "connection") { [self] in
            script(Connection(client, number: number, self))
            state.withLock { state in
                if state.open.remove(client) != nil { close(client) }
            }
        }
    }

    /// Closes the port and all connections.
    func stop() {
        state.withLock { state in
            if state.isStopped { return }
            state.isStopped = true
            shutdown(descriptor, Int32(SHUT_RDWR))
            for client in state.open { shutdown(client, Int32(SHUT_RDWR)) }
        }
    }

    var endpoint: String { "http://127.0.0.1:\(port)" }
    var accepted: Int { state.withLock { $0.accepted } }
    /// What ``answering(_:)`` took.
    var requests: [Request] { state.withLock { $0.requests } }

    func note(_ request: Request) { state.withLock { $0.requests.append(request) } }

    /// A server that answers each request, on connections that stay open.
    static func answering(port: UInt16 = 0, unixPath: String? = nil, _ answer: @escaping @Sendable (Request) -> String) throws -> ScriptedServer {
        try ScriptedServer(port: port, unixPath: unixPath) { connection in
            while let request = connection.request() {
                connection.server.note(request)
                connection.write(answer(request))
            }
        }
    }
}

/// An answer that all was taken.
let ok = "HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n"
