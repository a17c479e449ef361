import OrielClient

extension OTLPExporter {
    /// Finds out whether an exporter could be made with an endpoint; one with https may still lack TLS.
    package static func check(endpoint: String) throws(OTLPExporterError) {
        _ = try OTLPEndpoint(endpoint, signal: .logs, isBase: true)
    }

    /// Finds out whether a header could be sent.
    package static func check(_ header: Header) throws(OTLPExporterError) {
        try HTTPRequestHead.check(header)
    }

    /// Whether what is sent to an endpoint stays on this machine, as far as its text tells.
    package static func isLocal(endpoint: String) -> Bool {
        guard let endpoint = try? OTLPEndpoint(endpoint, signal: .logs, isBase: true) else { return false }
        return endpoint.isLocal
    }
}
