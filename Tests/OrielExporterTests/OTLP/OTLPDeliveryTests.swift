import OrielClient
import OrielExporterOTLP
import OrielOTLP
import OrielTelemetry
import Testing

/// Pipeline and exporter together.
@Suite struct OTLPDeliveryTests {
    private func pipeline(_ endpoint: String, _ change: (inout DeliveryConfiguration) -> Void = { _ in }) throws -> DeliveryPipeline {
        var configuration = DeliveryConfiguration()
        configuration.logDelay = .milliseconds(5)
        configuration.spanDelay = .milliseconds(5)
        configuration.batchBytes = 8 << 10
        configuration.retry.firstDelay = .milliseconds(2)
        configuration.retry.longestDelay = .milliseconds(20)
        change(&configuration)
        var exporter = OTLPExporter.Configuration(endpoint: endpoint)
        exporter.compression = .none
        return try DeliveryPipeline(
            name: "delivery", exporter: try OTLPExporter(exporter), resource: Resource(attributes: [Attribute("service.name", .string("shop"))]),
            configuration: configuration)
    }

    private func add(_ pipeline: DeliveryPipeline, _ numbers: Range<Int>) {
        let scope = pipeline.logs.scope(InstrumentationScope(name: "test"))
        for number in numbers {
            pipeline.logs.add(scope) { writer in
                writer.fixed64Field(1, UInt64(1_700_000_000_000_000_000 + number))
                writer.messageField(5) { $0.stringField(1, "\(number)") }
            }
        }
    }

    private func later() -> Timestamp { Timestamp.now.advanced(by: 60_000_000_000) }

    /// The records that a server took, by their times.
    private func numbers(_ servers: ScriptedServer...) throws -> [Int] {
        var numbers: [Int] = []
        for request in servers.flatMap(\.requests) {
            var decoder = OTLPDecoder()
            let decoded = try decoder.logs(request.body.span, receiveTime: .now)
            #expect(decoded.rejections.count == 0)
            for row in 0..<decoded.batch.count { numbers.append(Int(decoded.batch.times[row] - 1_700_000_000_000_000_000)) }
        }
        return numbers
    }

    private func waitUntil(_ condition: () -> Bool) async -> Bool {
        let end = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < end, !condition() { try? await Task.sleep(for: .milliseconds(2)) }
        return condition()
    }

    @Test func nothingIsLostWhileTheReceiverIsAway() async throws {
        let first = try ScriptedServer.answering { _ in ok }
        let pipeline = try pipeline(first.endpoint)
        add(pipeline, 0..<1000)
        #expect(await pipeline.flush(deadline: later()))
        first.stop()
        add(pipeline, 1000..<3000)
        #expect(await waitUntil { pipeline.statistics.isReceiverGone })
        add(pipeline, 3000..<4000)
        var statistics = pipeline.statistics
        #expect(statistics[.logs].delivered == 1000)
        let second = try ScriptedServer.answering(port: first.port) { _ in ok }
        defer { second.stop() }
        #expect(await waitUntil { pipeline.statistics[.logs].delivered == 4000 })
        #expect(await pipeline.shutdown(deadline: later()))
        statistics = pipeline.statistics
        #expect(statistics[.logs].emitted == 4000 && statistics[.logs].delivered == 4000)
        #expect(statistics[.logs].droppedTotal == 0 && statistics[.logs].waiting == 0)
        #expect(!statistics.isReceiverGone && statistics.failedRequests > 0)
        #expect(try numbers(first, second).sorted() == Array(0..<4000))
    }

    @Test func countsStayExactWhileTheReceiverMisbehaves() async throws {
        let server = try ScriptedServer { connection in
            var number = connection.number
            while let request = connection.request() {
                number += 1
                switch number % 7 {
                case 0: connection.write("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")
                case 1: connection.write("HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n")
                case 2: return
                case 3: connection.write("garbage")
                default:
                    connection.server.note(request)
                    connection.write(ok)
                }
            }
        }
        defer { server.stop() }
        let pipeline = try pipeline(server.endpoint) { $0.queueBytes = 256 << 10 }
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<4 {
                group.addTask { add(pipeline, (task * 5000)..<(task * 5000 + 5000)) }
            }
        }
        await pipeline.flush(deadline: later())
        await pipeline.shutdown(deadline: later())
        let counts = pipeline.statistics[.logs]
        #expect(counts.emitted == 20_000)
        #expect(counts.emitted == counts.delivered + counts.droppedTotal + counts.waiting, "\(counts)")
        let numbers = try numbers(server)
        #expect(UInt64(numbers.count) == counts.delivered && Set(numbers).count == numbers.count)
    }

    @Test func shutdownKeepsItsDeadlineWhenNobodyAnswers() async throws {
        let server = try ScriptedServer { $0.waitForEnd() }
        defer { server.stop() }
        let pipeline = try pipeline(server.endpoint) { $0.logDelay = .seconds(100) }
        add(pipeline, 0..<100)
        #expect(await pipeline.shutdown(deadline: Timestamp.now.advanced(by: 200_000_000)) == false)
        #expect(await waitUntil { pipeline.statistics[.logs].dropped == [.shutdown: 100] })
    }
}
