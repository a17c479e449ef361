import OrielTelemetry
import Testing

@testable import OrielClient

@Suite struct DeadlineTests {
    private let wall = Timestamp(nanoseconds: 1_790_000_000_000_000_000)
    private let steady = ContinuousClock.now

    private func wall(_ seconds: Int64) -> Timestamp { wall.advanced(by: seconds * 1_000_000_000) }

    @Test func theRestIsWhatTheWallClockSays() {
        let deadline = Deadline(wall(10), wall: wall, steady: steady)
        #expect(deadline.rest(wall: wall(4), steady: steady + .seconds(4)) == .seconds(6))
        #expect(deadline.rest(wall: wall(10), steady: steady + .seconds(10)) == nil)
        // The sandbox was frozen, or the clock set forward.
        #expect(deadline.rest(wall: wall(3600), steady: steady + .seconds(1)) == nil)
        #expect(deadline.earlier(by: .seconds(3)).rest(wall: wall(4), steady: steady + .seconds(4)) == .seconds(3))
    }

    @Test func aClockThatIsSetBackMakesNoWaitLonger() {
        let deadline = Deadline(wall(10), wall: wall, steady: steady)
        #expect(deadline.rest(wall: wall(-3600), steady: steady + .seconds(4)) == .seconds(6))
        #expect(deadline.rest(wall: wall(-3600), steady: steady + .seconds(10)) == nil)
    }

    @Test func theEndsOfTimeAreNoTrap() {
        #expect(Deadline(Timestamp(nanoseconds: .max)).rest ?? .zero > .seconds(1_000_000_000))
        #expect(Deadline(Timestamp(nanoseconds: .min)).isOver)
        #expect(Deadline(Timestamp(nanoseconds: .min)).earlier(by: .seconds(1)).isOver)
    }
}
