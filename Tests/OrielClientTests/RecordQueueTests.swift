import OrielClient
import OrielTelemetry
import OrielThreads
import Testing

@Suite struct RecordQueueTests {
    private let exporter = FakeExporter()
    private let pipeline: DeliveryPipeline

    init() throws { pipeline = try DeliveryPipeline(name: "test", exporter: exporter, resource: Resource()) }

    @Test func recordsOfThreadsThatComeAndGoAllArrive() async throws {
        let queue = pipeline.logs
        for round in 0..<5 {
            let threads = try (0..<24).map { thread in
                try OwnThread(name: "adds") {
                    for record in 0..<50 { queue.add("\(round) \(thread) \(record)") }
                }
            }
            for thread in threads { thread.join() }
        }
        #expect(await pipeline.flush(deadline: .after(.seconds(60))))
        let bodies = exporter.bodies
        #expect(bodies.count == 5 * 24 * 50 && Set(bodies).count == bodies.count)
        #expect(pipeline.statistics[.logs].emitted == 5 * 24 * 50)
    }

    @Test func aRecordMayBeAddedWhileAnotherIsEncoded() async throws {
        let queue = pipeline.logs
        let scope = queue.scope(InstrumentationScope(name: "test"))
        for round in 0..<20 {
            queue.add(scope) { writer in
                writer.messageField(5) { body in
                    queue.add("inner \(round)")
                    body.stringField(1, "outer \(round)" + String(repeating: "x", count: round * 1000))
                    queue.add(scope) { $0.messageField(5) { $0.stringField(1, "second \(round)") } }
                }
            }
        }
        #expect(await pipeline.flush(deadline: .after(.seconds(60))))
        let expected = (0..<20).flatMap { ["inner \($0)", "second \($0)", "outer \($0)" + String(repeating: "x", count: $0 * 1000)] }
        #expect(Set(exporter.bodies) == Set(expected) && exporter.bodies.count == expected.count)
    }

    @Test func aRecordGoesToSeveralQueuesEncodedOnce() async throws {
        let otherExporter = FakeExporter()
        let other = try DeliveryPipeline(name: "other", exporter: otherExporter, resource: Resource())
        let scope = InstrumentationScope(name: "test")
        var encodings = 0
        for _ in 0..<100 {
            pipeline.logs.add(pipeline.logs.scope(scope)) { writer in
                encodings += 1
                writer.messageField(5) { $0.stringField(1, "to both") }
                let isAdded = other.logs.add(other.logs.scope(scope), encoded: writer.bytes.span)
                #expect(isAdded)
            }
        }
        #expect(await pipeline.flush(deadline: .after(.seconds(60))))
        #expect(await other.flush(deadline: .after(.seconds(60))))
        #expect(encodings == 100 && exporter.bodies == Array(repeating: "to both", count: 100) && otherExporter.bodies == exporter.bodies)
    }
}
