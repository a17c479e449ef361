#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A socket or an end of a pipe that does not block, closed when it is let go.
final class Descriptor: Sendable {
    let number: Int32

    /// The type of sockets to make: on Linux one that a child which is started in the same moment does not inherit.
    static var streamType: Int32 {
        #if canImport(Darwin)
        SOCK_STREAM
        #else
        #if canImport(Glibc)
        Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        #else
        SOCK_STREAM | SOCK_CLOEXEC
        #endif
        #endif
    }

    /// Takes over an open descriptor.
    init(_ number: Int32) {
        self.number = number
        _ = fcntl(number, F_SETFL, fcntl(number, F_GETFL) | O_NONBLOCK)
        _ = fcntl(number, F_SETFD, FD_CLOEXEC)
        #if canImport(Darwin)
        var one: Int32 = 1
        _ = unsafe setsockopt(number, SOL_SOCKET, SO_NOSIGPIPE, &one, socklen_t(MemoryLayout<Int32>.size))
        #endif
    }

    deinit {
        close(number)
    }

    /// What came of a call.
    enum Result {
        case count(Int)
        /// Not now.
        case wouldBlock
        /// The peer is gone, or will say no more.
        case ended
    }

    /// Appends what there is, up to `limit` bytes.
    func receive(upTo limit: Int, into bytes: inout [UInt8]) -> Result {
        let start = bytes.count
        bytes.append(contentsOf: repeatElement(0, count: limit))
        // The range was made just above.
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe recv(number, $0.baseAddress! + start, limit, 0) }
        let code = errno
        bytes.removeLast(limit - max(count, 0))
        return Self.result(count, code)
    }

    /// Sends what there is room for.
    func send(_ bytes: ArraySlice<UInt8>) -> Result {
        #if canImport(Darwin)
        let flags: Int32 = 0
        #else
        let flags = Int32(MSG_NOSIGNAL)
        #endif
        let count = unsafe bytes.withUnsafeBytes { unsafe Self.sendBytes(number, $0.baseAddress, $0.count, flags) }
        return count == 0 ? .wouldBlock : Self.result(count, errno)
    }

    private static func sendBytes(_ number: Int32, _ start: UnsafeRawPointer?, _ count: Int, _ flags: Int32) -> Int {
        #if canImport(Glibc)
        unsafe Glibc.send(number, start, count, flags)
        #elseif canImport(Musl)
        unsafe Musl.send(number, start, count, flags)
        #else
        unsafe Darwin.send(number, start, count, flags)
        #endif
    }

    private static func result(_ count: Int, _ code: Int32) -> Result {
        if count > 0 { return .count(count) }
        if count == 0 { return .ended }
        return code == EAGAIN || code == EWOULDBLOCK || code == EINTR ? .wouldBlock : .ended
    }

    /// Says that nothing more will be sent.
    func endOutput() {
        shutdown(number, Int32(SHUT_WR))
    }
}
