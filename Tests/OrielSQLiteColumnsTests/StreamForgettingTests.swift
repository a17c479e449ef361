import OrielTelemetry
import Testing

@testable import OrielSQLite

@Suite struct StreamForgettingTests {
    private let secret = StreamSecret(high: 1, low: 2)

    private func descriptor(_ number: Int) -> [UInt8] { StreamDescriptor.series([Label("n", "\(number)")]).encoded }

    private func table(_ numbers: Range<Int>) -> StreamTable {
        var table = StreamTable()
        for number in numbers { _ = table.intern(descriptor(number)) }
        return table
    }

    /// What requests bring counts; what files bring does not, until a request brings it too.
    @Test func onlyStreamsOfRequestsCount() {
        let registry = StreamRegistry(secret: secret)
        for number in 0..<10 { _ = registry.intern(descriptor(number).span, id: secret.id(of: descriptor(number).span)) }
        #expect(registry.usage.countedStreams == 0 && registry.usage.otherStreams == 10 && registry.usage.countedBytes == 0)
        _ = registry.intern(table(5..<15))
        _ = registry.intern(table(5..<15))
        let counted = (5..<15).reduce(0) { $0 + descriptor($1).count }
        let others = (0..<5).reduce(0) { $0 + descriptor($1).count }
        #expect(registry.usage == StreamRegistry.Usage(countedStreams: 10, countedBytes: counted, otherStreams: 5, otherBytes: others))
    }

    @Test func adoptedStreamsAreTheSame() {
        let source = StreamRegistry(secret: secret)
        let target = StreamRegistry(secret: secret, limit: StreamRegistry.Limit(count: 1))
        _ = source.intern(table(0..<5000))
        _ = target.intern(table(4999..<5000))
        var translation = StreamTranslation(from: source, to: target)
        let wanted = (0..<5000).filter { $0 % 3 == 0 }.map { StreamReference($0) } + [7, 7, 4999]
        // The limit is for requests.
        let found = translation.translate(wanted, isCounted: true)
        #expect(found == translation.translate(wanted, isCounted: true))
        for (old, new) in zip(wanted, found) {
            #expect(source.descriptor(of: old) == target.descriptor(of: new) && source.id(of: old) == target.id(of: new))
        }
        #expect(found.last == 0)
        #expect(target.usage.countedStreams == Set(wanted).count && target.usage.otherStreams == 0)
    }

    @Test func forgettingIsWorthItWhenHalfOfManyAreIdle() {
        let many = StreamRegistry.Usage(countedStreams: 10_000, countedBytes: 1_000_000, otherStreams: 5, otherBytes: 900)
        #expect(StreamForgetting.isWorthIt(many, used: 5000) && !StreamForgetting.isWorthIt(many, used: 5001))
        let few = StreamRegistry.Usage(countedStreams: 1000, countedBytes: 1_000_000)
        #expect(!StreamForgetting.isWorthIt(few, used: 0))
        // Streams of files go when they take more than a cache may, and more than those that would have to come again.
        #expect(!StreamForgetting.isCacheFull(many, limit: 800))
        let read = StreamRegistry.Usage(countedStreams: 10, countedBytes: 1000, otherStreams: 5, otherBytes: 5000)
        #expect(StreamForgetting.isCacheFull(read, limit: 4000) && !StreamForgetting.isCacheFull(read, limit: 6000))
    }

    @Test func streamsAreIdleByTheirLastRows() throws {
        var use = StreamUse()
        let minute: Int64 = 60_000_000_000
        use.note([3, 5], now: Timestamp(nanoseconds: 100 * minute))
        use.note([5, 9], now: Timestamp(nanoseconds: 130 * minute))
        #expect(use.references(since: Timestamp(nanoseconds: 100 * minute)) == [3, 5, 9])
        #expect(use.references(since: Timestamp(nanoseconds: 101 * minute)) == [5, 9])
        #expect(use.references(since: Timestamp(nanoseconds: 131 * minute)) == [])
    }
}
