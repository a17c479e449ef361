import HTTPTypes
import Hummingbird

/// Which browsers may ask what, and under which host names.
///
/// A page from elsewhere may post telemetry (that is what the browser SDK does) but may not read or change anything: routes other
/// than ingest refuse a foreign `Origin`. A listener on loopback refuses host names that are not loopback's, so that a name which an
/// attacker points at 127.0.0.1 does not reach it (DNS rebinding).
struct AccessPolicy: Sendable {
    /// Host names that are accepted on loopback beside loopback's own, lower case, without port.
    var allowedHosts: Set<String> = []

    /// What the policy says about a request.
    enum Decision {
        case allowed
        /// Allowed for the page of this origin; the response must name it.
        case allowedAcrossOrigins(origin: String)
        /// A browser asks before it posts; this is the whole answer.
        case preflight(Response)
        case refused(HTTPProblem)
    }

    func decide(_ head: HTTPRequest, isIngest: Bool, listener: ListenerDescription) -> Decision {
        let authority = head.authority
        if listener.isLoopback, let authority {
            let host = Self.hostName(of: authority)
            if !ListenerAddress.isLoopback(host: host), !allowedHosts.contains(host.lowercased()) {
                return .refused(
                    HTTPProblem(
                        .misdirectedRequest,
                        "this listener is on loopback and does not answer for host \"\(host)\"; use localhost, or add the name to "
                            + "server.allowed_hosts"))
            }
        }
        guard let origin = head.headerFields[.origin] else { return .allowed }
        if let authority, Self.isSame(origin: origin, authority: authority) { return .allowed }
        guard isIngest else {
            return .refused(
                HTTPProblem(.forbidden, "a page from \(origin) may not use this route; only telemetry can be posted from other origins"))
        }
        if head.method == .options, head.headerFields[.accessControlRequestMethod] != nil {
            return .preflight(Self.preflight(origin: origin, asked: head.headerFields[.accessControlRequestHeaders]))
        }
        return .allowedAcrossOrigins(origin: origin)
    }

    /// The headers that let the page of an origin read a response.
    static func addCrossOriginHeaders(origin: String, to headers: inout HTTPFields) {
        headers[.accessControlAllowOrigin] = origin
        headers[.vary] = "Origin"
    }

    private static func preflight(origin: String, asked: String?) -> Response {
        var headers = HTTPFields()
        addCrossOriginHeaders(origin: origin, to: &headers)
        headers[.accessControlAllowMethods] = "POST"
        headers[.accessControlAllowHeaders] = asked ?? "content-type, content-encoding"
        headers[.accessControlMaxAge] = "7200"
        return Response(status: .noContent, headers: headers)
    }

    /// The host of `host:port`, without the brackets of an IPv6 literal.
    static func hostName(of authority: String) -> String {
        if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") {
            return String(authority[authority.index(after: authority.startIndex)..<end])
        }
        guard let colon = authority.lastIndex(of: ":") else { return authority }
        return String(authority[..<colon])
    }

    private static func isSame(origin: String, authority: String) -> Bool {
        for scheme in ["http://", "https://"] where origin.lowercased().hasPrefix(scheme) {
            let rest = origin.dropFirst(scheme.count).lowercased()
            let port = scheme == "http://" ? ":80" : ":443"
            let authority = authority.lowercased()
            return rest == authority || rest + port == authority || rest == authority + port
        }
        return false
    }
}
