import OrielTelemetry

/// A request's path and query, decoded.
struct RequestTarget: Sendable {
    /// Decoded path segments, without empty ones.
    var segments: [String]
    /// Names and values in order.
    var parameters: [(name: String, value: String)]

    /// Parameters that one request may have.
    static let maximumParameters = 200

    /// Reads an origin-form target such as `/api/oriel/v1/logs?since=1h`. `+` in the query is a space.
    init(_ target: String) throws(APIError) {
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        segments = []
        for segment in (parts.first ?? "").split(separator: "/") {
            segments.append(try RequestTarget.decode(segment, plusIsSpace: false))
        }
        parameters = []
        guard parts.count == 2 else { return }
        for pair in parts[1].split(separator: "&") {
            guard parameters.count < RequestTarget.maximumParameters else {
                throw APIError(status: 400, "more than \(RequestTarget.maximumParameters) query parameters")
            }
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let value = sides.count == 2 ? sides[1] : ""
            parameters.append(
                (try RequestTarget.decode(sides[0], plusIsSpace: true), try RequestTarget.decode(value, plusIsSpace: true)))
        }
    }

    private static func decode(_ text: Substring, plusIsSpace: Bool) throws(APIError) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        var source = text.utf8.makeIterator()
        while let byte = source.next() {
            switch byte {
            case UInt8(ascii: "+") where plusIsSpace: bytes.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                guard let high = source.next().flatMap(Hexadecimal.nibble), let low = source.next().flatMap(Hexadecimal.nibble) else {
                    throw APIError(status: 400, "\"\(text.prefix(100))\" is not percent-encoded: \"%\" needs two hexadecimal digits behind it")
                }
                bytes.append(high << 4 | low)
            default: bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
