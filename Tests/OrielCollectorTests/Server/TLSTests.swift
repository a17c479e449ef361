#if TLS
import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOSSL
import Testing

@testable import OrielCollector

/// Listeners that speak TLS.
@Suite struct TLSTests {
    private static func run(_ body: (LiveCollector) async throws -> Void) async throws {
        let folder = try TemporaryFolder()
        let files = ListenerConfiguration.TLSFiles(
            certificate: try folder.write(TestCertificate.server.certificate, to: "c.pem"), key: try folder.write(TestCertificate.server.key, to: "k.pem"))
        try await LiveCollector.run(
            listeners: [ListenerConfiguration(address: .tcp(host: "127.0.0.1", port: 0), tls: files)], body)
    }

    @Test(arguments: [HTTPClient.Configuration.HTTPVersion.http1Only, .automatic])
    func httpsIsServedInBothVersions(version: HTTPClient.Configuration.HTTPVersion) async throws {
        try await Self.run { live in
            var configuration = HTTPClient.Configuration()
            configuration.httpVersion = version
            var tls = TLSConfiguration.makeClientConfiguration()
            tls.certificateVerification = .none
            configuration.tlsConfiguration = tls
            let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
            do {
                let response = try await client.execute(
                    HTTPClientRequest(url: "https://localhost:\(live.port())/-/healthy"), timeout: .seconds(10))
                #expect(response.status == .ok)
                #expect(response.version.major == (version == .http1Only ? 1 : 2))
                let body = try await response.body.collect(upTo: 1000)
                #expect(String(buffer: body) == "oriel is alive\n")
            } catch {
                try await client.shutdown()
                throw error
            }
            try await client.shutdown()
        }
    }

    @Test func plaintextIsToldToUseHTTPS() async throws {
        try await Self.run { live in
            let connection = try await RawConnection.connect(port: live.port())
            try await connection.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            let answer = try await connection.receiveAll()
            #expect(answer.hasPrefix("HTTP/1.1 400"))
            #expect(answer.contains("https://"))
            let other = try await RawConnection.connect(port: live.port())
            try await other.send(SniffedProtocol.http2Preface)
            // SETTINGS, then GOAWAY (type 7) with the reason as debug data.
            let bytes = try await other.receiveAll()
            #expect(bytes.contains("https://"))
        }
    }

    @Test func filesThatDoNotFitAreNamed() async throws {
        let folder = try TemporaryFolder()
        let certificate = try folder.write(TestCertificate.server.certificate, to: "c.pem")
        let broken = try folder.write("no key", to: "broken.pem")
        for (certificate, key, named) in [(certificate, broken, broken), ("/nowhere.pem", broken, "/nowhere.pem")] {
            do {
                try await LiveCollector.run(
                    listeners: [
                        ListenerConfiguration(address: .tcp(host: "127.0.0.1", port: 0), tls: .init(certificate: certificate, key: key))
                    ]) { _ in }
                Issue.record("\(named) was taken")
            } catch let error as ListenError {
                #expect(error.description.contains(named))
            }
        }
    }

    // Reloading

    /// Asks for health with a client that trusts one certificate only; the client is left to the caller.
    private static func client(trusting certificate: TestCertificate, showing identity: TestCertificate? = nil) throws -> HTTPClient {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(certificate.certificate.utf8)))
        if let identity {
            tls.certificateChain = try NIOSSLCertificate.fromPEMBytes(Array(identity.certificate.utf8)).map { .certificate($0) }
            tls.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: Array(identity.key.utf8), format: .pem))
        }
        var configuration = HTTPClient.Configuration()
        configuration.tlsConfiguration = tls
        configuration.connectionPool.retryConnectionEstablishment = false
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    private static func isServed(_ client: HTTPClient, _ live: LiveCollector) async throws -> Bool {
        do {
            let response = try await client.execute(HTTPClientRequest(url: "https://localhost:\(live.port())/-/healthy"), timeout: .seconds(10))
            _ = try await response.body.collect(upTo: 1000)
            return response.status == .ok
        } catch {
            return false
        }
    }

    /// The same with a client of its own.
    private static func isServed(
        trusting certificate: TestCertificate, showing identity: TestCertificate? = nil, _ live: LiveCollector
    ) async throws -> Bool {
        let client = try client(trusting: certificate, showing: identity)
        let isServed = try await isServed(client, live)
        try await client.shutdown()
        return isServed
    }

    @Test func aNewCertificateIsUsedForNewConnectionsAndABrokenOneIsNot() async throws {
        let folder = try TemporaryFolder()
        let files = ListenerConfiguration.TLSFiles(
            certificate: try folder.write(TestCertificate.server.certificate, to: "c.pem"), key: try folder.write(TestCertificate.server.key, to: "k.pem"))
        try await LiveCollector.run(
            listeners: [ListenerConfiguration(address: .tcp(host: "127.0.0.1", port: 0), tls: files)],
            configure: { $0.certificateCheckInterval = .milliseconds(20) }
        ) { live in
            let early = try Self.client(trusting: .server)
            #expect(try await Self.isServed(early, live))
            #expect(try await !Self.isServed(trusting: .renewedServer, live))

            // One file after the other: in between they do not fit, and the old certificate serves.
            _ = try folder.write(TestCertificate.renewedServer.certificate, to: "c.pem")
            #expect(try await eventually { live.log.contains("the old one stays in use") })
            #expect(try await Self.isServed(trusting: .server, live))
            _ = try folder.write(TestCertificate.renewedServer.key, to: "k.pem")
            #expect(try await eventually { try await Self.isServed(trusting: .renewedServer, live) })
            #expect(try await !Self.isServed(trusting: .server, live))
            // The connection that was open before is still open: a new one would not be trusted.
            #expect(try await Self.isServed(early, live))
            try await early.shutdown()

            _ = try folder.write("nonsense", to: "c.pem")
            live.collector.reload()
            #expect(live.log.text.contains("no PEM certificates can be read"))
            #expect(try await Self.isServed(trusting: .renewedServer, live))
        }
    }

    @Test func clientsNeedACertificateOfTheAuthority() async throws {
        let folder = try TemporaryFolder()
        let files = ListenerConfiguration.TLSFiles(
            certificate: try folder.write(TestCertificate.server.certificate, to: "c.pem"), key: try folder.write(TestCertificate.server.key, to: "k.pem"),
            clientAuthorities: try folder.write(TestCertificate.authority.certificate, to: "ca.pem"))
        // With client certificates nobody is a stranger, so it may listen beyond this machine.
        try await LiveCollector.run(listeners: [ListenerConfiguration(address: .tcp(host: "0.0.0.0", port: 0), tls: files)]) { live in
            let known = try await Self.isServed(trusting: .server, showing: .client, live)
            let nameless = try await Self.isServed(trusting: .server, live)
            let stranger = try await Self.isServed(trusting: .server, showing: .stranger, live)
            #expect(known && !nameless && !stranger)
        }
        let broken = try folder.write("nonsense", to: "ca.pem")
        do {
            try await LiveCollector.run(listeners: [ListenerConfiguration(address: .tcp(host: "127.0.0.1", port: 0), tls: files)]) { _ in }
            Issue.record("\(broken) was taken")
        } catch let error as ListenError {
            #expect(error.description.contains(broken))
        }
    }
}
#endif
