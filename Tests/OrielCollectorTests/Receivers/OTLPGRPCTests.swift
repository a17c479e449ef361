import HTTPTypes
import OrielCompression
import OrielOTLP
import OrielStore
import OrielTelemetry
import Testing

@testable import OrielCollector

/// OTLP/gRPC, framed by hand on both sides.
@Suite struct OTLPGRPCTests {
    private static let export = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"

    private static func run(_ body: (LiveCollector, HTTP2Client) async throws -> Void) async throws {
        try await LiveCollector.run { live in
            let client = try await HTTP2Client.connect(port: live.port())
            try await body(live, client)
            await client.close()
        }
    }

    @Test func anExportIsStored() async throws {
        try await Self.run { live, client in
            let reply = try await client.call(Self.export, frame: HTTP2Client.frame(try OTLPSamples.traces(count: 3)))
            #expect(reply.status == .ok)
            #expect(reply.field("content-type") == "application/grpc")
            #expect(reply.grpcStatus == 0)
            #expect(reply.body == HTTP2Client.frame([]))
            #expect(live.store.rowCount == 3)
        }
    }

    @Test(arguments: ["gzip", "zstd", "deflate", "snappy"])
    func compressedMessages(name: String) async throws {
        try await Self.run { live, client in
            let message = try ContentEncoding(name: name).compress(try OTLPSamples.traces(count: 2000))
            let reply = try await client.call(
                Self.export, frame: HTTP2Client.frame(message, isCompressed: true), headers: ["grpc-encoding": name])
            #expect(reply.grpcStatus == 0)
            #expect(live.store.rowCount == 2000)
        }
    }

    @Test func manyMegabytesFitThroughTheWindows() async throws {
        try await Self.run { live, client in
            let message = try OTLPSamples.traces(count: 50_000)
            #expect(message.count > 4 << 20)
            let reply = try await client.call(Self.export, frame: HTTP2Client.frame(message))
            #expect(reply.grpcStatus == 0)
            #expect(live.store.rowCount == 50_000)
        }
    }

    @Test func brokenFramesAreErrorsOfTheirOwn() async throws {
        try await Self.run { live, client in
            let good = HTTP2Client.frame(try OTLPSamples.traces())
            let cases: [(frame: [UInt8], headers: [String: String], status: Int)] = [
                ([], [:], 13), ([0, 0], [:], 13), ([2, 0, 0, 0, 0], [:], 13), ([0, 0, 0, 0, 9, 1], [:], 13), (good + good, [:], 12),
                ([0, 0xFF, 0xFF, 0xFF, 0xFF], [:], 8), (HTTP2Client.frame([0x0A, 0xFF]), [:], 3),
                (HTTP2Client.frame([1, 2, 3], isCompressed: true), [:], 13),
                (HTTP2Client.frame([1, 2, 3], isCompressed: true), ["grpc-encoding": "br"], 12),
                (HTTP2Client.frame([1, 2, 3], isCompressed: true), ["grpc-encoding": "gzip"], 3), (good, ["grpc-timeout": "soon"], 3),
            ]
            for (index, one) in cases.enumerated() {
                let reply = try await client.call(Self.export, frame: one.frame, headers: one.headers)
                #expect(reply.status == .ok)
                #expect(reply.grpcStatus == one.status, "case \(index): \(reply.field("grpc-message") ?? "")")
            }
            #expect(live.store.writes.isEmpty)
        }
    }

    @Test func aBombAndAGiantAreExhaustion() async throws {
        try await LiveCollector.run(configure: { $0.limits.maximumIngestBodySize = 1 << 20 }) { live in
            let client = try await HTTP2Client.connect(port: live.port())
            let bomb = try ContentEncoding.gzip.compress([UInt8](repeating: 0, count: 4 << 20))
            let first = try await client.call(
                Self.export, frame: HTTP2Client.frame(bomb, isCompressed: true), headers: ["grpc-encoding": "gzip"])
            #expect(first.grpcStatus == 8)
            #expect(first.field("grpc-status-details-bin") == nil)
            let second = try await client.call(Self.export, frame: HTTP2Client.frame([UInt8](repeating: 0, count: 2 << 20)))
            #expect(second.grpcStatus == 8)
            let third = try await client.call(Self.export, frame: HTTP2Client.frame(try OTLPSamples.traces()))
            #expect(third.grpcStatus == 0)
            await client.close()
        }
    }

    @Test func unknownMethodsAreUnimplemented() async throws {
        try await Self.run { _, client in
            for path in [
                "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export", "/nobody.Knows/This",
                "/grpc.health.v1.Health/Watch",
            ] {
                let reply = try await client.call(path, frame: HTTP2Client.frame([]))
                #expect(reply.grpcStatus == 12, "\(path)")
            }
        }
    }

    @Test func overloadCarriesRetryInfo() async throws {
        try await Self.run { live, client in
            live.store.failure = .overloaded(retryAfterSeconds: 3)
            let reply = try await client.call(Self.export, frame: HTTP2Client.frame(try OTLPSamples.traces()))
            #expect(reply.grpcStatus == 14)
            let details = try #require(reply.field("grpc-status-details-bin"))
            #expect(!details.contains("="))
            let decoded = Base64.decode(Array(details.utf8).span)
            let bytes = try #require(decoded)
            let status = try RPCStatus(bytes.span, format: .protobuf)
            #expect(status.code == 14)
            #expect(status.retryDelay == 3_000_000_000)
        }
    }

    @Test func partialSuccessIsInTheMessage() async throws {
        try await Self.run { live, client in
            live.store.rejected = [.init(signal: .spans, reason: .beforeRetention, count: 1)]
            let reply = try await client.call(Self.export, frame: HTTP2Client.frame(try OTLPSamples.traces(count: 2)))
            #expect(reply.grpcStatus == 0)
            let response = try OTLPExportResponse(Array(reply.body.dropFirst(5)).span, service: .traces, format: .protobuf)
            #expect(response.rejectedCount == 1)
        }
    }

    @Test func theCallersDeadlineIsKept() async throws {
        try await Self.run { live, client in
            live.store.hold()
            let frame = HTTP2Client.frame(try OTLPSamples.traces())
            let call = Task { try await client.call(Self.export, frame: frame, headers: ["grpc-timeout": "30m"]) }
            #expect(try await eventually { live.store.heldCount == 1 })
            live.store.release()
            #expect([0, 4].contains(try await call.value.grpcStatus))
        }
    }

    @Test func healthOfServices() async throws {
        try await Self.run { _, client in
            let name = Array("opentelemetry.proto.collector.trace.v1.TraceService".utf8)
            let known = try await client.call(
                "/grpc.health.v1.Health/Check", frame: HTTP2Client.frame([0x0A, UInt8(name.count)] + name))
            #expect(known.grpcStatus == 0)
            #expect(known.body == HTTP2Client.frame([0x08, 1]))
            let unknown = try await client.call("/grpc.health.v1.Health/Check", frame: HTTP2Client.frame([0x0A, 1, 0x78]))
            #expect(unknown.grpcStatus == 5)

            // What a client with a compressor for its whole channel sends, also for the empty message.
            for message in [[], [0x0A, UInt8(name.count)] + name] {
                let compressed = HTTP2Client.frame(try ContentEncoding.gzip.compress(message), isCompressed: true)
                let reply = try await client.call("/grpc.health.v1.Health/Check", frame: compressed, headers: ["grpc-encoding": "gzip"])
                #expect(reply.grpcStatus == 0 && reply.body == HTTP2Client.frame([0x08, 1]))
            }
            // A name of 200 bytes, and fields that are not known.
            let long = try await client.call(
                "/grpc.health.v1.Health/Check", frame: HTTP2Client.frame([0x0A, 0xC8, 1] + [UInt8](repeating: 0x78, count: 200)))
            #expect(long.grpcStatus == 5)
            let more = try await client.call(
                "/grpc.health.v1.Health/Check", frame: HTTP2Client.frame([0x10, 5, 0x0A, UInt8(name.count)] + name + [0x1A, 1, 0]))
            #expect(more.grpcStatus == 0)
            let broken = try await client.call("/grpc.health.v1.Health/Check", frame: HTTP2Client.frame([0x0A, 9, 1]))
            #expect(broken.grpcStatus == 3)
            let huge = try await client.call("/grpc.health.v1.Health/Check", frame: HTTP2Client.frame([UInt8](repeating: 0, count: 10_000)))
            #expect(huge.grpcStatus == 8)
        }
    }

    @Test func grpcOverHTTP1IsRefused() async throws {
        try await LiveCollector.run { live in
            let connection = try await RawConnection.connect(port: live.port())
            try await connection.send(
                "POST \(Self.export) HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/grpc\r\nContent-Length: 5\r\n\r\n\0\0\0\0\0")
            #expect(try await connection.receiveAll().hasPrefix("HTTP/1.1 505"))
        }
    }

    @Test func messagesArePercentEncoded() {
        #expect(GRPCStatus.percentEncode("50% of ü\n") == "50%25 of %C3%BC%0A")
    }

    @Test func timeoutsAreDigitsAndAUnit() {
        #expect(GRPCTimeout.parse("1H") == .seconds(3600))
        #expect(GRPCTimeout.parse("250m") == .milliseconds(250))
        #expect(GRPCTimeout.parse("99999999n") == .nanoseconds(99_999_999))
        for wrong in ["", "5", "S", "-1S", "1x", "123456789S", "1.5S"] { #expect(GRPCTimeout.parse(wrong) == nil, "\(wrong)") }
    }
}
