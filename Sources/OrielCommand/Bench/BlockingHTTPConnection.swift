import Glibc
import OrielTelemetry

/// One HTTP/1.1 connection that is kept open and answers in order, on blocking calls: the cheapest client that a load generator can have.
struct BlockingHTTPConnection: ~Copyable {
    /// A response with its whole body.
    struct Response {
        var status = 0
        var body: [UInt8] = []
        /// Seconds, when the server asks to wait.
        var retryAfter: Int?
    }

    /// No answer of the bench is larger than this.
    static let maximumBody = 256 << 20

    private let endpoint: LoadEndpoint
    private var descriptor: Int32
    private var received: [UInt8] = []
    private var position = 0
    private var chunk = [UInt8](repeating: 0, count: 64 << 10)

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

    /// Sends a request and waits for its response.
    mutating func send(method: String, path: String, headers: [(String, String)] = [], body: [UInt8] = []) throws(LoadError) -> Response {
        var head = "\(method) \(endpoint.basePath)\(path) HTTP/1.1\r\nhost: \(endpoint.authority)\r\nuser-agent: oriel-bench\r\n"
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        if method != "GET" { head += "content-length: \(body.count)\r\n" }
        head += "\r\n"
        try write(Array(head.utf8))
        try write(body)
        return try readResponse()
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

    private func write(_ bytes: [UInt8]) throws(LoadError) {
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

    /// Reads more bytes; the connection's end is an error.
    private mutating func fill() throws(LoadError) {
        if position > 0 {
            received.removeFirst(position)
            position = 0
        }
        while true {
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else {
                throw LoadError(
                    count == 0 ? "the server closed the connection before it answered" : "the connection to \(endpoint) broke: \(errorText(errno))")
            }
            received.append(contentsOf: chunk[..<count])
            return
        }
    }

    private mutating func readLine() throws(LoadError) -> String {
        var scanned = position
        while true {
            if let end = received[scanned...].firstIndex(of: UInt8(ascii: "\n")) {
                var line = received[position..<end]
                position = end + 1
                if line.last == UInt8(ascii: "\r") { line.removeLast() }
                return String(decoding: line, as: UTF8.self)
            }
            scanned = received.count - position
            guard scanned < 64 << 10 else { throw LoadError("the server sent a header line of more than 64 KiB") }
            try fill()
        }
    }

    private mutating func readBytes(_ count: Int, into body: inout [UInt8]) throws(LoadError) {
        guard count <= Self.maximumBody - body.count else { throw LoadError("the server sent a body of more than \(Self.maximumBody) bytes") }
        var left = count
        while left > 0 {
            if position == received.count { try fill() }
            let taken = min(left, received.count - position)
            body.append(contentsOf: received[position..<position + taken])
            position += taken
            left -= taken
        }
    }

    private mutating func readResponse() throws(LoadError) -> Response {
        var response = Response()
        repeat {
            let line = try readLine()
            guard line.hasPrefix("HTTP/1.1 "), let status = Int(line.dropFirst(9).prefix(3)) else {
                throw LoadError("the server does not speak HTTP/1.1: \"\(line.prefix(60))\"")
            }
            response.status = status
            try readFields(&response)
        } while response.status == 100
        return response
    }

    private mutating func readFields(_ response: inout Response) throws(LoadError) {
        var length: Int?
        var isChunked = false
        var closes = false
        while true {
            let line = try readLine()
            if line.isEmpty { break }
            guard let colon = line.firstIndex(of: ":") else { continue }
            let name = line[..<colon].lowercased()
            let value = String(line[line.index(after: colon)...].drop { $0 == " " })
            switch name {
            case "content-length": length = Int(value)
            case "transfer-encoding": isChunked = value.lowercased().hasSuffix("chunked")
            case "retry-after": response.retryAfter = Int(value)
            case "connection": closes = value.lowercased() == "close"
            default: break
            }
        }
        if response.status == 100 || response.status == 204 { return }
        if isChunked {
            while true {
                guard let size = Int(try readLine().prefix { $0 != ";" }, radix: 16), size >= 0 else { throw LoadError("the server sent a broken chunk") }
                if size > 0 { try readBytes(size, into: &response.body) }
                _ = try readLine()
                if size == 0 { break }
            }
        } else {
            guard let length, length >= 0 else { throw LoadError("the server sent neither a length nor chunks") }
            try readBytes(length, into: &response.body)
        }
        if closes {
            close(descriptor)
            descriptor = -1
            descriptor = try Self.connect(endpoint)
            received.removeAll()
            position = 0
        }
    }
}

/// What the system says about an error number.
func errorText(_ number: Int32) -> String {
    // Safe: `strerror` returns a string that lives until the next call on this thread.
    unsafe String(cString: strerror(number))
}
