import OrielClient
import OrielTelemetry
import Synchronization
import Testing

#if canImport(Glibc)
import Glibc
#endif

@Suite struct IdentifierTests {
    @Test func idsOfManyThreadsAreDistinct() async {
        let ids = IdentifierGenerator()
        let (traces, spans) = await withTaskGroup(of: ([TraceID], [SpanID]).self) { group in
            for _ in 0..<8 { group.addTask { ((0..<5_000).map { _ in ids.traceID() }, (0..<5_000).map { _ in ids.spanID() }) } }
            var all: (Set<TraceID>, Set<SpanID>) = ([], [])
            for await (traces, spans) in group {
                all.0.formUnion(traces)
                all.1.formUnion(spans)
            }
            return all
        }
        #expect(traces.count == 40_000 && spans.count == 40_000)
        #expect(!traces.contains(.zero) && !spans.contains(.zero))
        #expect(Set(traces.map(\.high)).count == 40_000 && Set(traces.map(\.low)).count == 40_000)
    }

    @Test func everyBitIsSetHalfOfTheTime() {
        let ids = IdentifierGenerator()
        var counts = [Int](repeating: 0, count: 192)
        let total = 20_000
        for _ in 0..<total {
            let trace = ids.traceID()
            for (word, value) in [trace.high, trace.low, ids.spanID().rawValue].enumerated() {
                for bit in 0..<64 where value >> UInt64(bit) & 1 == 1 { counts[word * 64 + bit] += 1 }
            }
        }
        // Seven standard deviations.
        for count in counts { #expect(abs(count - total / 2) < 500) }
    }

    @Test func generatorsDifferAlsoAfterReseeding() {
        let first = IdentifierGenerator()
        let second = IdentifierGenerator()
        let before = (0..<100).map { _ in first.spanID() }
        first.reseed()
        let all = before + (0..<100).map { _ in first.spanID() } + (0..<100).map { _ in second.spanID() }
        #expect(Set(all).count == 300)
    }
}
