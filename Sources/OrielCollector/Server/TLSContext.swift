#if TLS
import NIOCore
import NIOSSL
import Synchronization

/// The TLS side of a listener: its certificate, ready for connections, and replaced when its files change.
final class TLSContext: Sendable {
    private struct State {
        var context: NIOSSLContext
        /// The files as they were at the last attempt to load them.
        var stamps: [FileStamp]
    }

    private let files: ListenerConfiguration.TLSFiles
    private let state: Mutex<State>

    /// Loads the certificate chain and the key.
    ///
    /// - Throws: ``TLSError`` naming the file that cannot be used.
    init(files: ListenerConfiguration.TLSFiles) throws(TLSError) {
        self.files = files
        let stamps = FileStamp.read(files.all)
        state = Mutex(State(context: try Self.load(files), stamps: stamps))
    }

    /// Loads the files again. Connections that are open keep what they were made with.
    ///
    /// - Parameter always: also when the files look as they did at the last attempt.
    /// - Returns: whether new connections get something new.
    /// - Throws: ``TLSError``; then the old certificate stays in use.
    func reload(always: Bool) throws(TLSError) -> Bool {
        // Before the files are read, so that a change meanwhile is seen the next time.
        let stamps = FileStamp.read(files.all)
        guard state.withLock({ always || $0.stamps != stamps }) else { return false }
        state.withLock { $0.stamps = stamps }
        let context = try Self.load(files)
        state.withLock { $0.context = context }
        return true
    }

    func addHandler(to operations: ChannelPipeline.SynchronousOperations) throws {
        try operations.addHandler(NIOSSLServerHandler(context: state.withLock { $0.context }))
    }

    private static func load(_ files: ListenerConfiguration.TLSFiles) throws(TLSError) -> NIOSSLContext {
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
        if let path = files.clientAuthorities {
            do {
                let authorities = try NIOSSLCertificate.fromPEMFile(path)
                guard !authorities.isEmpty else { throw TLSError(file: path, problem: "it holds no certificate") }
                configuration.trustRoots = .certificates(authorities)
            } catch let error as TLSError {
                throw error
            } catch {
                throw TLSError(file: path, problem: "no PEM certificates can be read from it: \(error)")
            }
            // A client proves that the authority knows it; what it is called does not matter.
            configuration.certificateVerification = .noHostnameVerification
        }
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw TLSError(file: files.certificate, problem: "it does not fit the key \(files.key): \(error)")
        }
    }
}
#else
import NIOCore

/// Stands in for TLS in a build without the trait: it cannot be made.
struct TLSContext: Sendable {
    init(files: ListenerConfiguration.TLSFiles) throws(TLSError) {
        throw TLSError(file: files.certificate, problem: "this binary was built without TLS (package trait TLS)")
    }

    func reload(always: Bool) throws(TLSError) -> Bool { false }

    func addHandler(to operations: ChannelPipeline.SynchronousOperations) throws {}
}
#endif

/// A listener's TLS cannot be set up.
struct TLSError: Error, CustomStringConvertible {
    let file: String
    let problem: String

    var description: String { "tls file \(file): \(problem)" }
}
