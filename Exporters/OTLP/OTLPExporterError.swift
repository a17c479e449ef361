/// An ``OTLPExporter`` cannot be made as it was configured.
public enum OTLPExporterError: Error, Hashable, Sendable, CustomStringConvertible {
    /// An endpoint is no URL that could be used. The text is told without a user, a password and the query of it, which may be secrets.
    case invalidEndpoint(String, reason: String)
    /// A header cannot be sent.
    case invalidHeader(String, reason: String)
    /// The endpoint, whose scheme and host are told, is one of https, and the package was built without its trait `TLS`.
    case needsTLS(endpoint: String)
    /// A certificate or a key cannot be used.
    case invalidTLS(String)

    /// What is wrong, without what it is wrong with.
    package var reason: String {
        switch self {
        case .invalidEndpoint(_, let reason), .invalidHeader(_, let reason), .invalidTLS(let reason): reason
        case .needsTLS: "it needs the trait \"TLS\" of the package oriel"
        }
    }

    public var description: String {
        switch self {
        case .invalidEndpoint(let text, let reason): "the OTLP endpoint \"\(text)\" cannot be used: \(reason)"
        case .invalidHeader(let name, let reason): "the OTLP header \"\(name)\" cannot be sent: \(reason)"
        case .needsTLS(let endpoint):
            "the OTLP endpoint \"\(endpoint)\" needs TLS, which this build leaves out: enable the trait \"TLS\" of the package oriel, or use http"
        case .invalidTLS(let reason): "TLS cannot be set up for OTLP: \(reason)"
        }
    }
}
