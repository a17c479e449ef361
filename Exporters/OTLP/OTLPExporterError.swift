/// An ``OTLPExporter`` cannot be made as it was configured.
public enum OTLPExporterError: Error, Hashable, Sendable, CustomStringConvertible {
    /// An endpoint is no URL that could be used.
    case invalidEndpoint(String, reason: String)
    /// A header cannot be sent.
    case invalidHeader(String, reason: String)
    /// The endpoint is one of https, and the package was built without its trait `TLS`.
    case needsTLS(endpoint: String)
    /// A certificate or a key cannot be used.
    case invalidTLS(String)

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
