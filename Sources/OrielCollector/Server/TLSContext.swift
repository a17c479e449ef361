#if TLS
import NIOCore
import NIOSSL

/// The TLS side of a listener: its certificate, ready for connections.
struct TLSContext: Sendable {
    private let context: NIOSSLContext

    /// Loads the certificate chain and the key.
    ///
    /// - Throws: ``TLSError`` naming the file that cannot be used.
    init(files: ListenerConfiguration.TLSFiles) throws {
        let chain: [NIOSSLCertificateSource]
        do {
            chain = try NIOSSLCertificate.fromPEMFile(files.certificate).map { .certificate($0) }
        } catch {
            throw TLSError(file: files.certificate, problem: "no PEM certificates can be read from it: \(error)")
        }
        let key: NIOSSLPrivateKey
        do {
            key = try NIOSSLPrivateKey(file: files.key, format: .pem)
        } catch {
            throw TLSError(file: files.key, problem: "no PEM private key can be read from it: \(error)")
        }
        var configuration = TLSConfiguration.makeServerConfiguration(certificateChain: chain, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["h2", "http/1.1"]
        do {
            context = try NIOSSLContext(configuration: configuration)
        } catch {
            throw TLSError(file: files.certificate, problem: "it does not fit the key \(files.key): \(error)")
        }
    }

    func addHandler(to operations: ChannelPipeline.SynchronousOperations) throws {
        try operations.addHandler(NIOSSLServerHandler(context: context))
    }
}
#else
import NIOCore

/// Stands in for TLS in a build without the trait: it cannot be made.
struct TLSContext: Sendable {
    init(files: ListenerConfiguration.TLSFiles) throws {
        throw TLSError(file: files.certificate, problem: "this binary was built without TLS (package trait TLS)")
    }

    func addHandler(to operations: ChannelPipeline.SynchronousOperations) throws {}
}
#endif

/// A listener's TLS cannot be set up.
struct TLSError: Error, CustomStringConvertible {
    let file: String
    let problem: String

    var description: String { "tls file \(file): \(problem)" }
}
