import OrielClient
import OrielTelemetry
import OrielThreads
import Synchronization
import Testing

@Suite struct DeliveryPipelineTests {
    private static let resource = Resource(attributes: [Attribute("service.name", .string("shop"))])

    private func pipeline(
        _ exporter: FakeExporter, metrics: MetricPush? = nil, _ change: (inout DeliveryConfiguration) -> Void = { _ in }
    ) throws -> DeliveryPipeline {
        try DeliveryPipeline(
            name: "delivery", exporter: exporter, resource: Self.resource, configuration: DeliveryConfiguration.patient(change), metrics: metrics)
    }

    private func expectExact(_ pipeline: DeliveryPipeline, _ signal: ExportSignal = .logs, sourceLocation: SourceLocation = #_sourceLocation) {
        let counts = pipeline.statistics[signal]
        #expect(counts.emitted + counts.recovered == counts.delivered + counts.droppedTotal + counts.waiting, "\(counts)", sourceLocation: sourceLocation)
    }

    // MARK: Batching

    @Test func enoughBytesAreSentAtOnce() async throws {
        let exporter = FakeExporter()
        let pipeline = try pipeline(exporter) { $0.batchBytes = 64 << 10 }
        let text = String(repeating: "x", count: 1000)
        for number in 0..<400 { #expect(pipeline.logs.add("\(number) \(text)")) }
        #expect(await eventually { exporter.bodies.count >= 200 })
        #expect(await pipeline.flush(deadline: .after(.seconds(60))))
        let numbers = exporter.bodies.compactMap { $0.split(separator: " ").first.flatMap { Int($0) } }
        #expect(numbers.sorted() == Array(0..<400))
        #expect(exporter.attempts.allSatisfy { $0.batch.request.count < 70 << 10 })
        #expect(exporter.attempts.count >= 6)
        let counts = pipeline.statistics[.logs]
        #expect(counts.delivered == 400 && counts.waiting == 0 && counts.emitted == 400)
        #expect(pipeline.statistics.queuedBytes == 0)
    }

    @Test func fewRecordsAreSentWhenTheyAreOldEnough() async throws {
        let exporter = FakeExporter()
        let pipeline = try pipeline(exporter) {
            $0.logDelay = .milliseconds(20)
            $0.spanDelay = .milliseconds(40)
        }
        pipeline.logs.add("one")
        #expect(await eventually { exporter.bodies == ["one"] })
        pipeline.spans.add("a span")
        #expect(await eventually { exporter.delivered.map(\.signal) == [.logs, .spans] })
        pipeline.logs.add("two")
        #expect(await eventually { exporter.bodies == ["one", "two"] })
    }

    @Test func recordsAreGroupedByScopeUnderTheResource() async throws {
        let exporter = FakeExporter()
        let pipeline = try pipeline(exporter)
        for number in 0..<6 { pipeline.logs.add("\(number)", scope: InstrumentationScope(name: number % 2 == 0 ? "even" : "odd", version: "1")) }
        #expect(await pipeline.flush(deadline: .after(.seconds(60))))
        let batch = try #require(exporter.delivered.first)
        #expect(exporter.delivered.count == 1 && batch.itemCount == 6)
        #expect(batch.payloads(at: [1, 1, 1, 1]).map { String(decoding: $0, as: UTF8.self) } == ["service.name"])
        #expect(batch.payloads(at: [1, 2, 1, 1]).map { String(decoding: $0, as: UTF8.self) } == ["even", "odd"])
        #expect(batch.bodies == ["0", "2", "4", "1", "3", "5"])
    }

    // MARK: Flushing

    @Test func aFlushOfNothingIsDone() async throws {
        let exporter = FakeExporter()
        let pipeline = try pipeline(exporter)
        #expect(await pipeline.flush(deadline: .after(.seconds(60))))
        #expect(pipeline.flushBlocking(deadline: .after(.seconds(60))))
        #expect(exporter.attempts.isEmpty)
    }

    @Test func aFlushTriesAgainWhileThereIsTime() async throws {
        let exporter = FakeExporter { number, _ in number == 0 ? .failed(reason: "busy") : .delivered() }
        let pipeline = try pipeline(exporter) {
            $0.retry.firstDelay = .milliseconds(5)
        }
        pipeline.logs.add("one")
        #expect(await pipeline.flush(deadline: .after(.seconds(60))))
        #expect(exporter.attempts.count == 2)
        #expect(pipeline.statistics.failedRequests == 1)
        #expect(pipeline.statistics.lastFailure == "busy")
    }

    @Test func aFlushEndsWhenTheNextAttemptIsTooLate() async throws {
        let exporter = FakeExporter(.failed(reason: "gone"))
        let pipeline = try pipeline(exporter)
        pipeline.logs.add("one")
        #expect(await pipeline.flush(deadline: .after(.seconds(60))) == false)
        #expect(await pipeline.flush(deadline: .after(.seconds(60))) == false)
        #expect(exporter.attempts.count == 1)
        #expect(pipeline.statistics[.logs].waiting == 1)
        expectExact(pipeline)
    }

    @Test func aFlushGivesAnAttemptNoMoreTimeThanItHas() async throws {
        let exporter = FakeExporter()
        exporter.hold()
        let pipeline = try pipeline(exporter)
        pipeline.logs.add("one")
        let deadline = Timestamp.after(.milliseconds(50))
        #expect(await pipeline.flush(deadline: deadline) == false)
        #expect(await eventually { exporter.attempts.first?.outcome == .failed(reason: "timeout") })
        #expect(exporter.attempts.first?.deadline == deadline)
    }

    @Test func aShortFlushTellsNothingOfTheReceiver() async throws {
        let exporter = FakeExporter()
        exporter.hold()
        let pipeline = try pipeline(exporter) { $0.pauseAfterFlush = .seconds(1000) }
        pipeline.logs.add("one")
        // A thread that comes too late for a flush does not try.
        for _ in 0..<1000 where pipeline.statistics.failedRequests < 5 { #expect(await pipeline.flush(deadline: .after(.milliseconds(20))) == false) }
        #expect(pipeline.statistics.failedRequests >= 5)
        #expect(!pipeline.statistics.isReceiverGone)
        exporter.release()
        #expect(await pipeline.flush(deadline: .after(.seconds(60))))
        #expect(exporter.bodies == ["one"])
    }

    @Test func nothingIsBegunWhereAProcessMayBeFrozenAfterAFlush() async throws {
        let exporter = FakeExporter()
        exporter.hold()
        let pipeline = try pipeline(exporter) {
            $0.logDelay = .zero
            $0.pauseAfterFlush = .seconds(1000)
        }
        pipeline.logs.add("one")
        #expect(await eventually { exporter.attempts.count == 1 })
        #expect(await pipeline.flush(deadline: .after(.milliseconds(20))) == false)
        exporter.release()
        // Under way before, it goes on; what comes now waits.
        #expect(await eventually { exporter.bodies == ["one"] })
        for number in 2...100 {
            pipeline.logs.add("\(number)")
            await Task.yield()
        }
        #expect(exporter.attempts.count == 1)
        #expect(exporter.preparations == 1)
        pipeline.resume()
        #expect(await eventually { exporter.bodies.count == 100 })
        #expect(exporter.preparations == 2)
        #expect(await pipeline.flush(deadline: .after(.seconds(60))))
    }

    @Test func aFlushEndsAtItsDeadlineWhileTheThreadIsBusy() async throws {
        let exporter = FakeExporter(keepsDeadlines: false)
        exporter.hold()
        let pipeline = try pipeline(exporter) { $0.logDelay = .zero }
        pipeline.logs.add("one")
        #expect(await eventually { exporter.attempts.count == 1 })
        #expect(await pipeline.flush(deadline: .after(.milliseconds(20))) == false)
        #expect(pipeline.flushBlocking(deadline: .after(.milliseconds(20))) == false)
        exporter.release()
        #expect(await pipeline.flush(deadline: .after(.seconds(60))))
    }

    @Test func aFlushDoesNotWaitForWhatCameAfterIt() async throws {
        let exporter = FakeExporter(keepsDeadlines: false)
        let pipeline = try pipeline(exporter)
        // There is never no record that waits.
        let emitter = Task {
            while !Task.isCancelled {
                pipeline.logs.add("more")
                await Task.yield()
            }
        }
        for _ in 0..<20 { #expect(await pipeline.flush(deadline: .after(.seconds(60)))) }
        emitter.cancel()
    }

    @Test func aRefusedRequestIsDroppedAndTheFlushTells() async throws {
        let exporter = FakeExporter(.refused(reason: "no such tenant"))
        let pipeline = try pipeline(exporter)
        pipeline.logs.add("one")
        #expect(await pipeline.flush(deadline: .after(.seconds(60))) == false)
        #expect(pipeline.statistics[.logs].dropped == [.refused: 1])
        #expect(pipeline.statistics.lastFailure == "no such tenant")
        #expect(pipeline.statistics.isReceiverGone == false)
        expectExact(pipeline)
    }

    @Test func rejectedItemsAreCounted() async throws {
        let exporter = FakeExporter(.delivered(rejected: 2, message: "bad time"))
        let pipeline = try pipeline(exporter)
        for number in 0..<5 { pipeline.logs.add("\(number)") }
        #expect(await pipeline.flush(deadline: .after(.seconds(60))))
        #expect(pipeline.statistics[.logs].dropped == [.rejected: 2])
        #expect(pipeline.statistics[.logs].delivered == 3)
        exporter.setAnswer(.delivered(rejected: 70, message: "more than there were"))
        pipeline.logs.add("6")
        #expect(await pipeline.flush(deadline: .after(.seconds(60))))
        #expect(pipeline.statistics[.logs].dropped == [.rejected: 3])
        expectExact(pipeline)
    }

    // MARK: Retrying

    @Test func aReceiverThatIsGoneIsLeftAlone() async throws {
        let exporter = FakeExporter(.failed(reason: "gone"))
        let pipeline = try pipeline(exporter) { $0.retry.failuresUntilOpen = 1 }
        pipeline.logs.add("one")
        #expect(await pipeline.flush(deadline: .after(.seconds(4000))) == false)
        #expect(pipeline.statistics.isReceiverGone)
        for number in 0..<10 {
            pipeline.logs.add("\(number)")
            // Even where there would be time: who waits for a receiver that is gone waits for nothing.
            #expect(await pipeline.flush(deadline: .after(.seconds(4000))) == false)
        }
        #expect(exporter.attempts.count == 1)
        expectExact(pipeline)
    }

    @Test func deliveryGoesOnWhenTheReceiverIsBack() async throws {
        let exporter = FakeExporter { number, _ in number < 6 ? .failed(reason: "gone") : .delivered() }
        let pipeline = try pipeline(exporter) {
            $0.retry.firstDelay = .milliseconds(1)
            $0.retry.longestDelay = .milliseconds(4)
            $0.logDelay = .zero
        }
        for number in 0..<50 { pipeline.logs.add("\(number)") }
        #expect(await eventually { exporter.bodies.count == 50 })
        #expect(await pipeline.flush(deadline: .after(.seconds(60))))
        #expect(pipeline.statistics.failedRequests == 6)
        #expect(pipeline.statistics.isReceiverGone == false)
        #expect(pipeline.statistics[.logs].delivered == 50)
        // What was sent before stays what it was.
        let first = exporter.attempts[0].batch.request
        #expect(exporter.attempts[0...2].allSatisfy { $0.batch.request == first })
        #expect(exporter.delivered.count { $0.request == first } == 1)
    }

    @Test(arguments: [false, true]) func aRequestThatIsNeverTakenHoldsUpNoOthers(hasFolder: Bool) async throws {
        let folder = TemporaryFolder()
        let exporter = FakeExporter { _, batch in batch.bodies.contains("poison") ? .failed(reason: "too much at once") : .delivered() }
        let pipeline = try pipeline(exporter) {
            if hasFolder { $0.spillFolder = folder.path }
            $0.logDelay = .zero
            $0.retry.firstDelay = .milliseconds(10)
            $0.retry.longestDelay = .milliseconds(10)
        }
        pipeline.logs.add("poison")
        #expect(await eventually { exporter.attempts.count >= 1 })
        var number = 0
        let isGivenUp = await eventually {
            // Small requests of a dead time go together, so each waits for the one before.
            if exporter.bodies.count == number {
                number += 1
                pipeline.logs.add("\(number)")
            }
            return pipeline.statistics[.logs].dropped == [.refused: 1]
        }
        #expect(isGivenUp)
        #expect(await pipeline.flush(deadline: .after(.seconds(60))))
        #expect(Set(exporter.bodies) == Set((1...number).map { "\($0)" }) && exporter.bodies.count == number)
        #expect(pipeline.statistics.lastFailure == "too much at once")
        expectExact(pipeline)
    }

    @Test func aRequestIsNotGivenUpBecauseNobodyIsThere() async throws {
        let exporter = FakeExporter { number, _ in number < 40 ? .failed(reason: "gone") : .delivered() }
        let pipeline = try pipeline(exporter) {
            $0.logDelay = .zero
            $0.retry.firstDelay = .milliseconds(10)
            $0.retry.longestDelay = .milliseconds(10)
        }
        for number in 0..<10 {
            pipeline.logs.add("\(number)")
            #expect(await eventually { exporter.attempts.count > 3 * number })
        }
        #expect(await eventually { exporter.bodies.count == 10 })
        #expect(pipeline.statistics[.logs].droppedTotal == 0)
    }

    @Test func smallRequestsOfADeadTimeAreSentTogether() async throws {
        let exporter = FakeExporter(.failed(reason: "gone"))
        let pipeline = try pipeline(exporter)
        for number in 0..<100 {
            pipeline.logs.add("\(number)")
            await pipeline.flush(deadline: .after(.seconds(60)))
        }
        #expect(exporter.attempts.count == 1)
        exporter.setAnswer(.delivered())
        #expect(await pipeline.shutdown(deadline: .after(.seconds(60))))
        #expect(exporter.bodies == (0..<100).map { "\($0)" })
        #expect(exporter.delivered.count == 2)
    }

    @Test func smallRequestsOfASlowReceiverAreSentTogether() async throws {
        final class Holder: Sendable {
            let pipeline = Mutex<DeliveryPipeline?>(nil)
        }
        let holder = Holder()
        let exporter = FakeExporter { number, _ in
            if number == 1 { holder.pipeline.withLock { $0 }?.logs.add("late") }
            return .delivered()
        }
        exporter.hold()
        let pipeline = try pipeline(exporter) {
            $0.batchBytes = 16 << 10
            $0.logDelay = .zero
        }
        holder.pipeline.withLock { $0 = pipeline }
        pipeline.logs.add("first")
        #expect(await eventually { exporter.attempts.count == 1 })
        let text = String(repeating: "x", count: 1000)
        for _ in 0..<20 { pipeline.logs.add(text) }
        exporter.release()
        #expect(await eventually { exporter.bodies.last == "late" })
        // The first one, a full one, and what was left of it with the late one.
        #expect(exporter.attempts.count == 3 && exporter.bodies.count == 22)
        expectExact(pipeline)
        holder.pipeline.withLock { $0 = nil }
    }

    @Test func whatTheReceiverAsksForIsRespected() async throws {
        let exporter = FakeExporter(.failed(after: .seconds(200), reason: "overloaded"))
        let pipeline = try pipeline(exporter) {
            $0.retry.firstDelay = .milliseconds(1)
            $0.retry.longestDelay = .milliseconds(1)
        }
        pipeline.logs.add("one")
        #expect(await pipeline.flush(deadline: .after(.seconds(60))) == false)
        // Not even at the end is it asked once more.
        #expect(await pipeline.shutdown(deadline: .after(.seconds(60))) == false)
        #expect(exporter.attempts.count == 1)
        #expect(pipeline.statistics[.logs].dropped == [.shutdown: 1])
    }

    @Test func delaysDoubleAndAreBounded() {
        var policy = RetryPolicy()
        #expect((1...7).map { policy.delay(failures: $0, requested: nil, chance: 0) } == [1, 2, 4, 8, 16, 30, 30].map { .seconds($0) })
        #expect(policy.delay(failures: 2, requested: nil, chance: 1) == .seconds(1))
        #expect(policy.delay(failures: 1, requested: .seconds(7), chance: 0) == .seconds(7))
        #expect(policy.delay(failures: 9, requested: .seconds(7), chance: 0) == .seconds(30))
        #expect(policy.delay(failures: 1, requested: .seconds(7000), chance: 0) == .seconds(300))
        #expect(policy.delay(failures: .max, requested: nil, chance: 0) == .seconds(30))
        // Many services that were asked for the same do not come back at once, and none before it may.
        #expect([0, 0.5, 1].map { policy.delay(failures: 1, requested: .seconds(8), chance: $0) } == [8, 10, 12].map { .seconds($0) })
        #expect(policy.delay(failures: 1, requested: .seconds(7000), chance: 1) == .seconds(450))
        #expect(policy.delay(failures: 5, requested: .seconds(14), chance: 1) == .seconds(21))
        #expect(policy.delay(failures: 5, requested: .seconds(1), chance: 1) == .seconds(8))
        policy.firstDelay = .seconds(-1)
        #expect(policy.delay(failures: .max, requested: nil, chance: 1) == .zero)
        policy.firstDelay = .seconds(1)
        policy.longestDelay = .seconds(Int64.max)
        #expect(policy.delay(failures: .max, requested: nil, chance: 0) == .seconds(Int64.max))
    }

    // MARK: Bounds

    @Test func theOldestLeavesWhileTheReceiverIsGone() async throws {
        let exporter = FakeExporter(.failed(reason: "gone"))
        let pipeline = try pipeline(exporter) {
            $0.queueBytes = 256 << 10
            $0.batchBytes = 16 << 10
        }
        let text = String(repeating: "x", count: 1000)
        for number in 0..<1000 {
            #expect(pipeline.logs.add("\(number) \(text)"))
            // Sees to it that the thread keeps up.
            if number % 30 == 29 || number == 999 { await pipeline.flush(deadline: .after(.seconds(60))) }
        }
        #expect(pipeline.statistics.queuedBytes <= 256 << 10)
        expectExact(pipeline)
        exporter.setAnswer(.delivered())
        // The last records may push out one more request before that.
        await pipeline.shutdown(deadline: .after(.seconds(60)))
        let evicted = try #require(pipeline.statistics[.logs].dropped[.queueFull])
        #expect(evicted > 700)
        let numbers = exporter.bodies.compactMap { $0.split(separator: " ").first.flatMap { Int($0) } }
        #expect(numbers == Array(Int(evicted)..<1000))
        expectExact(pipeline)
    }

    @Test func whatIsNewIsDroppedWhileTheReceiverIsSlow() async throws {
        let exporter = FakeExporter()
        exporter.hold()
        let pipeline = try pipeline(exporter) {
            $0.queueBytes = 256 << 10
            $0.logDelay = .zero
        }
        pipeline.logs.add("first")
        #expect(await eventually { exporter.attempts.count == 1 })
        let text = String(repeating: "x", count: 1000)
        var refused = 0
        for number in 0..<1000 where !pipeline.logs.add("\(number) \(text)") { refused += 1 }
        #expect(refused > 700)
        #expect(pipeline.statistics[.logs].dropped == [.queueFull: UInt64(refused)])
        #expect(pipeline.statistics.queuedBytes <= 256 << 10)
        expectExact(pipeline)
        exporter.release()
        #expect(await pipeline.flush(deadline: .after(.seconds(60))))
        #expect(exporter.bodies.count == 1001 - refused)
        #expect(pipeline.statistics.queuedBytes == 0)
        #expect(pipeline.logs.add("room again"))
        expectExact(pipeline)
    }

    @Test func memoryStaysWithinItsBoundWhileRequestsAreMade() async throws {
        let limit = 256 << 10
        let exporter = FakeExporter()
        let pipeline = try pipeline(exporter) {
            $0.queueBytes = limit
            $0.batchBytes = 64 << 10
        }
        await withTaskGroup(of: Int.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    let text = String(repeating: "x", count: 200)
                    var most = 0
                    for _ in 0..<50_000 {
                        pipeline.logs.add(text)
                        most = max(most, pipeline.statistics.queuedBytes)
                    }
                    return most
                }
            }
            for await most in group { #expect(most > limit / 2 && most <= limit) }
        }
        await pipeline.shutdown(deadline: .after(.seconds(60)))
        expectExact(pipeline)
        #expect(pipeline.statistics.queuedBytes == 0)
    }

    @Test func aTooLargeRecordIsDropped() async throws {
        let exporter = FakeExporter()
        let pipeline = try pipeline(exporter)
        #expect(!pipeline.logs.add(String(repeating: "x", count: 1 << 20)))
        let large = String(repeating: "y", count: 1_000_000)
        #expect(pipeline.logs.add(large))
        #expect(pipeline.logs.add("small"))
        #expect(await pipeline.flush(deadline: .after(.seconds(60))))
        #expect(exporter.bodies == [large, "small"])
        #expect(pipeline.statistics[.logs].dropped == [.tooLarge: 1])
        expectExact(pipeline)
    }

    @Test func settingsThatMakeNoSenseDoNoHarm() async throws {
        let exporter = FakeExporter()
        let pipeline = try pipeline(exporter) {
            $0.queueBytes = -1
            $0.batchBytes = 0
            $0.logDelay = .seconds(-1)
            $0.metricInterval = .zero
            $0.exportTimeout = .seconds(-5)
            $0.retry.failuresUntilOpen = -3
            $0.retry.firstDelay = .seconds(-1)
        }
        #expect(pipeline.logs.add("one"))
        #expect(await eventually { exporter.bodies == ["one"] })
        #expect(await pipeline.shutdown(deadline: Timestamp(nanoseconds: .max)))
    }

    @Test func delaysOfNothingDoNotMakeItSpin() async throws {
        let exporter = FakeExporter(.failed(reason: "gone"))
        let pipeline = try pipeline(exporter) {
            $0.retry.firstDelay = .zero
            $0.retry.longestDelay = .zero
            $0.retry.failuresUntilOpen = .max
        }
        let start = ContinuousClock.now
        pipeline.logs.add("one")
        #expect(await pipeline.flush(deadline: .after(.milliseconds(300))) == false)
        let count = exporter.attempts.count
        // Five milliseconds at least lie between two attempts.
        #expect(count >= 2 && count <= Int(start.duration(to: .now) / .milliseconds(5)) + 1)
    }

    @Test(arguments: [1, 2, 3] as [UInt64]) func countsAreExactWithManyThreads(seed: UInt64) async throws {
        let exporter = FakeExporter { number, batch in
            switch (UInt64(number) &* 0x9E37_79B9_7F4A_7C15 &+ seed) >> 61 {
            case 0: .failed(reason: "gone")
            case 1: .refused(reason: "bad")
            case 2: .delivered(rejected: batch.itemCount / 3, message: "some")
            default: .delivered()
            }
        }
        let pipeline = try pipeline(exporter) {
            $0.queueBytes = 512 << 10
            $0.batchBytes = 8 << 10
            $0.logDelay = .milliseconds(1)
            $0.spanDelay = .milliseconds(1)
            $0.retry.firstDelay = .milliseconds(1)
            $0.retry.longestDelay = .milliseconds(2)
        }
        let taken = await withTaskGroup(of: (Int, Int).self) { group in
            for thread in 0..<8 {
                group.addTask {
                    var logs = 0
                    var spans = 0
                    for number in 0..<20_000 {
                        if pipeline.logs.add("\(thread)/\(number)") { logs += 1 }
                        if number % 4 == 0, pipeline.spans.add("\(thread)/\(number)") { spans += 1 }
                    }
                    return (logs, spans)
                }
            }
            return await group.reduce(into: (0, 0)) { $0 = ($0.0 + $1.0, $0.1 + $1.1) }
        }
        await pipeline.shutdown(deadline: .after(.seconds(60)))
        let statistics = pipeline.statistics
        #expect(statistics[.logs].emitted == 160_000 && statistics[.spans].emitted == 40_000, "seed \(seed)")
        for (signal, taken) in [(ExportSignal.logs, taken.0), (.spans, taken.1)] {
            let counts = statistics[signal]
            #expect(counts.waiting == 0 && counts.emitted == counts.delivered + counts.droppedTotal, "seed \(seed): \(counts)")
            #expect(counts.emitted - (counts.dropped[.queueFull] ?? 0) <= UInt64(taken), "seed \(seed)")
            let arrived = exporter.delivered.filter { $0.signal == signal }.flatMap(\.bodies)
            #expect(UInt64(arrived.count) == counts.delivered + (counts.dropped[.rejected] ?? 0), "seed \(seed)")
            #expect(Set(arrived).count == arrived.count, "seed \(seed)")
        }
        #expect(statistics.queuedBytes == 0)
    }

    // MARK: Ending

    @Test func shutdownSendsWhatWaits() async throws {
        let exporter = FakeExporter()
        let pipeline = try pipeline(exporter)
        pipeline.logs.add("one")
        pipeline.spans.add("two")
        #expect(await pipeline.shutdown(deadline: .after(.seconds(60))))
        #expect(exporter.delivered.map(\.signal) == [.logs, .spans])
        #expect(exporter.shutdowns == 1)
        #expect(await pipeline.shutdown(deadline: .after(.seconds(60))))
        #expect(await pipeline.flush(deadline: .after(.seconds(60))) == false)
        #expect(!pipeline.logs.add("late"))
        #expect(pipeline.statistics[.logs].dropped == [.shutdown: 1])
        expectExact(pipeline)
    }

    @Test func shutdownKeepsItsDeadlineWhenNobodyAnswers() async throws {
        let exporter = FakeExporter()
        exporter.hold()
        let pipeline = try pipeline(exporter)
        for number in 0..<10 { pipeline.logs.add("\(number)") }
        let deadline = Timestamp.after(.milliseconds(200))
        #expect(await pipeline.shutdown(deadline: deadline) == false)
        #expect(exporter.attempts.allSatisfy { $0.deadline < deadline })
        #expect(await eventually { pipeline.statistics[.logs].dropped == [.shutdown: 10] && exporter.shutdowns == 1 })
        expectExact(pipeline)
    }

    @Test func shutdownIsNoticedWhileOthersWait() async throws {
        let exporter = FakeExporter(.failed(reason: "gone"))
        let pipeline = try pipeline(exporter) {
            $0.retry.firstDelay = .seconds(20)
            $0.retry.longestDelay = .seconds(20)
        }
        pipeline.logs.add("one")
        async let flushed = pipeline.flush(deadline: .after(.seconds(100)))
        #expect(await eventually { exporter.attempts.count == 1 })
        #expect(pipeline.shutdownBlocking(deadline: .after(.milliseconds(300))) == false)
        #expect(await flushed == false)
        #expect(exporter.attempts.count == 2)
        #expect(await eventually { pipeline.statistics[.logs].dropped == [.shutdown: 1] })
    }

    @Test func shutdownDoesNotWaitForSomebodyToCome() async throws {
        let exporter = FakeExporter(.unreachable(reason: "connection refused"))
        let pipeline = try pipeline(exporter) {
            $0.retry.firstDelay = .seconds(1000)
            $0.retry.longestDelay = .seconds(1000)
        }
        pipeline.logs.add("one")
        pipeline.spans.add("two")
        // Long before the time is over.
        let started = ContinuousClock.now
        #expect(await pipeline.shutdown(deadline: .after(.seconds(1000))) == false)
        #expect(started.duration(to: .now) < .seconds(500))
        // One with each kind of telemetry, which may have receivers of their own.
        #expect(exporter.attempts.count == 2)
        #expect(pipeline.statistics[.logs].dropped == [.shutdown: 1] && pipeline.statistics[.spans].dropped == [.shutdown: 1])
        #expect(pipeline.statistics.failedRequests == 2 && pipeline.statistics.lastFailure == "connection refused")
        expectExact(pipeline)
    }

    @Test func shutdownAsksAReceiverThatWasGoneOnceMore() async throws {
        let exporter = FakeExporter { number, _ in number == 0 ? .failed(reason: "gone") : .delivered() }
        let pipeline = try pipeline(exporter) { $0.retry.failuresUntilOpen = 1 }
        pipeline.logs.add("one")
        #expect(await pipeline.flush(deadline: .after(.seconds(60))) == false)
        #expect(await pipeline.shutdown(deadline: .after(.seconds(60))))
        #expect(exporter.bodies == ["one"])
    }

    @Test func shutdownKeepsTheSameTimeForFilesHoweverOftenItTries() async throws {
        let folder = TemporaryFolder()
        let exporter = FakeExporter(.failed(reason: "gone"))
        let pipeline = try pipeline(exporter) {
            $0.spillFolder = folder.path
            $0.retry.firstDelay = .milliseconds(1)
            $0.retry.longestDelay = .milliseconds(1)
            $0.retry.failuresUntilOpen = .max
        }
        pipeline.logs.add("one")
        let deadline = Timestamp.after(.seconds(1))
        #expect(await pipeline.shutdown(deadline: deadline) == false)
        #expect(exporter.attempts.count > 1)
        #expect(Set(exporter.attempts.map(\.deadline)).count == 1)
        #expect(exporter.attempts.allSatisfy { $0.deadline < deadline })
        #expect(pipeline.statistics[.logs].waiting == 1)
    }

    @Test func shutdownLeavesTimeForFilesThoughARequestIsUnderWay() async throws {
        let folder = TemporaryFolder()
        let exporter = FakeExporter()
        exporter.hold()
        let pipeline = try pipeline(exporter) {
            $0.spillFolder = folder.path
            $0.logDelay = .zero
            $0.exportTimeout = .seconds(1000)
        }
        pipeline.logs.add("one")
        #expect(await eventually { exporter.attempts.count == 1 })
        pipeline.logs.add("two")
        pipeline.spans.add("a span")
        #expect(await pipeline.shutdown(deadline: .after(.seconds(2))) == false)
        #expect(await eventually { exporter.shutdowns == 1 })
        #expect(pipeline.statistics[.logs].waiting == 2 && pipeline.statistics[.logs].droppedTotal == 0)
        #expect(pipeline.statistics[.spans].waiting == 1)
        #expect(exporter.attempts.allSatisfy { $0.outcome != nil })
    }

    @Test func aPauseDoesNotBeginWhereTheNextInvocationHasBegun() async throws {
        let exporter = FakeExporter(keepsDeadlines: false)
        exporter.hold()
        let pipeline = try pipeline(exporter) {
            $0.logDelay = .zero
            $0.pauseAfterFlush = .seconds(1000)
        }
        pipeline.logs.add("one")
        #expect(await eventually { exporter.attempts.count == 1 })
        // Its thread is busy until the flush is over and the next invocation has begun.
        #expect(await pipeline.flush(deadline: .after(.milliseconds(20))) == false)
        pipeline.resume()
        exporter.release()
        pipeline.logs.add("two")
        #expect(await eventually { exporter.bodies == ["one", "two"] })
    }

    @Test func anExporterThatDoesNotKeepItsTimeIsLeftAloneToo() async throws {
        let exporter = FakeExporter { _, _ in
            // Nobody notifies it.
            let signal = ThreadSignal()
            signal.wait(after: signal.ticket, timeout: .milliseconds(1100))
            return .failed(reason: "late")
        }
        let pipeline = try pipeline(exporter) {
            $0.logDelay = .zero
            $0.exportTimeout = .milliseconds(1)
        }
        pipeline.logs.add("one")
        // The first may have been one in which the process was stopped; after the second it waits as after any failure.
        #expect(await eventually { pipeline.statistics.failedRequests == 2 })
        #expect(await pipeline.flush(deadline: .after(.seconds(60))) == false)
        #expect(exporter.attempts.count == 2)
    }

    @Test func whatKeepsItsOrderIsNotPassedBy() async throws {
        let exporter = FakeExporter { number, _ in number < 8 ? .failed(reason: "gone") : .delivered() }
        let pipeline = try pipeline(exporter) {
            $0.keepsOrder = true
            $0.logDelay = .zero
            $0.retry.firstDelay = .milliseconds(10)
            $0.retry.longestDelay = .milliseconds(10)
        }
        for number in 0..<5 {
            pipeline.logs.add("\(number)")
            #expect(await eventually { exporter.attempts.count > number })
        }
        #expect(await eventually { exporter.bodies.count == 5 })
        #expect(exporter.bodies == (0..<5).map { "\($0)" })
    }

    @Test func aWarningThatWasNotTakenIsToldLater() async throws {
        let exporter = FakeExporter(.refused(reason: "no such tenant"))
        let lines = Mutex<[String]>([])
        let pipeline = try DeliveryPipeline(
            name: "delivery", exporter: exporter, resource: Self.resource, configuration: DeliveryConfiguration.patient(), metrics: nil
        ) { line in
            lines.withLock { $0.append(line) }
            return lines.withLock { $0.count } > 1
        }
        pipeline.logs.add("one")
        #expect(await pipeline.flush(deadline: .after(.seconds(60))) == false)
        // Nothing else wakes the thread.
        #expect(await eventually { lines.withLock { $0.count } == 2 })
        await pipeline.shutdown(deadline: .after(.seconds(60)))
        #expect(lines.withLock { $0.count } == 2)
    }

    @Test func aForgottenPipelineEndsItsThread() async throws {
        let exporter = FakeExporter()
        var pipeline: DeliveryPipeline? = try pipeline(exporter)
        pipeline?.logs.add("one")
        pipeline = nil
        #expect(await eventually { exporter.shutdowns == 1 })
    }

    @Test func whatIsUnderWayIsNotCutOffByForgetting() async throws {
        let exporter = FakeExporter()
        exporter.hold()
        var pipeline: DeliveryPipeline? = try pipeline(exporter) { $0.logDelay = .zero }
        pipeline?.logs.add("one")
        #expect(await eventually { exporter.attempts.count == 1 })
        pipeline = nil
        #expect(exporter.limit == nil)
        exporter.release()
        #expect(await eventually { exporter.shutdowns == 1 })
        #expect(exporter.bodies == ["one"])
    }

    @Test func dropsAreToldToPeople() async throws {
        let exporter = FakeExporter(.refused(reason: "no such tenant"))
        let lines = Mutex<[String]>([])
        let pipeline = try DeliveryPipeline(
            name: "delivery", exporter: exporter, resource: Self.resource, configuration: DeliveryConfiguration.patient(), metrics: nil
        ) { line in
            lines.withLock { $0.append(line) }
            return true
        }
        for number in 0..<3 {
            pipeline.logs.add("\(number)")
            await pipeline.flush(deadline: .after(.seconds(60)))
        }
        await pipeline.shutdown(deadline: .after(.seconds(60)))
        // At once, and then the rest at the end, since no minute has passed.
        #expect(
            lines.withLock { $0 } == [
                "telemetry was dropped: 1 items since the last warning; in all refused 1; last failure: no such tenant",
                "telemetry was dropped: 2 items since the last warning; in all refused 3; last failure: no such tenant",
            ])
    }

    // MARK: Metrics

    @Test func cumulativeMetricsTellTheWholeCount() async throws {
        let registry = quietRegistry()
        let counter = registry.counter("orders")
        let exporter = FakeExporter()
        let pipeline = try pipeline(exporter, metrics: MetricPush(registry: registry, resource: Self.resource))
        counter.increment(by: 5)
        #expect(await pipeline.flush(deadline: .after(.seconds(60))))
        exporter.setAnswer(.failed(reason: "gone"))
        counter.increment(by: 2)
        #expect(await pipeline.flush(deadline: .after(.seconds(60))) == false)
        counter.increment(by: 4)
        exporter.setAnswer(.delivered())
        #expect(await pipeline.shutdown(deadline: .after(.seconds(60))))
        #expect(exporter.attempts.map(\.batch.sums) == [[5], [7], [11]])
        #expect(pipeline.statistics[.metrics].delivered == 2)
        expectExact(pipeline, .metrics)
    }

    @Test func aRequestWithDeltasIsSentAgainUnchanged() async throws {
        let registry = quietRegistry()
        let counter = registry.counter("orders")
        let exporter = FakeExporter { number, _ in (1...3).contains(number) ? .failed(reason: "gone") : .delivered() }
        let pipeline = try pipeline(exporter, metrics: MetricPush(registry: registry, resource: Self.resource, temporality: .delta)) {
            $0.retry.firstDelay = .milliseconds(1)
            $0.retry.longestDelay = .milliseconds(1)
            $0.retry.failuresUntilOpen = 100
        }
        counter.increment(by: 5)
        #expect(await pipeline.flush(deadline: .after(.seconds(60))))
        counter.increment(by: 2)
        #expect(await pipeline.flush(deadline: .after(.seconds(60))))
        let attempts = exporter.attempts.map(\.batch)
        #expect(attempts.map(\.sums) == [[5], [2], [2], [2], [2]])
        #expect(attempts[1...].allSatisfy { $0.request == attempts[1].request })
        expectExact(pipeline, .metrics)
    }

    @Test func whatWasAddedSinceADeltaFollowsIt() async throws {
        let registry = quietRegistry()
        let counter = registry.counter("orders")
        let exporter = FakeExporter(.failed(reason: "gone"))
        let pipeline = try pipeline(exporter, metrics: MetricPush(registry: registry, resource: Self.resource, temporality: .delta))
        counter.increment(by: 5)
        #expect(await pipeline.flush(deadline: .after(.seconds(60))) == false)
        #expect(pipeline.statistics[.metrics].waiting == 1)
        counter.increment(by: 2)
        exporter.setAnswer(.delivered())
        #expect(await pipeline.shutdown(deadline: .after(.seconds(60))))
        #expect(exporter.attempts.map(\.batch.sums) == [[5], [5], [2]])
        #expect(pipeline.statistics[.metrics].waiting == 0)
        #expect(pipeline.statistics[.metrics].delivered == 2)
        expectExact(pipeline, .metrics)
    }

    @Test func deltasOfSeriesThatOthersAddToDoNotTellWhenTheyBegin() async throws {
        let startTime: [UInt32] = [1, 2, 2, 7, 1, 2]
        for sharesSeries in [false, true] {
            let registry = quietRegistry()
            let counter = registry.counter("orders")
            let exporter = FakeExporter()
            let push = MetricPush(registry: registry, resource: Self.resource, temporality: .delta, sharesSeries: sharesSeries)
            let pipeline = try pipeline(exporter, metrics: push)
            for _ in 0..<2 {
                counter.increment(by: 5)
                #expect(await pipeline.flush(deadline: .after(.seconds(60))))
            }
            #expect(exporter.attempts.map(\.batch.sums) == [[5], [5]])
            let told = exporter.attempts.map { $0.batch.payloads(at: startTime).contains { $0.contains { $0 != 0 } } }
            #expect(told == [!sharesSeries, !sharesSeries])
        }
    }

    @Test func metricsAreSentByThemselves() async throws {
        let registry = quietRegistry()
        registry.counter("orders").increment()
        let exporter = FakeExporter()
        let pipeline = try pipeline(exporter, metrics: MetricPush(registry: registry, resource: Self.resource)) {
            $0.metricInterval = .milliseconds(10)
        }
        #expect(await eventually { exporter.delivered.count >= 3 })
        await pipeline.shutdown(deadline: .after(.seconds(60)))
        expectExact(pipeline, .metrics)
    }

    @Test func metricsThatCannotBeSentAtTheEndAreCounted() async throws {
        let registry = quietRegistry()
        let counter = registry.counter("orders")
        let exporter = FakeExporter(.failed(reason: "gone"))
        let pipeline = try pipeline(exporter, metrics: MetricPush(registry: registry, resource: Self.resource, temporality: .delta))
        counter.increment()
        #expect(await pipeline.flush(deadline: .after(.seconds(60))) == false)
        counter.increment()
        #expect(await pipeline.shutdown(deadline: .after(.seconds(60))) == false)
        #expect(pipeline.statistics[.metrics].dropped == [.shutdown: 2])
        #expect(pipeline.statistics[.metrics].waiting == 0)
    }

    // MARK: Files

    @Test func aDeadTimeIsSurvivedInFiles() async throws {
        let folder = TemporaryFolder()
        let exporter = FakeExporter(.failed(reason: "gone"))
        let pipeline = try pipeline(exporter) {
            $0.spillFolder = folder.path
            $0.retry.failuresUntilOpen = 1
            $0.retry.firstDelay = .milliseconds(1)
            $0.retry.longestDelay = .milliseconds(1)
        }
        for number in 0..<10 {
            pipeline.logs.add("\(number)")
            #expect(await pipeline.flush(deadline: .after(.seconds(60))) == false)
        }
        #expect(await eventually { pipeline.statistics.queuedBytes == 0 })
        #expect(pipeline.statistics[.logs].waiting == 10)
        #expect(pipeline.statistics[.logs].recovered == 0)
        exporter.setAnswer(.delivered())
        #expect(await eventually { exporter.bodies.count == 10 && pipeline.statistics[.logs].waiting == 0 })
        #expect(exporter.bodies.sorted() == (0..<10).map { "\($0)" })
        expectExact(pipeline)
        #expect(await pipeline.shutdown(deadline: .after(.seconds(60))))
        #expect(await eventually { TemporaryFolder.names(in: folder.path).isEmpty })
    }

    @Test func aRestartDeliversWhatWasLeft() async throws {
        let folder = TemporaryFolder()
        let registry = quietRegistry()
        registry.counter("orders").increment()
        let dead = FakeExporter()
        dead.hold()
        do {
            let pipeline = try pipeline(dead, metrics: MetricPush(registry: registry, resource: Self.resource, temporality: .delta)) {
                $0.spillFolder = folder.path
            }
            for number in 0..<10 { pipeline.logs.add("\(number)") }
            pipeline.spans.add("a span")
            // There is time left to write files though the receiver takes all it gets.
            #expect(await pipeline.shutdown(deadline: .after(.seconds(1))) == false)
            #expect(await eventually { dead.shutdowns == 1 })
            #expect(pipeline.statistics[.logs].waiting == 10)
            #expect(pipeline.statistics[.logs].droppedTotal == 0)
            #expect(pipeline.statistics[.metrics].waiting == 1)
        }
        let exporter = FakeExporter()
        let pipeline = try pipeline(exporter) { $0.spillFolder = folder.path }
        pipeline.logs.add("new")
        // It waits for what this process made, not for all that others left.
        #expect(await pipeline.flush(deadline: .after(.seconds(60))))
        #expect(exporter.bodies.contains("new"))
        #expect(await eventually { exporter.bodies.count == 11 && ExportSignal.allCases.allSatisfy { pipeline.statistics[$0].waiting == 0 } })
        #expect(exporter.bodies.sorted() == (0..<10).map { "\($0)" } + ["new"])
        #expect(Set(exporter.delivered.map(\.signal)) == [.logs, .spans, .metrics])
        let counts = pipeline.statistics[.logs]
        #expect(counts.emitted == 1 && counts.recovered == 10 && counts.delivered == 11 && counts.waiting == 0)
        #expect(pipeline.statistics[.metrics].recovered == 1 && pipeline.statistics[.metrics].emitted == 0)
        for signal in ExportSignal.allCases { expectExact(pipeline, signal) }
    }

    @Test func whatAnotherServiceLeftIsNotSent() async throws {
        let folder = TemporaryFolder()
        func pipeline(_ service: String, version: String, _ exporter: FakeExporter) throws -> DeliveryPipeline {
            try DeliveryPipeline(
                name: "delivery", exporter: exporter,
                resource: Resource(attributes: [
                    Attribute("service.name", .string(service)), Attribute("service.namespace", "market"), Attribute("service.version", .string(version)),
                ]),
                configuration: .patient { $0.spillFolder = folder.path })
        }
        let dead = try pipeline("shop", version: "1", FakeExporter(.failed(reason: "gone")))
        dead.logs.add("of the shop")
        #expect(await dead.shutdown(deadline: .after(.seconds(60))) == false)
        #expect(dead.statistics[.logs].waiting == 1)

        let other = FakeExporter()
        let second = try pipeline("billing", version: "1", other)
        second.logs.add("of billing")
        #expect(await second.flush(deadline: .after(.seconds(60))))
        #expect(await second.shutdown(deadline: .after(.seconds(60))))
        #expect(other.bodies == ["of billing"] && second.statistics[.logs].recovered == 0)

        let same = FakeExporter()
        let third = try pipeline("shop", version: "2", same)
        #expect(await eventually { same.bodies == ["of the shop"] })
        #expect(await third.shutdown(deadline: .after(.seconds(60))))
    }

    @Test func aFolderThatCannotBeUsedIsReportedAndMissed() async throws {
        let folder = TemporaryFolder()
        TemporaryFolder.write([1], to: folder.path + "/file")
        let exporter = FakeExporter()
        let pipeline = try pipeline(exporter) { $0.spillFolder = folder.path + "/file/inner" }
        pipeline.logs.add("one")
        #expect(await pipeline.flush(deadline: .after(.seconds(60))))
        #expect(pipeline.statistics.lastFailure?.contains("/file/inner") == true)
    }
}
