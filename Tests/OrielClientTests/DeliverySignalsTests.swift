import OrielClient
import OrielTelemetry
import OrielThreads
import Synchronization
import Testing

/// Kinds of telemetry that have receivers of their own, or a receiver that does not want one of them.
@Suite struct DeliverySignalsTests {
    private func pipeline(_ exporter: any TelemetryExporter, _ change: (inout DeliveryConfiguration) -> Void = { _ in }) throws -> DeliveryPipeline {
        try DeliveryPipeline(name: "delivery", exporter: exporter, resource: Resource(), configuration: .patient(change))
    }

    private func expectExact(_ pipeline: DeliveryPipeline, sourceLocation: SourceLocation = #_sourceLocation) {
        for signal in ExportSignal.allCases {
            let counts = pipeline.statistics[signal]
            #expect(
                counts.emitted + counts.recovered == counts.delivered + counts.droppedTotal + counts.waiting, "\(signal): \(counts)",
                sourceLocation: sourceLocation)
        }
    }

    /// Takes all but spans.
    private func exporter(_ outcome: ExportOutcome = .failed(reason: "gone")) -> FakeExporter {
        FakeExporter { _, batch in batch.signal == .spans ? outcome : .delivered() }
    }

    @Test(arguments: [nil, .seconds(200)] as [Duration?]) func logsGoOnWhileSpansCannot(after: Duration?) async throws {
        let exporter = exporter(.failed(after: after, reason: "gone"))
        let pipeline = try pipeline(exporter) { $0.retry.failuresUntilOpen = 1 }
        pipeline.spans.add("a span")
        #expect(await pipeline.flush(deadline: .after(.seconds(60))) == false)
        for number in 0..<10 {
            pipeline.logs.add("\(number)")
            // False, since the span waits still.
            #expect(await pipeline.flush(deadline: .after(.seconds(60))) == false)
            #expect(exporter.bodies.count == number + 1)
        }
        #expect(exporter.attempts.count { $0.batch.signal == .spans } == 1)
        #expect(pipeline.statistics.isReceiverGone)
        #expect(pipeline.statistics[.spans].waiting == 1)
        expectExact(pipeline)
        pipeline.logs.add("last")
        #expect(await pipeline.shutdown(deadline: .after(.seconds(60))) == false)
        #expect(exporter.bodies.last == "last")
        #expect(pipeline.statistics[.spans].dropped == [.shutdown: 1])
        #expect(pipeline.statistics[.logs].droppedTotal == 0)
        expectExact(pipeline)
    }

    @Test func onlyWhatCannotBeSentMakesRoom() async throws {
        let exporter = exporter()
        let pipeline = try pipeline(exporter) {
            $0.queueBytes = 256 << 10
            $0.batchBytes = 16 << 10
        }
        let text = String(repeating: "x", count: 1000)
        for number in 0..<1000 {
            pipeline.spans.add("\(number) \(text)")
            if number % 30 == 29 {
                #expect(pipeline.logs.add("\(number)"))
                // Sees to it that the thread keeps up.
                await pipeline.flush(deadline: .after(.seconds(60)))
            }
        }
        #expect(pipeline.statistics.queuedBytes <= 256 << 10)
        #expect(exporter.bodies.count == 33)
        #expect(pipeline.statistics[.spans].dropped[.queueFull] ?? 0 > 700)
        #expect(pipeline.statistics[.logs].droppedTotal == 0)
        expectExact(pipeline)
    }

    @Test func filesOfLogsDoNotWaitBehindThoseOfSpans() async throws {
        let folder = TemporaryFolder()
        do {
            let pipeline = try pipeline(FakeExporter(.failed(reason: "gone"))) { $0.spillFolder = folder.path }
            pipeline.spans.add("a span")
            await pipeline.flush(deadline: .after(.seconds(60)))
            pipeline.logs.add("a line")
            #expect(await pipeline.shutdown(deadline: .after(.seconds(60))) == false)
            #expect(pipeline.statistics[.spans].waiting == 1 && pipeline.statistics[.logs].waiting == 1)
        }
        let exporter = exporter()
        let pipeline = try pipeline(exporter) {
            $0.spillFolder = folder.path
            $0.retry.firstDelay = .milliseconds(1)
            $0.retry.longestDelay = .milliseconds(1)
            $0.retry.failuresUntilOpen = 1
        }
        pipeline.spans.add("another span")
        #expect(await eventually { exporter.bodies == ["a line"] })
        #expect(await pipeline.flush(deadline: .after(.seconds(60))) == false)
        #expect(pipeline.statistics[.spans].waiting == 2)
        expectExact(pipeline)
        exporter.setAnswer(.delivered())
        #expect(await eventually { exporter.delivered.count { $0.signal == .spans } == 2 && pipeline.statistics[.spans].waiting == 0 })
        #expect(pipeline.statistics[.spans].recovered == 1 && pipeline.statistics[.logs].recovered == 1)
        expectExact(pipeline)
    }

    /// Takes logs at once, and for spans all the time it is given.
    private final class HangingForSpans: TelemetryExporter {
        let logs = Mutex(0)
        private let signal = ThreadSignal()
        private let limit = DeadlineLimit()

        func export(_ batch: ExportBatch, deadline: Timestamp) -> ExportOutcome {
            if batch.signal == .logs {
                logs.withLock { $0 += batch.itemCount }
                return .delivered()
            }
            while true {
                let ticket = signal.ticket
                guard let rest = Deadline(deadline, limit: limit).rest else { return .failed(reason: "timeout") }
                signal.wait(after: ticket, timeout: rest)
            }
        }

        func endExports(by deadline: Timestamp) {
            limit.set(deadline)
            signal.notify()
        }
    }

    @Test func atTheEndTheTimeIsForThoseWhoAnswered() async throws {
        let exporter = HangingForSpans()
        let pipeline = try pipeline(exporter)
        pipeline.spans.add("a span")
        #expect(await pipeline.flush(deadline: .after(.milliseconds(30))) == false)
        #expect(await eventually { pipeline.statistics.failedRequests == 1 })
        pipeline.spans.add("another span")
        pipeline.logs.add("a line")
        #expect(await pipeline.shutdown(deadline: .after(.milliseconds(300))) == false)
        #expect(exporter.logs.withLock { $0 } == 1)
        #expect(await eventually { pipeline.statistics[.spans].dropped == [.shutdown: 2] })
        expectExact(pipeline)
    }
}
