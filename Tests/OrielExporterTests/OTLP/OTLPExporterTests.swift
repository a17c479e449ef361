import Glibc
import OrielClient
import OrielCompression
import OrielExporterOTLP
import OrielOTLP
import OrielTelemetry
import OrielThreads
import Synchronization
import Testing

@Suite struct OTLPExporterTests {
    private func exporter(_ server: ScriptedServer, _ change: (inout OTLPExporter.Configuration) -> Void = { _ in }) throws -> OTLPExporter {
        var configuration = OTLPExporter.Configuration(endpoint: server.endpoint)
        change(&configuration)
        return try OTLPExporter(configuration)
    }

    private func batch(_ signal: ExportSignal = .logs, size: Int = 10) -> ExportBatch {
        var bytes = [UInt8](repeating: 7, count: size)
        for index in 0..<min(size, 1 << 20) { bytes[index] = UInt8(truncatingIfNeeded: index &* index) }
        return ExportBatch(signal: signal, request: bytes, itemCount: 1)
    }

    private func later(_ milliseconds: Int64 = 60_000) -> Timestamp { Timestamp.now.advanced(by: milliseconds * 1_000_000) }

    private func expectFailure(_ outcome: ExportOutcome, _ text: String, sourceLocation: SourceLocation = #_sourceLocation) {
        guard case .failed(nil, let reason) = outcome, reason.contains(text) else {
            Issue.record("\(outcome) is no failure with \"\(text)\"", sourceLocation: sourceLocation)
            return
        }
    }

    private func expectNobody(_ outcome: ExportOutcome, _ text: String, sourceLocation: SourceLocation = #_sourceLocation) {
        guard case .unreachable(let reason) = outcome, reason.contains(text) else {
            Issue.record("\(outcome) does not tell that there is nobody, with \"\(text)\"", sourceLocation: sourceLocation)
            return
        }
    }

    // MARK: Requests

    @Test func aConnectionThatWasMadeReadyIsUsed() throws {
        let server = try ScriptedServer.answering { _ in ok }
        defer { server.stop() }
        let exporter = try exporter(server)
        for _ in 0..<2 { exporter.prepare(deadline: later()) }
        #expect(exporter.export(batch(), deadline: later()) == .delivered())
        exporter.prepare(deadline: later())
        #expect(exporter.export(batch(), deadline: later()) == .delivered())
        #expect(server.accepted == 1 && server.requests.count == 2)
    }

    @Test func whereNobodyListensNothingIsMadeReady() throws {
        let server = try ScriptedServer.answering { _ in ok }
        server.stop()
        let exporter = try exporter(server)
        exporter.prepare(deadline: later())
        expectNobody(exporter.export(batch(), deadline: later()), "no connection")
    }

    @Test func requestsOfAllKindsGoOverOneConnection() throws {
        let server = try ScriptedServer.answering { _ in ok }
        defer { server.stop() }
        let exporter = try exporter(server) {
            $0.endpoint += "/base/"
            $0.headers = [.init("X-Scope-OrgID", "shop"), .init("authorization", "Bearer 1")]
        }
        for signal in ExportSignal.allCases { #expect(exporter.export(batch(signal, size: 3), deadline: later()) == .delivered()) }
        let requests = server.requests
        #expect(requests.map(\.firstLine) == ["logs", "metrics", "traces"].map { "POST /base/v1/\($0) HTTP/1.1" })
        #expect(requests.allSatisfy { $0.body == [0, 1, 4] })
        #expect(server.accepted == 1)
        let request = try #require(requests.first)
        #expect(request["host"] == "127.0.0.1:\(server.port)")
        #expect(request["content-type"] == "application/x-protobuf")
        #expect(request["content-length"] == "3")
        #expect(request["content-encoding"] == nil)
        #expect(request["user-agent"]?.hasPrefix("oriel-swift/") == true)
        #expect(request["x-scope-orgid"] == "shop")
        #expect(request["authorization"] == "Bearer 1")
    }

    @Test func oneKindCanGoElsewhere() throws {
        let server = try ScriptedServer.answering { _ in ok }
        defer { server.stop() }
        let other = try ScriptedServer.answering { _ in ok }
        defer { other.stop() }
        let exporter = try exporter(server) {
            $0.headers = [.init("a", "1")]
            $0.overrides[.spans] = .init(endpoint: other.endpoint + "/in?x=y", headers: [.init("b", "2")])
        }
        for _ in 0..<2 {
            for signal in ExportSignal.allCases { #expect(exporter.export(batch(signal), deadline: later()) == .delivered()) }
        }
        #expect(server.requests.map(\.firstLine) == ["logs", "metrics", "logs", "metrics"].map { "POST /v1/\($0) HTTP/1.1" })
        #expect(other.requests.map(\.firstLine) == ["POST /in?x=y HTTP/1.1", "POST /in?x=y HTTP/1.1"])
        #expect(other.requests[0]["b"] == "2" && other.requests[0]["a"] == nil)
        #expect(server.accepted == 1 && other.accepted == 1)
    }

    @Test func largeBodiesAreCompressed() throws {
        let server = try ScriptedServer.answering { _ in ok }
        defer { server.stop() }
        let exporter = try exporter(server) { $0.compression = .gzip }
        let batches = [1023, 1024, 300_000, 5_000].map { batch(size: $0) }
        for batch in batches { #expect(exporter.export(batch, deadline: later()) == .delivered()) }
        let requests = server.requests
        #expect(requests.map { $0["content-encoding"] } == [nil, "gzip", "gzip", "gzip"])
        #expect(requests[0].body == batches[0].request)
        for (request, batch) in zip(requests, batches).dropFirst() {
            #expect(try ContentEncoding.gzip.decompress(request.body, limit: 1 << 20) == batch.request)
            #expect(request.body.count < batch.request.count / 3)
        }
    }

    @Test func largeBodiesArriveWhole() throws {
        let server = try ScriptedServer.answering { _ in ok }
        defer { server.stop() }
        let exporter = try exporter(server)
        let batch = batch(size: 5 << 20)
        #expect(exporter.export(batch, deadline: later()) == .delivered())
        #expect(server.requests.first?.body == batch.request)
    }

    @Test(arguments: [false, true]) func unixSocketsWork(asURL: Bool) throws {
        let path = "/tmp/oriel-otlp-\(getpid())-\(UInt32.random(in: 0...UInt32.max)).sock"
        defer { unsafe unlink(path) }
        let server = try ScriptedServer.answering(unixPath: path) { _ in ok }
        defer { server.stop() }
        let exporter = try exporter(server) {
            $0.endpoint = asURL ? "http+unix://" + path.split(separator: "/").map { "%2F" + $0 }.joined() + "/x" : "unix:" + path
        }
        for _ in 0..<2 { #expect(exporter.export(batch(.spans), deadline: later()) == .delivered()) }
        #expect(server.requests.map(\.firstLine) == Array(repeating: "POST \(asURL ? "/x" : "")/v1/traces HTTP/1.1", count: 2))
        #expect(server.requests[0]["host"] == "localhost")
        #expect(server.accepted == 1)
    }

    @Test func namesAreLookedUp() throws {
        let server = try ScriptedServer.answering { _ in ok }
        defer { server.stop() }
        // The name mostly has an address of IPv6, where nobody listens, before that of IPv4.
        let exporter = try exporter(server) { $0.endpoint = "http://localhost:\(server.port)" }
        #expect(exporter.export(batch(), deadline: later()) == .delivered())
    }

    @Test func twoThreadsMayExportAtOnce() async throws {
        let server = try ScriptedServer.answering { _ in ok }
        defer { server.stop() }
        let exporter = try exporter(server) { $0.compression = .gzip }
        let batch = batch(size: 20_000)
        let deadline = later()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<2 {
                group.addTask {
                    for _ in 0..<50 { #expect(exporter.export(batch, deadline: deadline) == .delivered()) }
                }
            }
        }
        #expect(server.requests.count == 100)
        #expect(try server.requests.allSatisfy { try ContentEncoding.gzip.decompress($0.body, limit: 1 << 20) == batch.request })
    }

    // MARK: Answers

    @Test func whatTheReceiverDidNotTakeIsTold() throws {
        let answer = OTLPExportResponse(rejectedCount: 3, errorMessage: "bad\r\n\u{1B}[31mids").encoded(.traces, format: .protobuf)
        let server = try ScriptedServer { connection in
            _ = connection.request()
            connection.write("HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf; v=1\r\ncontent-length: \(answer.count)\r\n\r\n")
            connection.write(answer)
            _ = connection.request()
            connection.write("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: Chunked\r\n\r\n")
            let json = OTLPExportResponse(rejectedCount: 0, errorMessage: "a warning").encoded(.traces, format: .json)
            for byte in json {
                connection.write("1;x=y\r\n")
                connection.write([byte])
                connection.write("\r\n")
            }
            connection.write("0\r\nTrailer: x\r\n\r\n")
            _ = connection.request()
            connection.write("HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 2\r\n\r\n\u{7F}\u{7F}")
            _ = connection.request()
            connection.write("HTTP/1.1 204 No Content\r\n\r\n")
            _ = connection.request()
            connection.write("HTTP/1.1 202 Accepted\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nfine")
        }
        defer { server.stop() }
        let exporter = try exporter(server)
        #expect(exporter.export(batch(.spans), deadline: later()) == .delivered(rejected: 3, message: "bad [31mids"))
        #expect(exporter.export(batch(.spans), deadline: later()) == .delivered(rejected: 0, message: "a warning"))
        guard case .delivered(0, let message) = exporter.export(batch(.spans), deadline: later()) else {
            Issue.record("not delivered")
            return
        }
        #expect(message.contains("cannot be read"))
        #expect(exporter.export(batch(.spans), deadline: later()) == .delivered())
        #expect(exporter.export(batch(.spans), deadline: later()) == .delivered())
        #expect(server.accepted == 1)
    }

    @Test(arguments: [429, 502, 503, 504]) func someAnswersMayChange(status: Int) throws {
        let server = try ScriptedServer.answering { _ in "HTTP/1.1 \(status) Busy\r\nRetry-After: 7\r\nContent-Length: 9\r\n\r\nnot\r\n now" }
        defer { server.stop() }
        #expect(
            try exporter(server).export(batch(), deadline: later())
                == .failed(after: .seconds(7), reason: "\(server.endpoint) answered \(status): not now"))
    }

    @Test func retryAfterMayBeADate() throws {
        let server = try ScriptedServer.answering { _ in
            "HTTP/1.1 503 Busy\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nRetry-After: Sun, 06 Nov 1994 08:51:07 GMT\r\nContent-Length: 0\r\n\r\n"
        }
        defer { server.stop() }
        #expect(try exporter(server).export(batch(), deadline: later()) == .failed(after: .seconds(90), reason: "\(server.endpoint) answered 503 Busy"))
    }

    @Test(arguments: [OTLPFormat.protobuf, .json], ["", "later"]) func theAnswersDelayCountsWithAndWithoutAMessage(format: OTLPFormat, message: String) throws {
        let body = RPCStatus(.unavailable, message, retryDelay: 3_000_000_000).encoded(format)
        let server = try ScriptedServer { connection in
            _ = connection.request()
            connection.write("HTTP/1.1 503 Busy\r\nContent-Type: \(format.mediaType)\r\nContent-Length: \(body.count)\r\n\r\n")
            connection.write(body)
        }
        defer { server.stop() }
        guard case .failed(let after, let reason) = try exporter(server).export(batch(), deadline: later()) else {
            Issue.record("not failed")
            return
        }
        #expect(after == .seconds(3))
        #expect(reason.hasPrefix("\(server.endpoint) answered 503"))
        if !message.isEmpty { #expect(reason.hasSuffix(": later")) }
    }

    @Test(arguments: [400, 401, 404, 408, 413, 415, 500, 501, 505, 599]) func theOthersWillNot(status: Int) throws {
        let body = RPCStatus(.invalidArgument, "bad span id").encoded(.protobuf)
        let server = try ScriptedServer { connection in
            while connection.request() != nil {
                connection.write("HTTP/1.1 \(status)\r\nRetry-After: 7\r\nContent-Type: application/x-protobuf\r\nContent-Length: \(body.count)\r\n\r\n")
                connection.write(body)
            }
        }
        defer { server.stop() }
        #expect(try exporter(server).export(batch(), deadline: later()) == .refused(reason: "\(server.endpoint) answered \(status): bad span id"))
    }

    @Test func errorTextsAreCut() throws {
        let server = try ScriptedServer.answering { _ in
            let text = "<html>\t" + String(repeating: "ä", count: 5000)
            return "HTTP/1.1 500 No\r\nContent-Length: \(text.utf8.count)\r\n\r\n" + text
        }
        defer { server.stop() }
        guard case .refused(let reason) = try exporter(server).export(batch(), deadline: later()) else {
            Issue.record("not refused")
            return
        }
        #expect(reason.hasPrefix("\(server.endpoint) answered 500: <html> äää") && reason.hasSuffix("ä..."))
        #expect((500...600).contains(reason.utf8.count))
    }

    @Test func redirectsAreTold() throws {
        let server = try ScriptedServer.answering { _ in "HTTP/1.1 301 Moved\r\nLocation: https://elsewhere/v1/logs\r\nContent-Length: 0\r\n\r\n" }
        defer { server.stop() }
        #expect(
            try exporter(server).export(batch(), deadline: later())
                == .refused(reason: "\(server.endpoint) answered 301, which points to https://elsewhere/v1/logs: the endpoint must say so"))
    }

    // MARK: Odd but right answers

    @Test func answersMayComeByteByByte() throws {
        let server = try ScriptedServer { connection in
            while connection.request() != nil {
                for byte in "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n".utf8 { connection.write([byte]) }
            }
        }
        defer { server.stop() }
        let exporter = try exporter(server)
        for _ in 0..<3 { #expect(exporter.export(batch(), deadline: later()) == .delivered()) }
        #expect(server.accepted == 1)
    }

    @Test func interimAnswersAreSkipped() throws {
        let server = try ScriptedServer.answering { _ in
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\nContent-Length: 5\r\n\r\n" + ok
        }
        defer { server.stop() }
        let exporter = try exporter(server)
        for _ in 0..<3 { #expect(exporter.export(batch(), deadline: later()) == .delivered()) }
        #expect(server.accepted == 1)
    }

    @Test func oldServersAreUnderstood() throws {
        let server = try ScriptedServer { connection in
            _ = connection.request()
            connection.write(connection.number == 1 ? "HTTP/1.0 200 OK\r\n\r\nthis ends with the connection" : "HTTP/1.0 503 Busy\nRetry-After: 1\n\nlater")
        }
        defer { server.stop() }
        let exporter = try exporter(server)
        #expect(exporter.export(batch(), deadline: later()) == .delivered())
        #expect(exporter.export(batch(), deadline: later()) == .failed(after: .seconds(1), reason: "\(server.endpoint) answered 503: later"))
        #expect(server.accepted == 2)
    }

    @Test func aConnectionIsNotKeptWhenTheReceiverSaysSo() throws {
        let server = try ScriptedServer.answering { _ in "HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 0\r\n\r\n" }
        defer { server.stop() }
        let exporter = try exporter(server)
        for _ in 0..<3 { #expect(exporter.export(batch(), deadline: later()) == .delivered()) }
        #expect(server.accepted == 3)
    }

    @Test(arguments: [true, false]) func anAnswerBeforeTheEndOfTheRequestCounts(withReset: Bool) throws {
        let gate = ThreadSignal()
        let server = try ScriptedServer { connection in
            var bytes: [UInt8] = []
            _ = connection.read(into: &bytes)
            connection.write("HTTP/1.1 413 Content Too Large\r\nContent-Length: 9\r\n\r\ntoo large")
            // The rest of the request is never read.
            if withReset { connection.resetAtEnd() } else { gate.wait(after: 0, timeout: .seconds(60)) }
        }
        defer { gate.notify() }
        defer { server.stop() }
        let exporter = try exporter(server)
        #expect(exporter.export(batch(size: 30 << 20), deadline: later()) == .refused(reason: "\(server.endpoint) answered 413: too large"))
    }

    @Test func aHugeAnswerIsNotReadToItsEnd() throws {
        let server = try ScriptedServer { connection in
            _ = connection.request()
            connection.write("HTTP/1.1 400 Bad\r\nContent-Length: 1000000000000\r\n\r\n")
            let piece = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 16)
            for _ in 0..<1000 { connection.write(piece) }
        }
        defer { server.stop() }
        guard case .refused(let reason) = try exporter(server).export(batch(), deadline: later()) else {
            Issue.record("not refused")
            return
        }
        #expect(reason.hasSuffix("xxx..."))
    }

    // MARK: Wrong answers

    @Test(arguments: [
        ("hello, this is SMTP\r\n", "no answer of HTTP"),
        ("\u{15}\u{3}\u{1}\u{0}\u{2}", "speaks TLS"),
        ("\u{0}\u{0}\u{12}\u{4}\u{0}", "speaks HTTP/2"),
        ("HTTP/1.1 two hundred\r\n\r\n", "status line"),
        ("HTTP/2 200\r\n\r\n", "status line"),
        ("HTTP/1.1 999 No\r\n\r\n", "status line"),
        ("HTTP/1.1 101 Switching\r\n\r\n", "another protocol"),
        ("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "no valid Content-Length"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", "no valid Content-Length"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "two lengths"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "unknown Transfer-Encoding"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", "no valid size"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n", "no valid size"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", "longer than it said"),
        ("HTTP/1.1 200 OK\r\nX: ", "ended within the answer"),
        ("", "closed without an answer"),
    ]) func whatIsNoAnswerIsAFailure(text: String, reason: String) throws {
        let server = try ScriptedServer { connection in
            _ = connection.request()
            connection.write(text)
        }
        defer { server.stop() }
        expectFailure(try exporter(server).export(batch(), deadline: later()), reason)
        #expect(server.accepted == 1)
    }

    /// Whether the rest is missing, broken off, or never comes, the request is not sent again if the status says that it was taken, or will never be.
    @Test(
        arguments: ["Content-Length: 10\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n5\r\nab", "Transfer-Encoding: chunked\r\n\r\n"],
        ["end", "reset", "silence"])
    func anAnswerWithoutItsEndCountsByItsStatus(rest: String, ending: String) throws {
        for (status, isTaken) in [("200 OK", true), ("404 Not Found", false)] {
            let server = try ScriptedServer { connection in
                _ = connection.request()
                connection.write("HTTP/1.1 \(status)\r\n\(rest)")
                switch ending {
                case "reset": connection.resetAtEnd()
                case "silence": connection.waitForEnd()
                default: break
                }
            }
            defer { server.stop() }
            let exporter = try exporter(server)
            for number in 1...2 {
                let outcome = exporter.export(batch(), deadline: later(ending == "silence" ? 1500 : 60_000))
                switch outcome {
                case .delivered: #expect(isTaken)
                case .refused(let reason): #expect(!isTaken && reason.contains("404"))
                // A reset may take the head along.
                case .failed, .unreachable: #expect(ending == "reset", "\(outcome)")
                }
                // Another answer cannot follow on the connection.
                #expect(server.accepted == number)
            }
        }
    }

    @Test func aBusyReceiverIsLeftAloneThoughItsAnswerBreaksOff() throws {
        let server = try ScriptedServer { connection in
            _ = connection.request()
            connection.write("HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 100\r\n\r\nnot now")
        }
        defer { server.stop() }
        #expect(
            try exporter(server).export(batch(), deadline: later())
                == .failed(after: .seconds(7), reason: "\(server.endpoint) answered 503: not now"))
    }

    @Test(arguments: [true, false]) func aGiantHeadIsAFailure(inOneLine: Bool) throws {
        let server = try ScriptedServer { connection in
            _ = connection.request()
            connection.write("HTTP/1.1 200 OK\r\n")
            for _ in 0..<10_000 { connection.write(inOneLine ? "X: yyyyyyyyyyyyyyyyyyyyy" : "X: yyyyyyyyyyyyyyyyyyyyy\r\n") }
        }
        defer { server.stop() }
        expectFailure(try exporter(server).export(batch(), deadline: later()), "has more than 65536 bytes")
    }

    // MARK: Silence

    @Test func aReceiverThatNeverAnswersCostsTheDeadline() throws {
        let server = try ScriptedServer { $0.waitForEnd() }
        defer { server.stop() }
        let exporter = try exporter(server)
        let deadline = later(150)
        expectFailure(exporter.export(batch(), deadline: deadline), "no answer came within the time given")
        #expect(Timestamp.now >= deadline)
    }

    @Test func eachKindHasATimeOfItsOwn() throws {
        let server = try ScriptedServer { $0.waitForEnd() }
        defer { server.stop() }
        let exporter = try exporter(server) {
            $0.timeout = .seconds(3600)
            $0.overrides[.spans] = .init(timeout: .milliseconds(500))
        }
        // Otherwise it would take an hour.
        expectFailure(exporter.export(batch(.spans), deadline: later(3_600_000)), "within the time given")
        // The deadline counts where it is earlier.
        let deadline = later(500)
        expectFailure(exporter.export(batch(.logs), deadline: deadline), "within the time given")
        #expect(Timestamp.now >= deadline)
    }

    @Test func aReceiverThatNeverReadsCostsTheDeadline() throws {
        let gate = ThreadSignal()
        let server = try ScriptedServer { _ in gate.wait(after: 0, timeout: .seconds(60)) }
        defer {
            gate.notify()
            server.stop()
        }
        expectFailure(try exporter(server).export(batch(size: 30 << 20), deadline: later(150)), "could not be sent within the time given")
    }

    @Test func aReceiverThatTricklesCostsTheDeadline() throws {
        let server = try ScriptedServer { connection in
            _ = connection.request()
            connection.write("HTTP/1.1 200 OK\r\n")
            for number in 0..<10_000 {
                connection.write("X: \(number)\r\n")
                _ = usleep(5_000)
            }
        }
        defer { server.stop() }
        expectFailure(try exporter(server).export(batch(), deadline: later(200)), "no answer came within the time given")
    }

    @Test func anExpiredDeadlineSendsNothing() throws {
        let server = try ScriptedServer.answering { _ in ok }
        defer { server.stop() }
        let exporter = try exporter(server)
        #expect(exporter.export(batch(), deadline: later()) == .delivered())
        expectFailure(exporter.export(batch(), deadline: later(-1)), "no time was left")
        #expect(server.requests.count == 1)
    }

    @Test func aSlowReceiverIsWaitedFor() throws {
        let server = try ScriptedServer { connection in
            while connection.request() != nil {
                _ = usleep(150_000)
                connection.write(ok)
            }
        }
        defer { server.stop() }
        let outcome = try exporter(server).export(batch(), deadline: later())
        #expect(outcome == .delivered())
    }

    // MARK: Connections that end

    @Test func nobodyListens() throws {
        let server = try ScriptedServer { _ in }
        server.stop()
        expectNobody(try exporter(server).export(batch(), deadline: later()), "no connection to 127.0.0.1: Connection refused")
        let exporter = try exporter(server) { $0.endpoint = "unix:/tmp/there-is-no-such-socket" }
        expectNobody(exporter.export(batch(), deadline: later()), "no connection to /tmp/there-is-no-such-socket: No such file or directory")
    }

    @Test func anUnknownHostIsAFailure() throws {
        let exporter = try OTLPExporter(.init(endpoint: "http://no-such-host.invalid:4318"))
        // Either the resolver says so in time, or it does not.
        expectNobody(exporter.export(batch(), deadline: later(2_000)), "the host no-such-host.invalid")
    }

    @Test func aConnectionThatEndedBetweenRequestsIsReplaced() throws {
        let server = try ScriptedServer { connection in
            connection.server.note(connection.request()!)
            connection.write(ok)
        }
        defer { server.stop() }
        let exporter = try exporter(server)
        for _ in 0..<5 { #expect(exporter.export(batch(), deadline: later()) == .delivered()) }
        #expect(server.accepted == 5 && server.requests.count == 5)
    }

    @Test(arguments: [true, false]) func aConnectionThatEndsWithTheNextRequestIsReplacedOnce(withReset: Bool) throws {
        let server = try ScriptedServer { connection in
            _ = connection.request()
            connection.write(ok)
            _ = connection.request()
            if withReset { connection.resetAtEnd() }
        }
        defer { server.stop() }
        let exporter = try exporter(server)
        for _ in 0..<3 { #expect(exporter.export(batch(), deadline: later()) == .delivered()) }
        #expect(server.accepted == 3)
    }

    @Test func aFreshConnectionIsNotReplaced() throws {
        let server = try ScriptedServer { connection in
            _ = connection.request()
            // The first one answers once; then the one that replaces it ends, too.
            if connection.number == 1 {
                connection.write(ok)
                _ = connection.request()
            }
        }
        defer { server.stop() }
        let exporter = try exporter(server)
        #expect(exporter.export(batch(), deadline: later()) == .delivered())
        expectFailure(exporter.export(batch(), deadline: later()), "closed without an answer")
        #expect(server.accepted == 2)
    }

    @Test func aConnectionOnWhichAnAnswerBeganIsNotReplaced() throws {
        let server = try ScriptedServer { connection in
            _ = connection.request()
            connection.write(ok)
            _ = connection.request()
            connection.write("HTTP/1.1 20")
        }
        defer { server.stop() }
        let exporter = try exporter(server)
        #expect(exporter.export(batch(), deadline: later()) == .delivered())
        expectFailure(exporter.export(batch(), deadline: later()), "ended within the answer")
        #expect(server.accepted == 1)
    }

    @Test func bytesThatNobodyAskedForEndAConnection() throws {
        let server = try ScriptedServer { connection in
            while connection.request() != nil { connection.write(ok + "HTTP/1.1 408 Request Timeout\r\n\r\n") }
        }
        defer { server.stop() }
        let exporter = try exporter(server)
        for _ in 0..<3 { #expect(exporter.export(batch(), deadline: later()) == .delivered()) }
        #expect(server.accepted == 3)
    }

    @Test func shutdownClosesTheConnection() throws {
        let ended = ThreadSignal()
        let server = try ScriptedServer { connection in
            _ = connection.request()
            connection.write(ok)
            connection.waitForEnd()
            ended.notify()
        }
        defer { server.stop() }
        let exporter = try exporter(server)
        #expect(exporter.export(batch(), deadline: later()) == .delivered())
        exporter.shutdown()
        #expect(ended.wait(after: 0, timeout: .seconds(60)))
        #expect(exporter.export(batch(), deadline: later()) == .delivered())
        #expect(ended.wait(after: 1, timeout: .seconds(60)))
    }
}
