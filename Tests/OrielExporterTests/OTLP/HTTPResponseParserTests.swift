import OrielTelemetry
import Testing

@testable import OrielExporterOTLP

@Suite struct HTTPResponseParserTests {
    private static let answers = [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\na;x=\"y\"\r\n, the same\r\n0\r\nX: y\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 Busy\r\nRetry-After: 3\r\nContent-Type: Text/Plain; charset=x\r\nContent-Length: 0\r\n\r\n",
        "\r\nHTTP/1.0 200\nConnection: keep-alive\nContent-Length: 2, 2\n\nok",
        "HTTP/1.1 204 No Content\r\nContent-Length: 7\r\n\r\n",
    ]

    private struct Steps {
        var state: UInt64
        mutating func next(below bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
    }

    private func parse(_ bytes: [UInt8], pieces: () -> Int) throws -> HTTPResponseParser {
        var parser = HTTPResponseParser()
        var offset = 0
        while offset < bytes.count {
            let end = min(bytes.count, offset + pieces())
            try parser.feed(bytes.span.extracting(offset..<end))
            offset = end
        }
        return parser
    }

    @Test(arguments: answers) func piecesMakeNoDifference(text: String) throws {
        let whole = try parse(Array(text.utf8)) { Int.max / 2 }
        #expect(whole.isDone && whole.response.keepsAlive)
        for seed in 1...50 as ClosedRange<UInt64> {
            var steps = Steps(state: seed)
            let parsed = try parse(Array(text.utf8)) { 1 + steps.next(below: 6) }
            #expect(parsed.isDone && parsed.response == whole.response, "seed \(seed)")
        }
    }

    @Test func headsAreRead() throws {
        let responses = try Self.answers.map { try parse(Array($0.utf8)) { 1000 }.response }
        #expect(responses.map(\.status) == [200, 200, 503, 200, 204])
        #expect(responses.map { String(decoding: $0.body, as: UTF8.self) } == ["hello", "hello, the same", "", "ok", ""])
        #expect(responses[2].retryAfter == "3" && responses[2].contentType == "text/plain" && responses[2].phrase == "Busy")
    }

    @Test(arguments: answers) func anEarlyEndIsNoticed(text: String) throws {
        for length in 0..<text.utf8.count {
            var parser = try parse(Array(text.utf8.prefix(length))) { 1000 }
            if parser.isDone { continue }
            // The status is known, and with it what became of the request.
            if parser.hasHead {
                try parser.finish()
                #expect(parser.isDone && !parser.response.keepsAlive)
                continue
            }
            let error = #expect(throws: StreamError.self) { try parser.finish() }
            #expect(error?.kind == .closed)
        }
    }

    @Test(arguments: 1...300 as ClosedRange<UInt64>) func damagedAnswersDoNoHarm(seed: UInt64) {
        var steps = Steps(state: seed)
        var bytes = Array(Self.answers[steps.next(below: Self.answers.count)].utf8)
        for _ in 0...steps.next(below: 5) {
            switch steps.next(below: 3) {
            case 0: bytes[steps.next(below: bytes.count)] = UInt8(steps.next(below: 256))
            case 1: bytes.insert(UInt8(steps.next(below: 256)), at: steps.next(below: bytes.count))
            default: bytes.remove(at: steps.next(below: bytes.count))
            }
        }
        var parser = try? parse(bytes) { 1 + steps.next(below: 9) }
        try? parser?.finish()
        #expect((parser?.response.body.count ?? 0) <= bytes.count)
    }

    @Test func aLongBodyIsCut() throws {
        var parser = HTTPResponseParser()
        try parser.feed(Array("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n200000\r\n".utf8).span)
        let piece = [UInt8](repeating: 7, count: 100_000)
        while !parser.isDone { try parser.feed(piece.span) }
        #expect(parser.response.body.count == HTTPResponseParser.bodyLimit)
        #expect(!parser.response.keepsAlive)
    }
}
