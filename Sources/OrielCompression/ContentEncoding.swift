/// A compression that HTTP's `Content-Encoding` or gRPC's `grpc-encoding` can name.
public enum ContentEncoding: String, Sendable, Hashable, CaseIterable {
    /// No compression.
    case identity
    /// RFC 1952, of one or several members.
    case gzip
    /// Deflate in zlib's wrapper (RFC 1950). Clients send deflate without it under this name as well, and both are read.
    case deflate
    /// RFC 8878.
    case zstd
    /// Snappy's block format, as Prometheus' remote write sends it. Clients send the framed format under this name as well, OpenTelemetry
    /// collectors among them, and both are read: no valid block begins as a stream of frames does.
    case snappy
    /// Snappy's framed format.
    case snappyFramed = "x-snappy-framed"

    /// The encodings that one header may stack. More than one is rare already.
    private static let maximumStacked = 3

    /// The encoding that a single name means; case and surrounding blanks do not matter, `x-gzip` is `gzip`, and an empty name is
    /// ``identity``.
    /// - Throws: ``CompressionError/unsupported(name:)``.
    public init(name: some StringProtocol) throws(CompressionError) {
        let trimmed = name.drop(while: Self.isBlank)
        let end = trimmed.lastIndex { !Self.isBlank($0) }.map { trimmed.index(after: $0) } ?? trimmed.startIndex
        let name = trimmed[..<end].lowercased()
        switch name {
        case "": self = .identity
        case "x-gzip": self = .gzip
        default:
            guard let encoding = ContentEncoding(rawValue: name) else {
                throw .unsupported(name: "content encoding \"\(name.prefix(64))\" (supported: \(Self.supportedNames))")
            }
            self = encoding
        }
    }

    /// The encodings that the value of a `Content-Encoding` header lists, in the order in which they were applied and without ``identity``:
    /// decompress from the last to the first.
    /// - Throws: ``CompressionError/unsupported(name:)`` for an unknown name or a long list.
    public static func list(headerValue: some StringProtocol) throws(CompressionError) -> [ContentEncoding] {
        var list: [ContentEncoding] = []
        for name in headerValue.split(separator: ",") {
            let encoding = try ContentEncoding(name: name)
            guard encoding != .identity else { continue }
            guard list.count < maximumStacked else { throw .unsupported(name: "a stack of more than \(maximumStacked) content encodings") }
            list.append(encoding)
        }
        return list
    }

    /// All names, as an `Accept-Encoding` or `grpc-accept-encoding` header lists them.
    public static let supportedNames = allCases.map(\.rawValue).joined(separator: ", ")

    private static func isBlank(_ character: Character) -> Bool { character == " " || character == "\t" }
}

extension ContentEncoding {
    /// The encoding for an answer to a request with this `Accept-Encoding` header: the one of `offered` that it likes best, among equals the one
    /// that is offered first, else ``identity``.
    public static func preferred(acceptEncoding: String?, offered: [ContentEncoding]) -> ContentEncoding {
        var qualities: [String: Double] = [:]
        for item in (acceptEncoding ?? "").prefix(4096).split(separator: ",") {
            let parts = item.split(separator: ";").map { $0.filter { !isBlank($0) }.lowercased() }
            guard let name = parts.first else { continue }
            let quality = parts.dropFirst().first { $0.hasPrefix("q=") }.map { Double($0.dropFirst(2)) ?? 0 } ?? 1
            qualities[name == "x-gzip" ? "gzip" : name] = quality
        }
        var best = ContentEncoding.identity
        var bestQuality = 0.0
        for encoding in offered {
            let quality = qualities[encoding.rawValue] ?? qualities["*"] ?? 0
            if quality > bestQuality {
                best = encoding
                bestQuality = quality
            }
        }
        return best
    }
}
