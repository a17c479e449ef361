@testable import Oriel
import OrielOTLP
import OrielTelemetry
import Testing
import Tracing

@Suite struct SpanTimeTests {
    private let capture: SpanCapture

    init() throws { capture = try SpanCapture() }

    private struct OwnInstant: TracerInstant {
        let nanosecondsSinceEpoch: UInt64

        static func < (left: OwnInstant, right: OwnInstant) -> Bool { left.nanosecondsSinceEpoch < right.nanosecondsSinceEpoch }
    }

    private func now() -> UInt64 { UInt64(Timestamp.now.nanoseconds) }

    @Test func aSpanLastsAsLongAsItLasts() async throws {
        let tracer = capture.tracer()
        let before = Timestamp.now
        let span = tracer.startSpan("timed", context: .topLevel)
        try await Task.sleep(for: .milliseconds(20))
        span.end()
        let after = Timestamp.now
        let made = try await capture.span()
        // The two clocks are read one after the other.
        let slack: Int64 = 1_000_000
        #expect(made.startTime >= before && made.endTime <= after.advanced(by: slack) && made.duration >= 20_000_000 - slack)
    }

    @Test func givenMomentsAreKept() async throws {
        let tracer = capture.tracer()
        let start = now() - 5_000_000_000
        tracer.startSpan("a", context: .topLevel, at: DefaultTracerClock.Timestamp(nanosecondsSinceEpoch: start)).end(
            at: DefaultTracerClock.Timestamp(nanosecondsSinceEpoch: start + 7))
        tracer.startSpan("b", context: .topLevel, at: OwnInstant(nanosecondsSinceEpoch: 3)).end(at: OwnInstant(nanosecondsSinceEpoch: 9))
        tracer.startSpan("c", context: .topLevel).end(at: OwnInstant(nanosecondsSinceEpoch: UInt64.max))
        tracer.startSpan("d", context: .topLevel, at: DefaultTracerClock.Timestamp(nanosecondsSinceEpoch: start)).end()
        tracer.startSpan("e", context: .topLevel, at: OwnInstant(nanosecondsSinceEpoch: .max)).end()
        tracer.startSpan("f", context: .topLevel, at: OwnInstant(nanosecondsSinceEpoch: 50)).end(at: OwnInstant(nanosecondsSinceEpoch: 40))
        let spans = try await capture.spans()
        #expect(spans[0].startTime.nanoseconds == Int64(start) && spans[0].duration == 7)
        #expect(spans[1].startTime.nanoseconds == 3 && spans[1].duration == 6)
        #expect(spans[2].endTime.nanoseconds == .max)
        #expect(spans[3].startTime.nanoseconds == Int64(start) && spans[3].duration >= 4_990_000_000)
        #expect(spans[4].duration == 0 && spans[5].duration == 0)
    }

    @Test func aWallClockThatIsSetDoesNotChangeADuration() {
        let clock = SpanClock()
        let wall = Timestamp.now.nanoseconds
        // As if the clock had been an hour ahead when the span began, and was set back.
        var start = clock.start(wall)
        start.time += 3_600_000_000_000
        start.difference += 3_600_000_000_000
        let end = clock.end(Timestamp.now.nanoseconds, of: start, mayBeNow: true)
        #expect(end >= start.time && end - start.time < 60_000_000_000)
        // And as if it had been behind.
        start = clock.start(Timestamp.now.nanoseconds)
        start.time -= 3_600_000_000_000
        start.difference -= 3_600_000_000_000
        let later = clock.end(Timestamp.now.nanoseconds, of: start, mayBeNow: true)
        #expect(later >= start.time && later - start.time < 60_000_000_000)
    }

    @Test func aGivenEndIsNoReadingOfTheClock() {
        let clock = SpanClock()
        let start = clock.start(Timestamp.now.nanoseconds - 10_000_000_000)
        let end = Timestamp.now.nanoseconds - 5_000_000_000
        #expect(clock.end(end, of: start, mayBeNow: true) == end)
    }
}
