/// The head of an HTTP/1 request, as far as a scrape endpoint needs it (RFC 9112).
struct ScrapeRequest: Hashable, Sendable {
    enum Method: Hashable, Sendable {
        case get, head, other
    }

    /// What bytes at the start of a connection's input are.
    enum Outcome: Hashable, Sendable {
        /// The head is not whole yet.
        case incomplete
        /// A request whose head takes `length` bytes.
        case request(ScrapeRequest, length: Int)
        /// No request that can be answered otherwise than with this.
        case invalid(ScrapeResponse.Status)
    }

    /// The most bytes of a head.
    static let maximumLength = 16 << 10

    var method: Method
    /// Without the query.
    var path: String
    /// All `Accept` fields, joined by commas.
    var accept: String?
    /// Whether the client can send another request on the connection.
    var keepsAlive: Bool

    /// Reads the head at the start of `bytes`.
    /// - Parameter scanned: how many bytes are known to hold no end of a head; updated.
    static func parse(_ bytes: [UInt8], scanned: inout Int) -> Outcome {
        // Blank lines before a request are allowed.
        let start = bytes.firstIndex { $0 != 13 && $0 != 10 } ?? bytes.count
        guard let end = end(of: bytes, from: max(start, scanned)) else {
            scanned = max(bytes.count - 3, 0)
            return bytes.count >= maximumLength ? .invalid(.headTooLarge) : .incomplete
        }
        scanned = 0
        if end > maximumLength { return .invalid(.headTooLarge) }
        guard let request = ScrapeRequest(head: bytes[start..<end]) else { return .invalid(.badRequest) }
        return .request(request, length: end)
    }

    /// The index behind the blank line.
    private static func end(of bytes: [UInt8], from start: Int) -> Int? {
        var index = start
        while index < bytes.count {
            if bytes[index] == 10 {
                if index + 1 < bytes.count, bytes[index + 1] == 10 { return index + 2 }
                if index + 2 < bytes.count, bytes[index + 1] == 13, bytes[index + 2] == 10 { return index + 3 }
            }
            index += 1
        }
        return nil
    }

    private init?(head: ArraySlice<UInt8>) {
        // A carriage return elsewhere than before a line feed, and other control characters, are attempts to be read in two ways.
        var lines: [ArraySlice<UInt8>] = []
        for var line in head.split(separator: 10, omittingEmptySubsequences: false) {
            if line.last == 13 { line.removeLast() }
            guard line.allSatisfy({ $0 == 9 || ($0 >= 32 && $0 != 127) }) else { return nil }
            lines.append(line)
        }
        guard let first = lines.first else { return nil }
        let words = first.split(separator: 32, omittingEmptySubsequences: false)
        guard words.count == 3, !words[0].isEmpty, !words[1].isEmpty else { return nil }
        let version = String(decoding: words[2], as: UTF8.self)
        guard version == "HTTP/1.1" || version == "HTTP/1.0" else { return nil }
        switch String(decoding: words[0], as: UTF8.self) {
        case "GET": method = .get
        case "HEAD": method = .head
        default: method = .other
        }
        guard let path = Self.path(String(decoding: words[1], as: UTF8.self)) else { return nil }
        self.path = path
        keepsAlive = version == "HTTP/1.1"
        var hasHost = false
        for line in lines.dropFirst() where !line.isEmpty {
            guard let colon = line.firstIndex(of: 58), colon > line.startIndex, line[..<colon].allSatisfy({ $0 > 32 }) else { return nil }
            let value = String(decoding: Self.trimmed(line[(colon + 1)...]), as: UTF8.self)
            switch String(decoding: line[..<colon], as: UTF8.self).lowercased() {
            case "accept": accept = accept.map { $0 + "," + value } ?? value
            case "host":
                if hasHost { return nil }
                hasHost = true
            case "connection":
                let options = value.lowercased().split(separator: ",").map { $0.filter { $0 != " " && $0 != "\t" } }
                if options.contains("close") { keepsAlive = false } else if options.contains("keep-alive") { keepsAlive = true }
            case "content-length" where value != "0": hasBody = true
            case "transfer-encoding": hasBody = true
            default: break
            }
        }
        guard hasHost || version == "HTTP/1.0" else { return nil }
        // A body is not read, so where the next request would begin is not known.
        if hasBody { keepsAlive = false }
    }

    private var hasBody = false

    /// The path of a target in origin form, or in the absolute form that proxies get.
    private static func path(_ target: String) -> String? {
        var path = target[...]
        if !path.hasPrefix("/") {
            guard path.lowercased().hasPrefix("http://") else { return nil }
            path = path.dropFirst(7)
            path = path.firstIndex { $0 == "/" || $0 == "?" }.map { path[$0...] } ?? "/"
        }
        let withoutQuery = path.prefix { $0 != "?" && $0 != "#" }
        return withoutQuery.isEmpty ? "/" : String(withoutQuery)
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var bytes = bytes
        while let first = bytes.first, first == 32 || first == 9 { bytes.removeFirst() }
        while let last = bytes.last, last == 32 || last == 9 { bytes.removeLast() }
        return bytes
    }
}
