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
            certificate: try folder.write(TestCertificate.certificate, to: "c.pem"), key: try folder.write(TestCertificate.key, to: "k.pem"))
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
        let certificate = try folder.write(TestCertificate.certificate, to: "c.pem")
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
}

/// A self-signed certificate for localhost that protects nothing: it exists for these tests only.
private enum TestCertificate {
    static let key = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgOJ3u2sF5ltw9lFlU
        kD3hGn1S8wM+kRgcSy7BZo02AZahRANCAASyufMrpDE0A8ylpIiicGJ95uJ0fBF2
        ToiucFtzug5V5kfGlSeF0oHOaKEQXK0Ufb1TGx2YNWyYos98DoGKnrvv
        -----END PRIVATE KEY-----
        """

    static let certificate = """
        -----BEGIN CERTIFICATE-----
        MIIBnDCCAUGgAwIBAgIUUVWkmrFtWiT4EuBj7P9P6+VvgsYwCgYIKoZIzj0EAwIw
        FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyNDE2MjA0OVoYDzIxMjYxMDMx
        MTYyMDQ5WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
        PQMBBwNCAASyufMrpDE0A8ylpIiicGJ95uJ0fBF2ToiucFtzug5V5kfGlSeF0oHO
        aKEQXK0Ufb1TGx2YNWyYos98DoGKnrvvo28wbTAdBgNVHQ4EFgQUqxg1MzqzvQsM
        lYWZyjy/y2fuvfswHwYDVR0jBBgwFoAUqxg1MzqzvQsMlYWZyjy/y2fuvfswDwYD
        VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
        zj0EAwIDSQAwRgIhAOtjHq1qKBaUgvRTehkJONtujpgr3xa495UtbdjrV55KAiEA
        om538zuBDbrW1JapMosM2gwOGKRuNw5oLfCG2FJHSgw=
        -----END CERTIFICATE-----
        """
}
#endif
