import OrielOTLP
import OrielTelemetry

/// The head of requests to one endpoint, rendered once but for what differs from one to the next.
struct HTTPRequestHead: Sendable {
    /// What this exporter says itself. Other values would make requests that nobody understands.
    private static let reserved: Set<String> = [
        "content-length", "content-type", "content-encoding", "transfer-encoding", "connection", "expect", "te", "upgrade",
    ]

    private let fixed: [UInt8]

    init(_ endpoint: OTLPEndpoint, headers: [OTLPExporter.Header]) throws(OTLPExporterError) {
        var names: Set<String> = []
        var text = "POST \(endpoint.target) HTTP/1.1\r\n"
        for header in headers {
            try Self.check(header)
            let name = header.name.lowercased()
            text += "\(header.name): \(header.value)\r\n"
            names.insert(name)
        }
        if !names.contains("host") { text += "Host: \(endpoint.authority)\r\n" }
        if !names.contains("user-agent") { text += "User-Agent: oriel-swift/\(OrielVersion.text)\r\n" }
        text += "Content-Type: \(OTLPFormat.protobuf.mediaType)\r\n"
        fixed = Array(text.utf8)
    }

    func bytes(length: Int, isCompressed: Bool) -> [UInt8] {
        fixed + Array("\(isCompressed ? "Content-Encoding: gzip\r\n" : "")Content-Length: \(length)\r\n\r\n".utf8)
    }

    /// Finds out whether a header can be sent. The reason tells nothing of its value, nor of a name that is none: both may be a secret.
    static func check(_ header: OTLPExporter.Header) throws(OTLPExporterError) {
        let marks = Set("!#$%&'*+-.^_`|~".utf8)
        let isToken = header.name.utf8.allSatisfy { byte in
            marks.contains(byte) || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20 && byte & 0x40 != 0
        }
        guard isToken, !header.name.isEmpty else {
            throw .invalidHeader(header.name, reason: "a name is made of letters, digits and -; a right one is X-Scope-OrgID")
        }
        // The value may be a secret, so it is not told.
        guard header.value.utf8.allSatisfy({ $0 == 0x09 || ($0 >= 0x20 && $0 != 0x7F) }) else {
            throw .invalidHeader(header.name, reason: "its value holds a line break or another control character")
        }
        let name = header.name.lowercased()
        guard !reserved.contains(name) else { throw .invalidHeader(header.name, reason: "\(name) follows from the request and cannot be set") }
    }
}
