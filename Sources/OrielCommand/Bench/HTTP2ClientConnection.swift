import NIOCore
import NIOHPACK

/// The client's side of an HTTP/2 connection (RFC 9113) on blocking calls, with one request at a time: as cheap as its HTTP/1.1 sibling.
struct HTTP2ClientConnection: ~Copyable {
    /// A response, with trailers after headers.
    struct Response {
        fileprivate(set) var fields: [(name: String, value: String)] = []
        fileprivate(set) var body: [UInt8] = []
        fileprivate var isComplete = false

        /// The last value of a header or trailer.
        func value(of name: String) -> String? { fields.last { $0.name == name }?.value }
    }

    private enum Kind {
        static let data: UInt8 = 0
        static let headers: UInt8 = 1
        static let resetStream: UInt8 = 3
        static let settings: UInt8 = 4
        static let ping: UInt8 = 6
        static let goAway: UInt8 = 7
        static let windowUpdate: UInt8 = 8
        static let continuation: UInt8 = 9
    }

    private enum Flag {
        /// Of DATA and HEADERS.
        static let endStream: UInt8 = 1
        /// Of SETTINGS and PING.
        static let acknowledge: UInt8 = 1
        static let endHeaders: UInt8 = 4
        static let padded: UInt8 = 8
        static let priority: UInt8 = 32
    }

    private struct Frame {
        var kind: UInt8
        var flags: UInt8
        var stream: UInt32
        var payload: [UInt8]
    }

    /// What we take in of one response; it fits the window that we give.
    private static let maximumBody = 1 << 20
    private static let maximumHeaders = 256 << 10
    /// Our own limit for frames, the smallest that the protocol knows.
    private static let maximumFrame = 16 << 10
    /// Frames are gathered up to this size, so that there are few calls of the system.
    private static let flushSize = 256 << 10
    private static let connectionWindow = 1 << 30

    private let endpoint: LoadEndpoint
    private let socket: BlockingSocket
    private var received: [UInt8] = []
    private var position = 0
    private var chunk = [UInt8](repeating: 0, count: 64 << 10)
    private var outgoing: [UInt8] = []
    private var decoder = HPACKDecoder(allocator: ByteBufferAllocator())

    private var nextStream: UInt32 = 1
    /// What the server lets us send, in bytes: on the connection, on the present stream, and on a new one.
    private var window = 65_535
    private var streamWindow = 65_535
    private var initialWindow = 65_535
    private var peerFrame = 16 << 10
    /// Bytes of responses that the server does not know yet that we have taken them in.
    private var unacknowledged = 0
    /// The last stream that a closing server still answers.
    private var lastStream: UInt32?

    /// Connects and introduces itself.
    ///
    /// - Throws: ``LoadError`` when the host is unknown or refuses.
    init(_ endpoint: LoadEndpoint) throws(LoadError) {
        self.endpoint = endpoint
        socket = try BlockingSocket(endpoint)
        outgoing = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
        var settings: [UInt8] = []
        // No pushes (2), and room for a whole response (4).
        for (identifier, value) in [(UInt16(2), UInt32(0)), (4, UInt32(Self.maximumBody))] {
            settings.append(contentsOf: [UInt8(identifier >> 8), UInt8(identifier & 0xFF)])
            settings.append(bigEndian: value)
        }
        outgoing.appendFrame(Kind.settings, flags: 0, stream: 0, settings[...])
        outgoing.appendWindowUpdate(Self.connectionWindow)
    }

    /// Encodes header fields without reference to earlier ones, so that the bytes serve any number of requests.
    static func encode(_ fields: [(String, String)]) throws(LoadError) -> [UInt8] {
        do {
            var encoder = HPACKEncoder(allocator: ByteBufferAllocator())
            try encoder.beginEncoding(allocator: ByteBufferAllocator())
            for (name, value) in fields { try encoder.appendNonIndexed(header: name, value: value) }
            return Array(try encoder.endEncoding().readableBytesView)
        } catch {
            throw LoadError("the header fields cannot be encoded: \(error)")
        }
    }

    /// Sends a request whose content is `prefix` and `body`, and waits for its response.
    ///
    /// - Parameter head: Fields by ``encode(_:)``.
    /// - Returns: `nil` when the server certainly did not look at the request, so that it may be sent again.
    mutating func send(head: [UInt8], prefix: [UInt8], body: [UInt8]) throws(LoadError) -> Response? {
        if lastStream != nil || nextStream > 1 << 30 { self = try HTTP2ClientConnection(endpoint) }
        let stream = nextStream
        nextStream += 2
        streamWindow = initialWindow
        var response = Response()
        outgoing.appendFrame(Kind.headers, flags: Flag.endHeaders, stream: stream, head[...])
        let total = prefix.count + body.count
        var offset = 0
        while offset < total && !response.isComplete {
            let count = min(total - offset, peerFrame, window, streamWindow)
            guard count > 0 else {
                guard try readFrame(of: stream, into: &response) else { return nil }
                continue
            }
            outgoing.appendFrameHead(Kind.data, flags: offset + count == total ? Flag.endStream : 0, stream: stream, count: count)
            let end = offset + count
            if offset < prefix.count { outgoing.append(contentsOf: prefix[offset..<min(end, prefix.count)]) }
            if end > prefix.count { outgoing.append(contentsOf: body[max(0, offset - prefix.count)..<end - prefix.count]) }
            offset = end
            window -= count
            streamWindow -= count
            if outgoing.count >= Self.flushSize { try flush() }
        }
        while !response.isComplete {
            guard try readFrame(of: stream, into: &response) else { return nil }
        }
        if offset < total {
            // Answered before all was sent. Error 8: cancelled.
            outgoing.appendFrameHead(Kind.resetStream, flags: 0, stream: stream, count: 4)
            outgoing.append(bigEndian: 8)
        }
        return response
    }

    private mutating func flush() throws(LoadError) {
        guard !outgoing.isEmpty else { return }
        try socket.write(outgoing)
        outgoing.removeAll(keepingCapacity: true)
    }

    /// Reads and heeds one frame.
    ///
    /// - Returns: Whether a response can still come.
    private mutating func readFrame(of stream: UInt32, into response: inout Response) throws(LoadError) -> Bool {
        try flush()
        var frame = try nextFrame()
        switch frame.kind {
        case Kind.data:
            unacknowledged += frame.payload.count
            if unacknowledged > Self.connectionWindow / 2 {
                outgoing.appendWindowUpdate(unacknowledged)
                unacknowledged = 0
            }
            guard frame.stream == stream else { return true }
            try Self.removePadding(&frame)
            guard response.body.count + frame.payload.count <= Self.maximumBody else {
                throw LoadError("the server sent a body of more than \(Self.maximumBody) bytes")
            }
            response.body.append(contentsOf: frame.payload)
            if frame.flags & Flag.endStream != 0 { response.isComplete = true }
        case Kind.headers:
            let fields = try readFields(&frame)
            guard frame.stream == stream else { return true }
            response.fields.append(contentsOf: fields)
            if frame.flags & Flag.endStream != 0 { response.isComplete = true }
        case Kind.resetStream:
            guard frame.stream == stream, !response.isComplete else { return true }
            let code = try Self.number(frame.payload, at: 0)
            // REFUSED_STREAM.
            if code == 7 { return false }
            throw LoadError("the server ended the request with HTTP/2 error \(code)")
        case Kind.settings:
            if frame.flags & Flag.acknowledge == 0 { try heed(settings: frame.payload) }
        case Kind.ping:
            if frame.flags & Flag.acknowledge == 0 {
                outgoing.appendFrame(Kind.ping, flags: Flag.acknowledge, stream: 0, frame.payload[...])
            }
        case Kind.goAway:
            let last = try Self.number(frame.payload, at: 0) & 0x7FFF_FFFF
            lastStream = last
            if last < stream { return false }
        case Kind.windowUpdate:
            let increment = Int(try Self.number(frame.payload, at: 0) & 0x7FFF_FFFF)
            if frame.stream == 0 { window += increment } else if frame.stream == stream { streamWindow += increment }
        default:
            // Unknown frames are to be ignored.
            break
        }
        return true
    }

    private mutating func heed(settings: [UInt8]) throws(LoadError) {
        guard settings.count % 6 == 0 else { throw LoadError("the server sent broken HTTP/2 settings") }
        for start in stride(from: 0, to: settings.count, by: 6) {
            let value = Int(try Self.number(settings, at: start + 2))
            switch Int(settings[start]) << 8 | Int(settings[start + 1]) {
            case 4:
                // Also the open stream's window changes, by the difference.
                streamWindow += value - initialWindow
                initialWindow = value
            case 5: peerFrame = min(max(value, 16 << 10), Self.flushSize)
            default: break
            }
        }
        outgoing.appendFrame(Kind.settings, flags: Flag.acknowledge, stream: 0, [])
    }

    /// The fields of a HEADERS frame with the CONTINUATION frames after it.
    private mutating func readFields(_ frame: inout Frame) throws(LoadError) -> [(name: String, value: String)] {
        try Self.removePadding(&frame)
        if frame.flags & Flag.priority != 0 {
            guard frame.payload.count >= 5 else { throw LoadError("the server sent broken HTTP/2 headers") }
            frame.payload.removeFirst(5)
        }
        var block = frame.payload
        var flags = frame.flags
        while flags & Flag.endHeaders == 0 {
            let next = try nextFrame()
            guard next.kind == Kind.continuation, next.stream == frame.stream, block.count + next.payload.count <= Self.maximumHeaders else {
                throw LoadError("the server sent broken HTTP/2 headers")
            }
            block.append(contentsOf: next.payload)
            flags = next.flags
        }
        var buffer = ByteBuffer(bytes: block)
        do {
            return try decoder.decodeHeaders(from: &buffer).map { ($0.name, $0.value) }
        } catch {
            throw LoadError("the server sent HTTP/2 headers that cannot be decoded: \(error)")
        }
    }

    private static func removePadding(_ frame: inout Frame) throws(LoadError) {
        guard frame.flags & Flag.padded != 0 else { return }
        guard let padding = frame.payload.first, Int(padding) < frame.payload.count else { throw LoadError("the server sent a broken HTTP/2 frame") }
        frame.payload.removeLast(Int(padding))
        frame.payload.removeFirst()
    }

    private mutating func nextFrame() throws(LoadError) -> Frame {
        try fill(9)
        let length = Int(received[position]) << 16 | Int(received[position + 1]) << 8 | Int(received[position + 2])
        guard length <= Self.maximumFrame else { throw LoadError("the server does not speak HTTP/2 without TLS, or sent too large a frame") }
        let kind = received[position + 3]
        let flags = received[position + 4]
        let stream = try Self.number(received, at: position + 5) & 0x7FFF_FFFF
        position += 9
        try fill(length)
        let payload = Array(received[position..<position + length])
        position += length
        return Frame(kind: kind, flags: flags, stream: stream, payload: payload)
    }

    /// Reads until so many bytes are there.
    private mutating func fill(_ count: Int) throws(LoadError) {
        guard received.count - position < count else { return }
        received.removeFirst(position)
        position = 0
        while received.count < count {
            let more = try socket.read(into: &chunk)
            received.append(contentsOf: chunk[..<more])
        }
    }

    private static func number(_ bytes: [UInt8], at offset: Int) throws(LoadError) -> UInt32 {
        guard bytes.count >= offset + 4 else { throw LoadError("the server sent a broken HTTP/2 frame") }
        return bytes[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }
}

extension [UInt8] {
    fileprivate mutating func append(bigEndian value: UInt32) {
        for shift: UInt32 in [24, 16, 8, 0] { append(UInt8(truncatingIfNeeded: value >> shift)) }
    }

    /// The nine bytes before a frame's payload: length, type, flags, stream.
    fileprivate mutating func appendFrameHead(_ kind: UInt8, flags: UInt8, stream: UInt32, count: Int) {
        for shift in [16, 8, 0] { append(UInt8(truncatingIfNeeded: count >> shift)) }
        append(kind)
        append(flags)
        append(bigEndian: stream)
    }

    fileprivate mutating func appendFrame(_ kind: UInt8, flags: UInt8, stream: UInt32, _ payload: ArraySlice<UInt8>) {
        appendFrameHead(kind, flags: flags, stream: stream, count: payload.count)
        append(contentsOf: payload)
    }

    /// Lets the server send so many bytes more on the connection.
    fileprivate mutating func appendWindowUpdate(_ increment: Int) {
        appendFrameHead(8, flags: 0, stream: 0, count: 4)
        append(bigEndian: UInt32(increment))
    }
}
