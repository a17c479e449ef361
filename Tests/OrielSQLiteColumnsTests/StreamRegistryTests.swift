import OrielTelemetry
import Testing

@testable import OrielSQLite

@Suite struct StreamRegistryTests {
    private let registry = StreamRegistry(secret: StreamSecret(high: 1, low: 2))

    private func descriptor(_ number: Int) -> [UInt8] {
        StreamDescriptor.series([Label("__name__", "requests_total"), Label("instance", "host-\(number)")]).encoded
    }

    /// However a stream comes, with its id, in a table of its own or in a dictionary, it has one reference.
    @Test func aStreamHasOneReference() {
        let first = (0..<10).map { registry.intern(descriptor($0).span, id: registry.secret.id(of: descriptor($0).span)) }
        #expect(first == (0..<10).map { StreamReference($0) })
        var own = StreamTable()
        let dictionary = StreamDictionary()
        var shared = StreamTable()
        for number in stride(from: 19, through: 0, by: -1) {
            _ = own.intern(descriptor(number))
            _ = shared.append(UInt32(dictionary.intern(descriptor(number))), of: dictionary)
        }
        let references = registry.intern(shared)
        #expect(references[10...] == first.reversed()[...])
        #expect(registry.intern(own) == references && registry.intern(shared) == references)
        #expect(registry.count == 20)
        #expect((0..<20).map { references[19 - $0].map { registry.descriptor(of: $0) } } == (0..<20).map { descriptor($0) })

        // Another store has other references for the same dictionary.
        let other = StreamRegistry(secret: StreamSecret(high: 3, low: 4))
        #expect(other.intern(shared) == (0..<20).map { StreamReference($0) })
        #expect(registry.intern(shared) == references)
    }

    @Test func anotherStreamWithTheSameIDIsRefused() {
        let id = registry.secret.id(of: descriptor(1).span)
        #expect(registry.intern(descriptor(2).span, id: id) == 0)
        let dictionary = StreamDictionary()
        var table = StreamTable()
        for number in [1, 2, 3] { _ = table.append(UInt32(dictionary.intern(descriptor(number))), of: dictionary) }
        #expect(registry.intern(table) == [nil, 0, 1])
        #expect(registry.intern(table) == [nil, 0, 1])
        // The stream is known by one id and comes with another.
        #expect(registry.intern(descriptor(2).span, id: StreamID(high: 9, low: 9)) == nil)
    }

    @Test(arguments: [UInt64(1), 2, 3]) func referencesAreSortedByID(_ seed: UInt64) {
        var random = Seeded(seed)
        var known = 0
        for _ in 0..<30 {
            for _ in 0..<random.below(40) {
                _ = registry.intern(descriptor(known).span, id: registry.secret.id(of: descriptor(known).span))
                known += 1
            }
            let wanted = (0..<known).map { StreamReference($0) }.filter { _ in random.below(20) < 3 }
            let sorted = wanted.sorted { registry.id(of: $0) < registry.id(of: $1) }
            #expect(registry.sortedByID(wanted) == sorted, "seed \(seed)")
        }
    }
}

@Suite struct SortedRowsTests {
    /// Rows in any order of streams, slots, times and numbers come out in the order of their keys.
    @Test(arguments: [UInt64(1), 2, 3, 4, 5, 6]) func rowsComeOutInOrder(_ seed: UInt64) {
        var random = Seeded(seed)
        for signal in [Signal.samples, .logs] {
            var rows = SortedRows(signal: signal)
            var expected: [SortKey] = []
            let isOrdered = random.below(2) == 0
            let length = Slot.length(of: signal)
            let slots = [1, 3, 10_000][random.below(3)]
            var clock = Int64(1_000_000) * length
            for _ in 0..<(1 + random.below(6)) {
                var batch = ColumnBatch(signal: signal, streams: StreamTable(), streamIndexes: [], times: [], columns: signal.columns.map { _ in .absent })
                for _ in 0..<random.below(300) {
                    clock = isOrdered ? clock + Int64(random.below(3)) : Int64(random.below(slots)) * length + Int64(random.below(50))
                    batch.streamIndexes.append(UInt32(random.below(seed == 6 ? 1 << 20 : 9)))
                    batch.times.append(clock)
                    if signal.hasOrds { batch.ords.append(UInt64(random.below(1000))) }
                }
                let source = UInt32(rows.batches.count)
                for row in 0..<batch.count {
                    expected.append(
                        SortKey(
                            slot: batch.times[row].dividedRoundingDown(by: length), time: batch.times[row], ord: batch.ords.isEmpty ? 0 : batch.ords[row],
                            stream: batch.streamIndexes[row], source: source, row: UInt32(row)))
                }
                rows.append(batch)
            }
            rows.sort()
            expected.sort { $0 < $1 }
            if !signal.hasOrds {
                // Of samples of one stream and time the last stays.
                expected = expected.indices.filter { $0 + 1 == expected.count || !expected[$0].isSameSample(as: expected[$0 + 1]) }.map { expected[$0] }
            }
            #expect(rows.keys.map { [Int($0.source), Int($0.row)] } == expected.map { [Int($0.source), Int($0.row)] }, "seed \(seed)")
        }
    }
}
