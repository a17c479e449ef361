/// A number that stands for a receiver and whom it is spoken to as, so that what was kept for it in files is sent to nobody else.
enum ReceiverFingerprint {
    /// - Parameters:
    ///   - headers: tokens and tenants, which a hash does not give away.
    ///   - certificateFile: the client's own certificate.
    static func of(_ endpoint: OTLPEndpoint, _ headers: [OTLPExporter.Header], certificateFile: String?) -> UInt64 {
        var parts = [endpoint.receiver, endpoint.target, certificateFile ?? ""]
        // Neither the order of headers nor the case of their names matters.
        parts += headers.map { "\($0.name.lowercased()): \($0.value)" }.sorted()
        // With their lengths, so that no other parts make the same text.
        let digest = SHA256.digest(Array(parts.map { "\($0.utf8.count):\($0)" }.joined().utf8))
        return digest.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }
}
