/// Rules about request paths that hold before routing.
enum RequestPath {
    /// The path of a request target with doubled and trailing slashes removed and a base path before an OTLP path dropped, and the
    /// query as it was, `?` included.
    ///
    /// Clients append `/v1/traces` to whatever endpoint they were given, so that `//v1/traces` and `/otlp/v1/traces` both arrive.
    static func normalize(_ target: String) -> String {
        let bytes = target.utf8
        let pathEnd = bytes.firstIndex(where: { $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") }) ?? bytes.endIndex
        let path = target[..<pathEnd]
        let query = target[pathEnd...]
        var normalized = path
        if needsCleaning(path) {
            let parts = path.split(separator: "/", omittingEmptySubsequences: true)
            normalized = Substring("/" + parts.joined(separator: "/"))
        }
        if let otlp = otlpPath(in: normalized) { normalized = Substring(otlp) }
        if normalized.utf8.count == path.utf8.count { return target }
        return String(normalized) + query
    }

    private static func needsCleaning(_ path: Substring) -> Bool {
        guard path.utf8.first == UInt8(ascii: "/") else { return !path.contains("://") && path != "*" }
        var previous: UInt8 = 0
        for byte in path.utf8 {
            if byte == UInt8(ascii: "/"), previous == UInt8(ascii: "/") { return true }
            previous = byte
        }
        return previous == UInt8(ascii: "/") && path.utf8.count > 1
    }

    /// The plain OTLP path at the end of a longer one; Oriel's own API, which has a `/v1/traces` of its own, is left alone.
    private static func otlpPath(in path: Substring) -> String? {
        if path.hasPrefix("/api/oriel/") { return nil }
        for known in ["/v1/traces", "/v1/metrics", "/v1/logs", "/v1development/profiles"] where path.hasSuffix(known) {
            return known
        }
        return nil
    }
}
