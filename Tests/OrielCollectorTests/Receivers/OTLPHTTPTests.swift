import OrielCompression
import OrielOTLP
import OrielStore
import OrielTelemetry
import Testing

@testable import OrielCollector

/// OTLP/HTTP as clients speak it.
@Suite struct OTLPHTTPTests {
    /// Posts and gives the whole response as bytes: head as text, body.
    private static func post(
        _ live: LiveCollector, _ path: String, _ body: [UInt8], type: String? = "application/json", encoding: String? = nil
    ) async throws -> (head: String, body: [UInt8]) {
        let connection = try await RawConnection.connect(port: live.port())
        var head = "POST \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: \(body.count)\r\n"
        if let type { head += "Content-Type: \(type)\r\n" }
        if let encoding { head += "Content-Encoding: \(encoding)\r\n" }
        try await connection.send(Array((head + "\r\n").utf8) + body)
        try await connection.receiveAll()
        let bytes = connection.receivedBytes
        let end = Array("\r\n\r\n".utf8)
        let split = bytes.indices.first { bytes[$0...].starts(with: end) } ?? bytes.count
        return (String(decoding: bytes[..<split], as: UTF8.self), Array(bytes.dropFirst(split + 4)))
    }

    @Test func anEmptyRequestSucceeds() async throws {
        try await LiveCollector.run { live in
            let json = try await Self.post(live, "/v1/traces", Array("{}".utf8))
            #expect(json.head.hasPrefix("HTTP/1.1 200"))
            #expect(json.body == Array("{}".utf8))
            let protobuf = try await Self.post(live, "/v1/logs", [], type: "application/x-protobuf")
            #expect(protobuf.head.hasPrefix("HTTP/1.1 200"))
            #expect(protobuf.head.lowercased().contains("content-type: application/x-protobuf"))
            #expect(protobuf.body.isEmpty)
        }
    }

    @Test func allSignalsAreStored() async throws {
        try await LiveCollector.run { live in
            for (path, body) in [
                ("/v1/traces", OTLPSamples.tracesJSON), ("/v1/logs", OTLPSamples.logsJSON), ("/v1/metrics", OTLPSamples.metricsJSON),
            ] {
                let answer = try await Self.post(live, path, Array(body.utf8))
                #expect(answer.head.hasPrefix("HTTP/1.1 200"), "\(path)")
            }
            #expect(live.store.writes.count == 3)
            #expect(live.store.writes.allSatisfy { $0.requestKey != nil && $0.rowCount > 0 })
        }
    }

    @Test func everyPathThatClientsMakeIsTaken() async throws {
        try await LiveCollector.run { live in
            for path in ["//v1/traces", "/v1/traces/", "/otlp/v1/traces", "/base/path/v1/traces?x=1", "/api/v1/otlp/v1/traces"] {
                let answer = try await Self.post(live, path, Array(OTLPSamples.tracesJSON.utf8), type: "application/json; charset=utf-8")
                #expect(answer.head.hasPrefix("HTTP/1.1 200"), "\(path)")
            }
        }
    }

    @Test(arguments: ["gzip", "zstd", "deflate", "snappy", "x-snappy-framed", "identity", "x-gzip", "GZIP"])
    func everyEncodingIsInflated(name: String) async throws {
        try await LiveCollector.run { live in
            for count in [1, 2000] {
                let body = try ContentEncoding(name: name).compress(try OTLPSamples.traces(count: count))
                let answer = try await Self.post(live, "/v1/traces", body, type: "application/x-protobuf", encoding: name)
                #expect(answer.head.hasPrefix("HTTP/1.1 200"))
            }
            #expect(live.store.rowCount == 2001)
        }
    }

    /// Collectors before the name x-snappy-framed sent frames as snappy.
    @Test func framesAreReadUnderTheNameOfBlocks() async throws {
        try await LiveCollector.run { live in
            let body = try ContentEncoding.snappyFramed.compress(try OTLPSamples.traces(count: 2000))
            let answer = try await Self.post(live, "/v1/traces", body, type: "application/x-protobuf", encoding: "snappy")
            #expect(answer.head.hasPrefix("HTTP/1.1 200"))
            #expect(live.store.rowCount == 2000)
        }
    }

    @Test func whatCannotBeReadIsSaidSo() async throws {
        try await LiveCollector.run { live in
            let text = Array(OTLPSamples.tracesJSON.utf8)
            #expect(try await Self.post(live, "/v1/traces", text, type: "text/plain").head.hasPrefix("HTTP/1.1 415"))
            #expect(try await Self.post(live, "/v1/traces", text, type: nil).head.hasPrefix("HTTP/1.1 415"))
            let encoding = try await Self.post(live, "/v1/traces", text, encoding: "br")
            #expect(encoding.head.hasPrefix("HTTP/1.1 415"))
            #expect(String(decoding: encoding.body, as: UTF8.self).contains("gzip"))
            let damaged = try await Self.post(live, "/v1/traces", text, encoding: "gzip")
            #expect(damaged.head.hasPrefix("HTTP/1.1 400"))
            let json = try await Self.post(live, "/v1/traces", Array("{".utf8))
            #expect(json.head.hasPrefix("HTTP/1.1 400"))
            #expect(String(decoding: json.body, as: UTF8.self).contains(#""code":3"#))
            let protobuf = try await Self.post(live, "/v1/traces", [0x0A, 0xFF], type: "application/x-protobuf")
            #expect(protobuf.head.hasPrefix("HTTP/1.1 400"))
            #expect(try RPCStatus(protobuf.body.span, format: .protobuf).code == 3)
            #expect(live.store.writes.isEmpty)
        }
    }

    @Test(arguments: [ContentEncoding.gzip, .zstd, .deflate, .snappy, .snappyFramed])
    func aBombIsRefused(encoding: ContentEncoding) async throws {
        try await LiveCollector.run(configure: { $0.limits.maximumIngestBodySize = 1 << 20 }) { live in
            let bomb = try encoding.compress([UInt8](repeating: 0, count: 8 << 20))
            let answer = try await Self.post(live, "/v1/traces", bomb, type: "application/x-protobuf", encoding: encoding.rawValue)
            #expect(answer.head.hasPrefix("HTTP/1.1 413"))
            #expect(try RPCStatus(answer.body.span, format: .protobuf).code == 8)
        }
    }

    @Test func goodRowsOfABadRequestAreKept() async throws {
        try await LiveCollector.run { live in
            let answer = try await Self.post(live, "/v1/traces", Array(OTLPSamples.partlyBadTracesJSON.utf8))
            #expect(answer.head.hasPrefix("HTTP/1.1 200"))
            let reply = try OTLPExportResponse(answer.body.span, service: .traces, format: .json)
            #expect(reply.rejectedCount == 1)
            #expect(!reply.errorMessage.isEmpty)
            #expect(live.store.rowCount == 1)

            live.store.rejected = [.init(signal: .logs, reason: .tooFarInFuture, count: 1)]
            let logs = try await Self.post(live, "/v1/logs", Array(OTLPSamples.logsJSON.utf8))
            #expect(try OTLPExportResponse(logs.body.span, service: .logs, format: .json).rejectedCount == 1)
        }
    }

    @Test func aStoreInTroubleIsAskedAgainLater() async throws {
        try await LiveCollector.run { live in
            for (failure, seconds) in [
                (StoreError.overloaded(retryAfterSeconds: 2), "2"), (.diskFull(freeBytes: 1, neededBytes: 2, retryAfterSeconds: 7), "7"),
                (.readOnly(reason: "a commit failed"), "30"), (.closed, "5"),
            ] {
                live.store.failure = failure
                let answer = try await Self.post(live, "/v1/traces", Array(OTLPSamples.tracesJSON.utf8))
                #expect(answer.head.hasPrefix("HTTP/1.1 503"))
                #expect(answer.head.lowercased().contains("retry-after: \(seconds)"))
                #expect(String(decoding: answer.body, as: UTF8.self).contains(#""retryDelay":"\#(seconds)s""#))
            }
        }
    }

    @Test func profilesAreUnimplemented() async throws {
        try await LiveCollector.run { live in
            let answer = try await Self.post(live, "/v1development/profiles", Array("{}".utf8))
            #expect(answer.head.hasPrefix("HTTP/1.1 404"))
            #expect(String(decoding: answer.body, as: UTF8.self).contains(#""code":12"#))
        }
    }

    @Test func aRetriedRequestIsStoredOnce() async throws {
        try await LiveCollector.run { live in
            let body = try OTLPSamples.traces()
            let plain = try await Self.post(live, "/v1/traces", body, type: "application/x-protobuf")
            let again = try await Self.post(
                live, "/v1/traces", try ContentEncoding.gzip.compress(body), type: "application/x-protobuf", encoding: "gzip")
            #expect(plain.head.hasPrefix("HTTP/1.1 200") && again.head.hasPrefix("HTTP/1.1 200"))
            #expect(live.store.writes.count == 2)
            #expect(live.store.writes[0].requestKey == live.store.writes[1].requestKey)
        }
    }
}
