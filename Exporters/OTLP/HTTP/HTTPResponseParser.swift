import OrielTelemetry

/// Reads an answer of HTTP/1 from pieces of any size. What is kept is bounded, whatever comes.
struct HTTPResponseParser {
    /// Bytes of the head, heads of interim answers and trailers included.
    static let headLimit = 64 << 10
    /// Bytes of the body that are kept. A longer one is not read to its end; the connection then must be closed.
    static let bodyLimit = 1 << 20

    private enum State {
        case statusLine
        case headers
        case body(rest: Int)
        case chunkSize
        case chunk(rest: Int)
        case chunkEnd
        case trailers
        case untilEnd
        case done
    }

    private enum Framing {
        case none
        case length(Int)
        case chunked
    }

    private(set) var response = HTTPResponse()
    /// Whether any byte came.
    private(set) var hasBegun = false
    private var state = State.statusLine
    private var line: [UInt8] = []
    private var headBytes = 0
    private var isVersion10 = false
    private var isPersistent: Bool?
    private var framing = Framing.none

    /// Whether the answer is complete.
    var isDone: Bool { if case .done = state { true } else { false } }

    /// Whether the head of the answer is complete, interim answers aside.
    var hasHead: Bool {
        switch state {
        case .statusLine, .headers: false
        default: true
        }
    }

    /// Takes what came next.
    mutating func feed(_ bytes: Span<UInt8>) throws(StreamError) {
        if bytes.count > 0 { hasBegun = true }
        var offset = 0
        while offset < bytes.count {
            switch state {
            case .done:
                // Nobody asked for more.
                response.keepsAlive = false
                return
            case .body(let rest):
                let count = min(rest, bytes.count - offset)
                guard keep(bytes.extracting(offset..<(offset + count))) else { return }
                offset += count
                state = rest == count ? .done : .body(rest: rest - count)
            case .chunk(let rest):
                let count = min(rest, bytes.count - offset)
                guard keep(bytes.extracting(offset..<(offset + count))) else { return }
                offset += count
                state = rest == count ? .chunkEnd : .chunk(rest: rest - count)
            case .untilEnd:
                guard keep(bytes.extracting(offset..<bytes.count)) else { return }
                offset = bytes.count
            case .statusLine, .headers, .chunkSize, .chunkEnd, .trailers:
                let byte = bytes[offset]
                offset += 1
                headBytes += 1
                guard headBytes <= Self.headLimit else { throw fault("the head of the answer has more than \(Self.headLimit) bytes") }
                if byte != UInt8(ascii: "\n") {
                    line.append(byte)
                    if case .statusLine = state, line.count <= Self.start.count { try checkStart() }
                    continue
                }
                if line.last == UInt8(ascii: "\r") { line.removeLast() }
                let text = line
                line.removeAll(keepingCapacity: true)
                try take(text)
            }
        }
    }

    /// Takes the end of the connection. An answer whose head is complete has said what became of the request: what is missing of its body is done without.
    mutating func finish() throws(StreamError) {
        response.keepsAlive = false
        guard !hasHead else {
            state = .done
            return
        }
        throw StreamError(.closed, hasBegun ? "the connection ended within the answer" : "the connection was closed without an answer")
    }

    // MARK: Lines

    private static let start = Array("HTTP/".utf8)

    /// Tells early what is not HTTP, and what it may be.
    private func checkStart() throws(StreamError) {
        guard !Self.start.starts(with: line), line != [UInt8(ascii: "\r")] else { return }
        switch line[0] {
        case 0x15, 0x16: throw fault("the receiver speaks TLS: the endpoint must begin with https")
        // A frame of HTTP/2 begins with its length, which is below 64 KiB at the start of a connection.
        case 0x00: throw fault("the receiver speaks HTTP/2, as gRPC does: OTLP over HTTP mostly has port 4318")
        default: throw fault("what came is no answer of HTTP")
        }
    }

    private mutating func take(_ line: [UInt8]) throws(StreamError) {
        switch state {
        case .statusLine:
            // Some send an empty line after the body before.
            if !line.isEmpty { try takeStatus(line) }
        case .headers: if line.isEmpty { try endHead() } else { try takeHeader(line) }
        case .chunkSize:
            let digits = line.prefix { $0 != UInt8(ascii: ";") && $0 != UInt8(ascii: " ") }
            guard digits.count <= 15, let size = Int(String(decoding: digits, as: UTF8.self), radix: 16), size >= 0 else {
                throw fault("a chunk of the answer has no valid size")
            }
            state = size == 0 ? .trailers : .chunk(rest: size)
        case .chunkEnd:
            guard line.isEmpty else { throw fault("a chunk of the answer is longer than it said") }
            state = .chunkSize
        case .trailers: if line.isEmpty { state = .done }
        case .body, .chunk, .untilEnd, .done: break
        }
    }

    /// `HTTP/1.1 200 OK`
    private mutating func takeStatus(_ line: [UInt8]) throws(StreamError) {
        let parts = line.split(separator: UInt8(ascii: " "), maxSplits: 2)
        guard parts.count >= 2, parts[0].starts(with: Array("HTTP/1.".utf8)), parts[0].count == 8, parts[1].count == 3,
            let status = Int(String(decoding: parts[1], as: UTF8.self)), (100...599).contains(status)
        else { throw fault("the answer has no valid status line") }
        response = HTTPResponse()
        response.status = status
        response.phrase = parts.count > 2 ? String(decoding: parts[2], as: UTF8.self) : ""
        isVersion10 = parts[0].last == UInt8(ascii: "0")
        isPersistent = nil
        framing = .none
        state = .headers
    }

    private mutating func takeHeader(_ line: [UInt8]) throws(StreamError) {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return }
        let name = String(decoding: line[..<colon], as: UTF8.self).lowercased()
        let value = String(decoding: line[(colon + 1)...].trimmed, as: UTF8.self)
        switch name {
        case "content-length":
            if case .chunked = framing { return }
            for part in value.split(separator: ",", omittingEmptySubsequences: false) {
                guard let length = Int(Array(part.utf8)[...].trimmed.decimal), length >= 0 else { throw fault("the answer has no valid Content-Length") }
                if case .length(let known) = framing, known != length { throw fault("the answer has two lengths") }
                framing = .length(length)
            }
        case "transfer-encoding":
            guard value.lowercased() == "chunked" else { throw fault("the answer has the unknown Transfer-Encoding \"\(value.prefix(40))\"") }
            // Both are the mark of somebody who smuggles.
            if case .length = framing { isPersistent = false }
            framing = .chunked
        case "connection":
            for option in value.lowercased().split(separator: ",") {
                switch String(decoding: Array(option.utf8)[...].trimmed, as: UTF8.self) {
                case "close": isPersistent = false
                case "keep-alive": isPersistent = isPersistent ?? true
                default: break
                }
            }
        case "content-type": response.contentType = String(decoding: Array(value.utf8).prefix { $0 != UInt8(ascii: ";") }.trimmed, as: UTF8.self).lowercased()
        case "retry-after": response.retryAfter = value
        case "date": response.date = value
        case "location": response.location = value
        default: break
        }
    }

    private mutating func endHead() throws(StreamError) {
        response.keepsAlive = isPersistent ?? !isVersion10
        switch (response.status, framing) {
        case (101, _): throw fault("the receiver wants to speak another protocol")
        case (100..<200, _): state = .statusLine
        case (204, _), (304, _), (_, .length(0)): state = .done
        case (_, .length(let length)): state = .body(rest: length)
        case (_, .chunked): state = .chunkSize
        case (_, .none):
            response.keepsAlive = false
            state = .untilEnd
        }
    }

    // MARK: Body

    /// - Returns: whether there is room for more.
    private mutating func keep(_ bytes: Span<UInt8>) -> Bool {
        let room = Self.bodyLimit - response.body.count
        response.body.append(bytes.extracting(0..<min(room, bytes.count)))
        if bytes.count <= room { return true }
        response.keepsAlive = false
        state = .done
        return false
    }

    private func fault(_ reason: String) -> StreamError { StreamError(.protocolViolation, reason) }
}

extension ArraySlice<UInt8> {
    /// Without spaces and tabs at its ends.
    fileprivate var trimmed: ArraySlice<UInt8> {
        func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        var slice = drop(while: isBlank)
        while let last = slice.last, isBlank(last) { slice.removeLast() }
        return slice
    }

    /// The text if it is of digits only, else one that is no number.
    fileprivate var decimal: String {
        allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ? String(decoding: self, as: UTF8.self) : ""
    }
}
