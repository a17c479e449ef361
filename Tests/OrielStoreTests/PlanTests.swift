import OrielStore
import OrielTelemetry
import Testing

@Suite("Plans")
struct PlanTests {
    @Test("positions survive as text", arguments: [Int64.min, -1, 0, 1, .max])
    func positionText(time: Int64) throws {
        for stream in [StreamID(high: 0, low: 0), StreamID(high: .max, low: 1)] {
            for ord in [0, 1, UInt64.max] {
                let position = ScanPosition(time: time, stream: stream, ord: ord)
                #expect(ScanPosition(position.description) == position)
            }
        }
    }

    @Test(
        "text that is no position is refused",
        arguments: ["", "-", "1-2-3", "--5-00000000000000000000000000000000-1", "1-00000000000000000000000000000000-", "x"])
    func badPositionText(text: String) {
        #expect(ScanPosition(text) == nil)
    }

    @Test("a range of nanoseconds becomes one of milliseconds")
    func bounds() {
        let range = TimeRange(start: Timestamp(nanoseconds: -1), end: Timestamp(nanoseconds: 1_000_001))
        #expect(range.bounds(for: .samples) == 0..<2)
        #expect(range.bounds(for: .logs) == -1..<1_000_001)
        #expect(TimeRange(start: Timestamp(nanoseconds: 5), end: Timestamp(nanoseconds: 3)).isEmpty)
        #expect(TimeRange.all.bounds(for: .samples).contains(-9_000_000_000_000))
    }
}
