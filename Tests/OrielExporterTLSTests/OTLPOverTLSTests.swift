#if TLS
import Glibc
import NIOSSL
import OrielClient
import OrielExporterOTLP
import OrielTelemetry
import OrielThreads
import Testing

@Suite struct OTLPOverTLSTests {
    private let folder = PEMFolder()

    private func server(_ certificate: TLSTestCertificate, wantsClient: Bool = false, _ behaviour: TLSServer.Behaviour = .answers) throws -> TLSServer {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: [.certificate(try NIOSSLCertificate(bytes: Array(certificate.certificate.utf8), format: .pem))],
            privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(certificate.key.utf8), format: .pem)))
        if wantsClient {
            configuration.certificateVerification = .noHostnameVerification
            configuration.trustRoots = .certificates([try NIOSSLCertificate(bytes: Array(TLSTestCertificate.authority.certificate.utf8), format: .pem)])
        }
        return try TLSServer(NIOSSLContext(configuration: configuration), behaviour)
    }

    private func exporter(_ server: TLSServer, host: String = "localhost", _ change: (inout OTLPExporter.TLS) -> Void = { _ in }) throws -> OTLPExporter {
        var configuration = OTLPExporter.Configuration(endpoint: "https://\(host):\(server.port)")
        configuration.tls.certificateAuthorityFile = folder.certificate(.authority)
        configuration.compression = .gzip
        change(&configuration.tls)
        return try OTLPExporter(configuration)
    }

    private func batch(size: Int = 10) -> ExportBatch {
        var state: UInt64 = 1
        let bytes = (0..<size).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 56)
        }
        return ExportBatch(signal: .logs, request: bytes, itemCount: 1)
    }

    /// Calls the exporter and lets go of it on one thread, as a pipeline does. (A test may go on on another thread after each of its `await`s; these have none.)
    private func export(_ exporter: OTLPExporter, _ batches: [ExportBatch], milliseconds: Int64 = 60_000) -> [ExportOutcome] {
        let outcomes = batches.map { exporter.export($0, deadline: Timestamp.now.advanced(by: milliseconds * 1_000_000)) }
        exporter.shutdown()
        return outcomes
    }

    private func expectFailure(_ outcomes: [ExportOutcome], _ text: String, sourceLocation: SourceLocation = #_sourceLocation) {
        guard case .failed(nil, let reason)? = outcomes.first, reason.contains(text), outcomes.count == 1 else {
            Issue.record("\(outcomes) is no failure with \"\(text)\"", sourceLocation: sourceLocation)
            return
        }
    }

    @Test(arguments: ["localhost", "127.0.0.1"]) func anOwnAuthorityIsTrusted(host: String) throws {
        let server = try server(.server)
        defer { server.stop() }
        let outcomes = export(try exporter(server, host: host), [batch(), batch(size: 3 << 20), batch(size: 100)])
        #expect(outcomes == [.delivered(), .delivered(), .delivered()])
        #expect(server.requests.map(\.body.count).sorted().first == 10)
        #expect(server.requests.first?.host == "\(host):\(server.port)")
        #expect(server.accepted == 1)
    }

    @Test func anotherAuthorityIsNot() throws {
        let server = try server(.server)
        defer { server.stop() }
        expectFailure(export(try exporter(server) { $0.certificateAuthorityFile = nil }, [batch()]), "not signed by an authority that is trusted")
        #expect(server.requests.isEmpty)
    }

    @Test(arguments: ["localhost", "127.0.0.1"]) func anotherHostIsRefused(host: String) throws {
        let server = try server(.elsewhere)
        defer { server.stop() }
        expectFailure(export(try exporter(server, host: host), [batch()]), "certificate is not one for \(host)")
        #expect(server.requests.isEmpty)
    }

    @Test func checksCanBeTurnedOff() throws {
        let server = try server(.elsewhere)
        defer { server.stop() }
        let exporter = try exporter(server) { settings in
            settings.certificateAuthorityFile = nil
            settings.verifiesCertificates = false
        }
        #expect(export(exporter, [batch()]) == [.delivered()])
    }

    @Test func theClientShowsItsCertificate() throws {
        let server = try server(.server, wantsClient: true)
        defer { server.stop() }
        let good = try exporter(server) { settings in
            settings.certificateFile = folder.certificate(.client)
            settings.privateKeyFile = folder.key(.client)
        }
        #expect(export(good, [batch(), batch()]) == [.delivered(), .delivered()])
        expectFailure(export(try exporter(server), [batch()]), "it may want a certificate of the client")
        #expect(server.requests.count == 2)
    }

    @Test func aReceiverWithoutTLSIsTold() throws {
        let server = try TLSServer(nil)
        defer { server.stop() }
        expectFailure(export(try exporter(server), [batch()]), "does not speak TLS")
    }

    @Test func silenceCostsTheDeadline() throws {
        let server = try TLSServer(nil, .isSilent)
        defer { server.stop() }
        expectFailure(export(try exporter(server), [batch()], milliseconds: 150), "TLS was not agreed on within the time given")
    }

    @Test func aReceiverThatClosesIsTold() throws {
        let server = try TLSServer(nil, .closes)
        defer { server.stop() }
        expectFailure(export(try exporter(server), [batch()]), "closed the connection instead of agreeing on TLS")
    }

    @Test func aConnectionThatEndedIsReplaced() throws {
        let server = try server(.server, .answersAndCloses)
        defer { server.stop() }
        #expect(export(try exporter(server), [batch(), batch()]) == [.delivered(), .delivered()])
        #expect(server.accepted == 2)
    }

    @Test func anotherThreadConnectsAnew() throws {
        let server = try server(.server)
        defer { server.stop() }
        let exporter = try exporter(server)
        let batch = batch()
        for _ in 0..<2 {
            let thread = try OwnThread(name: "exporting") {
                #expect(exporter.export(batch, deadline: Timestamp.now.advanced(by: 60_000_000_000)) == .delivered())
                exporter.shutdown()
            }
            thread.join()
        }
        #expect(server.accepted == 2)
    }

    @Test func aCertificateOfOneKindThatCannotBeUsedKeepsNoneOfTheOthersBack() throws {
        var configuration = OTLPExporter.Configuration(endpoint: "https://localhost")
        var tls = OTLPExporter.TLS()
        tls.certificateAuthorityFile = "/no/such/file"
        configuration.overrides[.spans] = .init(tls: tls)
        var problems: [ExportSignal: OTLPExporterError] = [:]
        let exporter = OTLPExporter(usableOf: configuration, &problems)
        #expect(problems.mapValues { "\($0)".contains("/no/such/file") } == [.spans: true])
        let refused = ExportSignal.allCases.filter { signal in
            // No time is left to send what could be sent.
            if case .refused = exporter.export(ExportBatch(signal: signal, request: [], itemCount: 1), deadline: Timestamp(nanoseconds: 0)) { return true }
            return false
        }
        #expect(refused == [.spans])
        configuration.signals = [.logs, .metrics]
        _ = try OTLPExporter(configuration)
    }

    @Test func filesThatCannotBeUsedAreRefused() throws {
        func fault(_ change: (inout OTLPExporter.TLS) -> Void) -> String {
            var configuration = OTLPExporter.Configuration(endpoint: "https://localhost")
            change(&configuration.tls)
            let error = #expect(throws: OTLPExporterError.self) { try OTLPExporter(configuration) }
            return error?.description ?? ""
        }
        #expect(fault { $0.certificateAuthorityFile = "/no/such/file" }.contains("/no/such/file holds no certificate"))
        #expect(fault { $0.certificateAuthorityFile = folder.key(.client) }.contains("holds no certificate"))
        #expect(fault { $0.certificateFile = folder.certificate(.client) }.contains("needs privateKeyFile"))
        #expect(fault { $0.privateKeyFile = folder.key(.client) }.contains("needs certificateFile"))
        #expect(
            fault {
                $0.certificateFile = folder.certificate(.client)
                $0.privateKeyFile = folder.certificate(.client)
            }.contains("holds no private key"))
        #expect(
            fault {
                $0.certificateFile = folder.certificate(.client)
                $0.privateKeyFile = folder.key(.server)
            }.contains("do not fit together"))
    }
}

/// The test's certificates as files, which go with the value.
private final class PEMFolder: Sendable {
    private let path: String

    init() {
        var template = Array("/tmp/oriel-tls-XXXXXX".utf8CString)
        // The template is writable and ends in a zero byte.
        path = unsafe template.withUnsafeMutableBufferPointer { unsafe String(cString: mkdtemp($0.baseAddress!)) }
        for certificate in TLSTestCertificate.allCases {
            write(certificate.certificate, to: self.certificate(certificate))
            write(certificate.key, to: key(certificate))
        }
    }

    deinit {
        for certificate in TLSTestCertificate.allCases {
            unsafe unlink(self.certificate(certificate))
            unsafe unlink(key(certificate))
        }
        unsafe rmdir(path)
    }

    func certificate(_ certificate: TLSTestCertificate) -> String { "\(path)/\(certificate).pem" }

    func key(_ certificate: TLSTestCertificate) -> String { "\(path)/\(certificate).key" }

    private func write(_ text: String, to file: String) {
        let descriptor = unsafe open(file, O_WRONLY | O_CREAT, 0o600)
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        _ = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
    }
}
#endif
