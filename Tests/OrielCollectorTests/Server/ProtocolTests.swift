import HTTPTypes
import NIOCore

import Testing

@testable import OrielCollector

/// Which protocol is spoken, and what happens to those who speak none.
@Suite struct ProtocolTests {
    @Test func classifiesByTheFirstBytes() {
        #expect(SniffedProtocol.classify([]) == nil)
        #expect(SniffedProtocol.classify(Array("P".utf8)) == nil)
        #expect(SniffedProtocol.classify(Array("PO".utf8)) == .http1)
        #expect(SniffedProtocol.classify(Array("GET / HTTP/1.1\r\n".utf8)) == .http1)
        #expect(SniffedProtocol.classify(SniffedProtocol.http2Preface.dropLast()) == nil)
        #expect(SniffedProtocol.classify(SniffedProtocol.http2Preface) == .http2)
        #expect(SniffedProtocol.classify(SniffedProtocol.http2Preface + [0, 0]) == .http2)
        #expect(SniffedProtocol.classify([0x16]) == nil)
        #expect(SniffedProtocol.classify([0x16, 0x03, 0x01]) == .tls)
        #expect(SniffedProtocol.classify([0x16, 0x99]) == .unknown)
        #expect(SniffedProtocol.classify([0x00, 0x01]) == .unknown)
    }

    @Test func bothVersionsShareAPort() async throws {
        try await LiveCollector.run { live in
            let first = try await RawConnection.connect(port: live.port())
            try await first.send("GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(try await first.receive("oriel is alive").hasPrefix("HTTP/1.1 200 OK\r\n"))
            await first.close()

            let second = try await HTTP2Client.connect(port: live.port())
            let reply = try await second.send(
                HTTPRequest(method: .get, scheme: "http", authority: "localhost", path: "/-/ready"), body: [])
            #expect(reply.status == .ok)
            #expect(String(decoding: reply.body, as: UTF8.self) == "oriel is ready\n")
            await second.close()
        }
    }

    @Test func aPrefaceInPiecesIsStillHTTP2() async throws {
        try await LiveCollector.run { live in
            let connection = try await RawConnection.connect(port: live.port())
            for byte in SniffedProtocol.http2Preface { try await connection.send([byte]) }
            try await connection.send([0, 0, 0, 4, 0, 0, 0, 0, 0] as [UInt8])
            // The server's SETTINGS frame: type 4 at the fourth byte.
            try await connection.receive { $0.count >= 9 && $0[3] == 4 }
            await connection.close()
        }
    }

    @Test func tlsOnAPlainPortIsClosedWithALogLine() async throws {
        try await LiveCollector.run { live in
            let connection = try await RawConnection.connect(port: live.port())
            try await connection.send([0x16, 0x03, 0x01, 0x00, 0x10, 0x01])
            #expect(try await connection.receiveAll().isEmpty)
            #expect(live.log.contains("speaks TLS"))
        }
    }

    @Test func garbageIsClosed() async throws {
        try await LiveCollector.run { live in
            let connection = try await RawConnection.connect(port: live.port())
            try await connection.send([0x00, 0x01, 0x02])
            #expect(try await connection.receiveAll().isEmpty)
        }
    }

    @Test func aSilentConnectionIsClosed() async throws {
        try await LiveCollector.run(configure: { $0.limits.protocolTimeout = .milliseconds(50) }) { live in
            let connection = try await RawConnection.connect(port: live.port())
            #expect(try await connection.receiveAll().isEmpty)
        }
    }

    @Test func connectingAndLeavingLeavesNothingBehind() async throws {
        try await LiveCollector.run { live in
            for _ in 0..<20 {
                let connection = try await RawConnection.connect(port: live.port())
                await connection.close()
            }
            let halfway = try await RawConnection.connect(port: live.port())
            try await halfway.send("PRI * HT")
            try await halfway.closeOutput()
            #expect(try await halfway.receiveAll().isEmpty)
        }
    }

    @Test func theUnixSocketServesBothVersionsToItsOwnerOnly() async throws {
        try await LiveCollector.run { live in
            let path = CollectorConfiguration.socketPath(dataFolder: live.folder.path)
            let connection = try await RawConnection.connect(unix: path)
            try await connection.send("GET /-/healthy HTTP/1.1\r\nHost: anything\r\nConnection: close\r\n\r\n")
            #expect(try await connection.receiveAll().contains("oriel is alive"))
            let client = try await HTTP2Client.connect(unix: path)
            let reply = try await client.call("/grpc.health.v1.Health/Check", frame: HTTP2Client.frame([]))
            #expect(reply.grpcStatus == 0)
            #expect(reply.body == HTTP2Client.frame([0x08, 1]))
            await client.close()
            #expect(FileMode.of(path) == 0o600)
        }
    }
}
