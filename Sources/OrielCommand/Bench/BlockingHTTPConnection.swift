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
    private var socket: BlockingSocket
    private var received: [UInt8] = []
    private var position = 0
    private var chunk = [UInt8](repeating: 0, count: 64 << 10)

    /// Connects.
    ///
    /// - Throws: ``LoadError`` when the host is unknown or refuses.
    init(_ endpoint: LoadEndpoint) throws(LoadError) {
        self.endpoint = endpoint
        socket = try BlockingSocket(endpoint)
    }

    /// Sends a request and waits for its response.
    mutating func send(method: String, path: String, headers: [(String, String)] = [], body: [UInt8] = []) throws(LoadError) -> Response {
        var head = "\(method) \(endpoint.basePath)\(path) HTTP/1.1\r\nhost: \(endpoint.authority)\r\nuser-agent: oriel-bench\r\n"
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        if method != "GET" { head += "content-length: \(body.count)\r\n" }
        head += "\r\n"
        try socket.write(Array(head.utf8))
        try socket.write(body)
        return try readResponse()
    }

    /// Reads more bytes; the connection's end is an error.
    private mutating func fill() throws(LoadError) {
        if position > 0 {
            received.removeFirst(position)
            position = 0
        }
        let count = try socket.read(into: &chunk)
        received.append(contentsOf: chunk[..<count])
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
            socket = try BlockingSocket(endpoint)
            received.removeAll()
            position = 0
        }
    }
}
