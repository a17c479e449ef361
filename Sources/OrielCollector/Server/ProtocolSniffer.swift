/// Tells the protocol of a connection from its first bytes.
enum SniffedProtocol: Equatable, Sendable {
    case http1
    /// HTTP/2 with prior knowledge: h2c and gRPC.
    case http2
    /// A TLS record that starts a handshake.
    case tls
    case unknown

    /// The client connection preface of HTTP/2 (RFC 9113, section 3.4).
    static let http2Preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    /// The protocol that the bytes belong to, or nil if more are needed.
    static func classify(_ bytes: some Collection<UInt8>) -> SniffedProtocol? {
        guard let first = bytes.first else { return nil }
        if first == 0x16 {
            guard bytes.count >= 2 else { return nil }
            return bytes[bytes.index(after: bytes.startIndex)] == 0x03 ? .tls : .unknown
        }
        if bytes.count <= http2Preface.count, zip(bytes, http2Preface).allSatisfy(==) {
            return bytes.count == http2Preface.count ? .http2 : nil
        }
        if bytes.starts(with: http2Preface) { return .http2 }
        // A method is a token (RFC 9110, 9.1); every registered one starts with a capital letter. Line ends before it are tolerated.
        let isMethodStart = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(first) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(first)
        return isMethodStart || first == 0x0D || first == 0x0A ? .http1 : .unknown
    }
}
