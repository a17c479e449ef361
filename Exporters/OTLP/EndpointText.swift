/// What has to be known about the text of an endpoint before it is one that can be used.
package enum EndpointText {
    /// The same without what may be a secret: what stands before the last `@`, and the query. A text that is no URL may hold both anywhere, so rather too much
    /// is left out.
    package static func withoutSecrets(_ text: String) -> String {
        let content = content(of: text)
        var shown = String(text[..<content.startIndex])
        var rest = content
        if let at = content.lastIndex(of: "@") {
            shown += "…"
            rest = content[at...]
        }
        guard let query = rest.firstIndex(where: { $0 == "?" || $0 == "#" }) else { return shown + rest }
        return shown + rest[...query] + "…"
    }

    /// Whether it says how it is spoken to.
    package static func hasScheme(_ text: String) -> Bool { text.contains("://") || isSocket(text) }

    /// Whether it is the path of a Unix socket, after which nothing can follow.
    package static func isSocket(_ text: String) -> Bool { text.lowercased().hasPrefix("unix:") }

    /// The same with 4318 for the port that gRPC has.
    package static func withHTTPPort(_ text: String) -> String {
        let lowercased = text.lowercased()
        guard lowercased.hasPrefix("http://") || lowercased.hasPrefix("https://") else { return text }
        let authority = content(of: text).prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard authority.hasSuffix(":4317") else { return text }
        return text[..<authority.endIndex].dropLast(4) + "4318" + text[authority.endIndex...]
    }

    /// What follows the scheme.
    private static func content(of text: String) -> Substring {
        if isSocket(text) { return text.dropFirst("unix:".count) }
        guard let colon = text.firstIndex(of: ":"), text[colon...].hasPrefix("://") else { return text[...] }
        return text[colon...].dropFirst("://".count)
    }
}
