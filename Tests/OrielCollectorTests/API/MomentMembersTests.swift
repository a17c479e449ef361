import OrielStoreConformance
import OrielTelemetry
import Testing

@testable import OrielCollector

@Suite struct MomentMembersTests {
    private static func plain(_ milliseconds: Int64) -> String {
        var writer = JSONWriter()
        writer.object { $0.time("time", Timestamp(milliseconds: milliseconds)) }
        return writer.text
    }

    /// Whatever moment was written before.
    @Test func aMomentIsWrittenAsItIsAlone() {
        let now: Int64 = 1_796_040_002_426
        let day: Int64 = 86_400_000
        var times: [Int64] = [now, now, now + 1, now - 2_427, now - now % day, now - now % day - 1, now - now % day + day - 1, now - now % day + day]
        times += [0, -1, 1, -day, -day - 1, 999_999_999_999, 1_000_000_000_000, 1_000_000_000_001, 999_999_999_999]
        times += [.min, .max, Int64.max / 1_000_000, Int64.max / 1_000_000 + 1, Int64.min / 1_000_000, 4_102_444_800_000]
        let seed = UInt64.random(in: .min ... .max)
        var random = SplitMix64(seed: seed)
        let bases = times
        for _ in 0..<500 {
            let base = bases[Int.random(in: bases.indices, using: &random)]
            times.append(base.addingSaturating(Int64.random(in: -2_000_000...2_000_000, using: &random)))
            times.append(now + Int64.random(in: 0...day, using: &random))
        }
        var members = MomentMembers()
        for time in times {
            var writer = JSONWriter()
            writer.beginObject()
            members.write(milliseconds: time, to: &writer)
            writer.endObject()
            #expect(writer.text == Self.plain(time), "\(time), seed \(seed)")
        }
    }
}
