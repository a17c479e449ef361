import OrielClient
import OrielTelemetry

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// A connected stream socket that never blocks. All calls to the system for it are in this file; pointers are used within a call only.
final class Socket: Sendable {
    /// The longest sleep: the wall clock, which deadlines are by, may be set or jump meanwhile.
    static let longestWait: Duration = .milliseconds(100)
    /// Beyond it a sleep was not one of this thread alone.
    private static let stoppedTime: Int64 = 2_000_000_000

    private let descriptor: Int32

    private init(_ descriptor: Int32) {
        self.descriptor = descriptor
    }

    deinit {
        close(descriptor)
    }

    /// Connects to one address.
    static func connect(_ address: SocketAddress, until deadline: Deadline) throws(StreamError) -> Socket {
        #if canImport(Glibc)
        let type = Int32(SOCK_STREAM.rawValue)
        #else
        let type = SOCK_STREAM
        #endif
        #if canImport(Darwin)
        let descriptor = socket(address.family, type, 0)
        #else
        let descriptor = socket(address.family, type | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        #endif
        guard descriptor >= 0 else { throw StreamError(.unreachable, "no socket can be made: \(errorText(errno))") }
        let socket = Socket(descriptor)
        #if canImport(Darwin)
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        socket.set(SOL_SOCKET, SO_NOSIGPIPE)
        #endif
        // Requests are written in whole; the last piece must not wait for an acknowledgement.
        if address.family != AF_UNIX { socket.set(Int32(IPPROTO_TCP), TCP_NODELAY) }
        let result = unsafe address.bytes.withUnsafeBytes { bytes in
            // The bytes are those of a socket address, which the system reads according to its family; arrays of bytes are aligned well enough for it.
            unsafe startConnecting(descriptor, bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
        }
        if result != 0 {
            let number = errno
            guard number == EINPROGRESS || number == EINTR else { throw failure(number, address) }
            do throws(StreamError) {
                _ = try socket.wait(reading: false, writing: true, until: deadline)
            } catch {
                throw error.kind == .timeout ? .timeout("no connection to \(address.text)") : error
            }
            var status: Int32 = 0
            var length = socklen_t(MemoryLayout<Int32>.size)
            _ = unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &status, &length)
            if status != 0 { throw failure(status, address) }
        }
        return socket
    }

    private static func failure(_ number: Int32, _ address: SocketAddress) -> StreamError {
        StreamError(.unreachable, "no connection to \(address.text): \(errorText(number))")
    }

    private func set(_ level: Int32, _ option: Int32) {
        var on: Int32 = 1
        // A refusal only costs time.
        _ = unsafe setsockopt(descriptor, level, option, &on, socklen_t(MemoryLayout<Int32>.size))
    }

    /// - Returns: how many bytes were taken, 0 when there is no room now.
    func send(_ bytes: Span<UInt8>) throws(StreamError) -> Int {
        #if canImport(Darwin)
        let flags: Int32 = 0
        #else
        let flags = Int32(MSG_NOSIGNAL)
        #endif
        while true {
            let count = unsafe bytes.withUnsafeBytes { unsafe Self.send(descriptor, $0, flags) }
            if count >= 0 { return count }
            switch errno {
            case EINTR: continue
            case EAGAIN, EWOULDBLOCK, ENOBUFS: return 0
            default: throw StreamError(.closed, "the connection broke while sending: \(errorText(errno))")
            }
        }
    }

    func receive(into buffer: inout [UInt8]) throws(StreamError) -> StreamReading {
        while true {
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe recv(descriptor, $0.baseAddress, $0.count, 0) }
            if count > 0 { return .bytes(count) }
            if count == 0 { return .end }
            switch errno {
            case EINTR: continue
            case EAGAIN, EWOULDBLOCK: return .nothingYet
            default: throw StreamError(.closed, "the connection broke: \(errorText(errno))")
            }
        }
    }

    /// - Returns: whether bytes may be read. A broken connection counts as one that may: reading tells.
    func wait(reading: Bool, writing: Bool, until deadline: Deadline) throws(StreamError) -> Bool {
        while true {
            guard let rest = deadline.rest else { throw .timeout(reading && !writing ? "no answer came" : "the request could not be sent") }
            let events = Int16((reading ? POLLIN : 0) | (writing ? POLLOUT : 0))
            let (wall, steady) = (Timestamp.now, ContinuousClock.now)
            let found = poll(events, milliseconds: Int32((min(rest, Self.longestWait).nanoseconds + 999_999) / 1_000_000))
            if found != 0 { return Int32(found) & ~POLLOUT != 0 }
            let slept = max(Timestamp.now.nanoseconds.subtractingSaturating(wall.nanoseconds), steady.duration(to: .now).nanoseconds)
            if slept > Self.stoppedTime { throw StreamError(.stopped, "the process was stopped while it waited") }
        }
    }

    /// Whether there is something to read, be it the end.
    var isReadable: Bool { poll(Int16(POLLIN), milliseconds: 0) != 0 }

    private func poll(_ events: Int16, milliseconds: Int32) -> Int16 {
        var entry = pollfd(fd: descriptor, events: events, revents: 0)
        // An interrupted wait is one that found nothing yet.
        return unsafe Self.poll(&entry, milliseconds) > 0 ? entry.revents : 0
    }

    // Names that the methods above hide.

    private static func startConnecting(_ descriptor: Int32, _ address: UnsafePointer<sockaddr>?, _ length: socklen_t) -> Int32 {
        #if canImport(Darwin)
        unsafe Darwin.connect(descriptor, address, length)
        #elseif canImport(Musl)
        unsafe Musl.connect(descriptor, address, length)
        #else
        unsafe Glibc.connect(descriptor, address, length)
        #endif
    }

    private static func send(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, _ flags: Int32) -> Int {
        #if canImport(Darwin)
        unsafe Darwin.send(descriptor, bytes.baseAddress, bytes.count, flags)
        #elseif canImport(Musl)
        unsafe Musl.send(descriptor, bytes.baseAddress, bytes.count, flags)
        #else
        unsafe Glibc.send(descriptor, bytes.baseAddress, bytes.count, flags)
        #endif
    }

    private static func poll(_ entry: UnsafeMutablePointer<pollfd>, _ milliseconds: Int32) -> Int32 {
        #if canImport(Darwin)
        unsafe Darwin.poll(entry, 1, milliseconds)
        #elseif canImport(Musl)
        unsafe Musl.poll(entry, 1, milliseconds)
        #else
        unsafe Glibc.poll(entry, 1, milliseconds)
        #endif
    }
}

/// What the system says about an error number.
private func errorText(_ number: Int32) -> String {
    guard let text = unsafe strerror(number) else { return "error \(number)" }
    // The text stays valid until the next call on this thread.
    return unsafe String(cString: text)
}
