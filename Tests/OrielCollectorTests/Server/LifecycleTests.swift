import FoundationEssentials
import Glibc
import HTTPTypes
import NIOCore
import Testing

@testable import OrielCollector

/// Starting and stopping.
@Suite struct LifecycleTests {
    @Test func aTakenPortIsNamedWithItsOwner() async throws {
        try await LiveCollector.run { live in
            let address = ListenerAddress.tcp(host: "127.0.0.1", port: live.port())
            do {
                try await LiveCollector.run(listeners: [ListenerConfiguration(address: address)]) { _ in }
                Issue.record("the port was taken twice")
            } catch let error as ListenError {
                #expect(error.description.contains("\(live.port())"))
                #expect(error.description.contains("pid \(ProcessInfo.processInfo.processIdentifier)"))
                #expect(error.description.contains("--listen"))
            }
        }
    }

    @Test func strangersAreKeptOutUnlessTheyAreMeant() async throws {
        let open = [ListenerConfiguration(address: .tcp(host: "0.0.0.0", port: 0))]
        do {
            try await LiveCollector.run(listeners: open) { _ in }
            Issue.record("it listened to everybody")
        } catch let error as ListenError {
            #expect(error.description.contains("--allow-anonymous"))
            #expect(error.description.contains("--listen tcp://127.0.0.1:0"))
        }
        try await LiveCollector.run(listeners: open, configure: { $0.allowsAnonymous = true }) { live in
            let connection = try await RawConnection.connect(port: live.port())
            try await connection.send("GET /-/healthy HTTP/1.1\r\nHost: collector.example\r\nConnection: close\r\n\r\n")
            #expect(try await connection.receiveAll().contains("alive"))
        }
    }

    @Test func aSocketThatWasHandedOverIsServedOrRefusedAlike() async throws {
        func listening(on host: String) async throws -> Int32 {
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            let address = try SocketAddress(ipAddress: host, port: 0)
            #expect(unsafe address.withSockAddr { unsafe bind(descriptor, $0, socklen_t($1)) } == 0)
            #expect(listen(descriptor, 5) == 0)
            return descriptor
        }
        let inside = ListenerConfiguration(address: .fileDescriptor(try await listening(on: "127.0.0.1")))
        try await LiveCollector.run(listeners: [inside]) { live in
            let connection = try await RawConnection.connect(port: live.port())
            try await connection.send("GET /-/healthy HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            let answer = try await connection.receiveAll()
            #expect(answer.contains("alive"))
        }
        let outside = ListenerConfiguration(address: .fileDescriptor(try await listening(on: "0.0.0.0")))
        await #expect(throws: ListenError.self) { try await LiveCollector.run(listeners: [outside]) { _ in } }
    }

    @Test func aStaleSocketIsReplacedAndALivingOneIsNot() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/s"
        let listeners = [ListenerConfiguration(address: .unix(path: path))]
        try await LiveCollector.run(listeners: listeners) { _ in
            await #expect(throws: ListenError.self) { try await LiveCollector.run(listeners: listeners) { _ in } }
            return ()
        }
        #expect(FileMode.of(path) == nil)
        close(try UnixSocket.listen(path: path, backlog: 1))
        #expect(FileMode.of(path) == 0o600)
        try await LiveCollector.run(listeners: listeners) { _ in }
        let file = try folder.write("x", to: "f")
        await #expect(throws: ListenError.self) {
            try await LiveCollector.run(listeners: [ListenerConfiguration(address: .unix(path: file))]) { _ in }
        }
        #expect(try String(contentsOfFile: file, encoding: .utf8) == "x")
    }

    @Test func idleConnectionsDoNotHoldTheEndUp() async throws {
        try await LiveCollector.run { live in
            let first = try await RawConnection.connect(port: live.port())
            try await first.send("GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n")
            try await first.receive("alive")
            let silent = try await RawConnection.connect(port: live.port())
            let client = try await HTTP2Client.connect(port: live.port())
            _ = try await client.call("/grpc.health.v1.Health/Check", frame: HTTP2Client.frame([]))
            try await live.stop()
            try await first.receiveAll()
            try await silent.receiveAll()
            try await client.closed.get()
            #expect(!live.log.contains("did not end in time"))
        }
    }

    @Test func requestsInProgressEndBeforeTheServerDoes() async throws {
        try await LiveCollector.run { live in
            live.store.hold()
            let body = OTLPSamples.tracesJSON
            let connection = try await RawConnection.connect(port: live.port())
            try await connection.send(
                "POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
            let client = try await HTTP2Client.connect(port: live.port())
            let message = try OTLPSamples.traces()
            async let reply = client.call(
                "/opentelemetry.proto.collector.trace.v1.TraceService/Export", frame: HTTP2Client.frame(message))
            #expect(try await eventually { live.store.heldCount == 2 })
            async let end: Void = live.stop()
            #expect(
                try await eventually {
                    do {
                        let late = try await RawConnection.connect(port: live.port())
                        await late.close()
                        return false
                    } catch {
                        return true
                    }
                })
            #expect(try await eventually { live.log.contains("requests in progress may end") })
            live.store.release()
            let answer = try await connection.receiveAll()
            #expect(answer.hasPrefix("HTTP/1.1 200"))
            #expect(answer.lowercased().contains("connection: close"))
            #expect(try await reply.grpcStatus == 0)
            try await end
            #expect(live.store.rowCount == 2)
        }
    }

    @Test func aTailOfTheLogDoesNotHoldTheEndUp() async throws {
        try await LiveCollector.run { live in
            let connection = try await RawConnection.connect(port: live.port())
            try await connection.send("GET /api/oriel/v1/logs?follow=true HTTP/1.1\r\nHost: localhost\r\n\r\n")
            let client = try await HTTP2Client.connect(port: live.port())
            let tail = Task {
                try await client.send(
                    HTTPRequest(method: .get, scheme: "http", authority: "localhost", path: "/api/oriel/v1/logs?follow=true"), body: [])
            }
            let body = OTLPSamples.logsJSON
            #expect(
                try await eventually {
                    let post = try await RawConnection.connect(port: live.port())
                    try await post.send(
                        "POST /v1/logs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
                    )
                    try await post.receiveAll()
                    return connection.received.contains("hello")
                })
            try await live.stop()
            try await connection.receiveAll()
            _ = await tail.result
            #expect(!live.log.contains("did not end in time"))
        }
    }

    @Test func whatDoesNotEndIsCutOff() async throws {
        try await LiveCollector.run(configure: { $0.limits.drainTimeout = .milliseconds(100) }) { live in
            let connection = try await RawConnection.connect(port: live.port())
            try await connection.send("POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{")
            #expect(try await eventually { live.log.contains("listening") })
            try await live.stop()
            try await connection.receiveAll()
        }
    }
}
