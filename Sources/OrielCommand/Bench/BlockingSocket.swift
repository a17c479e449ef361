import Glibc

/// A TCP connection on blocking calls.
struct BlockingSocket: ~Copyable {
    private let endpoint: LoadEndpoint
    private let descriptor: Int32

    /// Connects.
    ///
    /// - Throws: ``LoadError`` when the host is unknown or refuses.
    init(_ endpoint: LoadEndpoint) throws(LoadError) {
        self.endpoint = endpoint
        descriptor = try Self.connect(endpoint)
    }

    deinit {
        close(descriptor)
    }

    /// Sends all bytes.
    func write(_ bytes: [UInt8]) throws(LoadError) {
        var offset = 0
        while offset < bytes.count {
            // Safe: the pointer is used within the call, for the bytes that are left.
            let count = unsafe bytes.withUnsafeBytes { unsafe Glibc.send(descriptor, $0.baseAddress! + offset, bytes.count - offset, Int32(MSG_NOSIGNAL)) }
            if count < 0 {
                if errno == EINTR { continue }
                throw LoadError("the connection to \(endpoint) broke while sending: \(errorText(errno))")
            }
            offset += count
        }
    }

    /// Waits for bytes and puts as many as there are into `chunk`, which must not be empty.
    ///
    /// - Returns: How many bytes came.
    /// - Throws: ``LoadError`` when the connection breaks or ends.
    func read(into chunk: inout [UInt8]) throws(LoadError) -> Int {
        while true {
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count > 0 { return count }
            if count < 0 && errno == EINTR { continue }
            throw LoadError(
                count == 0 ? "the server closed the connection before it answered" : "the connection to \(endpoint) broke: \(errorText(errno))")
        }
    }

    private static func connect(_ endpoint: LoadEndpoint) throws(LoadError) -> Int32 {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = unsafe getaddrinfo(endpoint.host, String(endpoint.port), &hints, &list)
        guard code == 0 else { throw LoadError("the host \(endpoint.host) is not known") }
        defer { unsafe freeaddrinfo(list) }
        var failure: Int32 = 0
        var next = unsafe list
        while let address = unsafe next {
            let info = unsafe address.pointee
            unsafe next = info.ai_next
            let descriptor = unsafe socket(info.ai_family, info.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), info.ai_protocol)
            guard descriptor >= 0 else { continue }
            if unsafe Glibc.connect(descriptor, info.ai_addr, info.ai_addrlen) == 0 {
                var on: Int32 = 1
                unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
                return descriptor
            }
            failure = errno
            close(descriptor)
        }
        throw LoadError("no connection to \(endpoint): \(errorText(failure))")
    }
}

/// What the system says about an error number.
func errorText(_ number: Int32) -> String {
    // Safe: `strerror` returns a string that lives until the next call on this thread.
    unsafe String(cString: strerror(number))
}
