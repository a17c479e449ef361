#if TLS
import NIOSSL

/// What connections with the same settings of TLS share: certificates, read once.
struct TLSContext: Sendable {
    let context: NIOSSLContext

    init(_ settings: OTLPExporter.TLS) throws(OTLPExporterError) {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        if !settings.verifiesCertificates { configuration.certificateVerification = .none }
        if let file = settings.certificateAuthorityFile { configuration.trustRoots = .certificates(try Self.certificates(file)) }
        switch (settings.certificateFile, settings.privateKeyFile) {
        case (let certificate?, let key?):
            configuration.certificateChain = try Self.certificates(certificate).map { .certificate($0) }
            do {
                configuration.privateKey = .privateKey(try NIOSSLPrivateKey(file: key, format: .pem))
            } catch {
                throw .invalidTLS("the file \(key) holds no private key in PEM that can be read without a password")
            }
        case (nil, nil): break
        case (nil, _): throw .invalidTLS("there is a private key without the certificate that it is for: privateKeyFile needs certificateFile")
        case (_, nil): throw .invalidTLS("there is a certificate without its private key: certificateFile needs privateKeyFile")
        }
        do {
            context = try NIOSSLContext(configuration: configuration)
        } catch {
            throw .invalidTLS("the certificates and the key do not fit together: \(error)")
        }
    }

    private static func certificates(_ file: String) throws(OTLPExporterError) -> [NIOSSLCertificate] {
        let certificates = try? NIOSSLCertificate.fromPEMFile(file)
        guard let certificates, !certificates.isEmpty else { throw .invalidTLS("the file \(file) holds no certificate in PEM, or cannot be read") }
        return certificates
    }
}
#endif
