import OrielStore
import OrielTelemetry
import Testing

@testable import OrielSQLite

@Suite struct SealedRunTests {
    @Test(arguments: Signal.allCases, [1, 2, 3] as [UInt64]) func rowsComeBackSortedAndWhole(signal: Signal, seed: UInt64) throws {
        var rows = RandomRows(signal, seed: seed)
        rows.keyCount = seed == 3 ? 400 : 12
        let chunks = (0..<5).map { _ in rows.chunk(rows: seed == 1 ? 3 : 400) }
        let run = try #require(try SealedRun.seal(chunks, signal: signal, registry: rows.registry))
        let expected = RowText.expected(chunks, rows.registry)
        var found: [String] = []
        for block in run.blocks {
            let batch = try run.read(block: block.index, rows: nil, projection: .everything)
            #expect(batch.hasConsistentCounts)
            #expect(batch.times.min() == block.minimumTime)
            #expect(batch.times.max() == block.maximumTime)
            #expect(try run.streamRuns(ofBlock: block.index).reduce(0) { $0 + $1.rowCount } == block.rowCount)
            found += RowText.texts(batch, rows.registry)
        }
        #expect(found == expected, "\(signal), seed \(seed)")
        #expect(run.rowCount == expected.count)
    }

    @Test(arguments: Signal.allCases) func someRowsEqualTheSameRowsOfAll(signal: Signal) throws {
        var rows = RandomRows(signal, seed: 11)
        rows.keyCount = 300
        let run = try #require(try SealedRun.seal([rows.chunk(rows: 3000)], signal: signal, registry: rows.registry))
        var random = Seeded(12)
        for block in run.blocks {
            let all = RowText.texts(try run.read(block: block.index, rows: nil, projection: .everything), rows.registry)
            for percent in [1, 10, 60] {
                let wanted = (0..<block.rowCount).filter { _ in random.chance(percent) }
                let some = RowText.texts(try run.read(block: block.index, rows: wanted, projection: .everything), rows.registry)
                #expect(some == wanted.map { all[$0] }, "\(signal), \(percent) %")
            }
            #expect(try run.read(block: block.index, rows: [], projection: .everything).count == 0)
        }
    }

    @Test func projectionLeavesOut() throws {
        var rows = RandomRows(.spans, seed: 20)
        let run = try #require(try SealedRun.seal([rows.chunk(rows: 200)], signal: .spans, registry: rows.registry))
        let whole = try run.read(block: 0, rows: nil, projection: .everything)
        let part = try run.read(block: 0, rows: nil, projection: Projection(columns: [.name], attributes: .keys(["key.1", "key.3"])))
        #expect(part[.name] == whole[.name])
        #expect(part[.duration] == .absent)
        for row in 0..<part.count {
            let expected = whole.attributes?.attributes(of: row).filter { ["key.1", "key.3"].contains($0.key) }
            #expect(part.attributes?.attributes(of: row).sorted { $0.key < $1.key } == expected?.sorted { $0.key < $1.key })
        }
        let positions = try run.read(block: 0, rows: nil, projection: .positions)
        #expect(positions.attributes == nil)
        #expect(positions.ords == whole.ords)
    }

    @Test(arguments: [Signal.logs, .spans, .exemplars]) func tracesAreFoundWithAllTheirRows(signal: Signal) throws {
        var rows = RandomRows(signal, seed: 30)
        rows.span *= 300
        let run = try #require(try SealedRun.seal([rows.chunk(rows: 2000)], signal: signal, registry: rows.registry))
        #expect(run.blocks.count > 1)
        for id in run.traceIDs.prefix(10) {
            var expected: [Int: [Int]] = [:]
            for block in run.blocks {
                guard case .traceIDs(let ids) = try run.read(block: block.index, rows: nil, projection: .everything)[.traceID] else { continue }
                let found = ids.indices.filter { ids[$0] == id }
                if !found.isEmpty { expected[block.index] = found }
            }
            let found = try run.rows(ofTraces: [id])
            #expect(Dictionary(uniqueKeysWithValues: found.map { ($0.block, $0.rows) }) == expected)
        }
        #expect(try run.rows(ofTraces: [TraceID(high: 1, low: 1)]).isEmpty)
    }

    @Test(arguments: Signal.allCases) func blocksKeepToOneDayAndToTheirLimits(signal: Signal) throws {
        var rows = RandomRows(signal, seed: 40)
        rows.span = Slot.length(of: signal) * 400
        let chunks = [rows.chunk(rows: 5000)]
        let limits = BlockLimits(signal: signal, rows: 100, wholeSlotRows: 40)
        let run = try #require(try SealedRun.seal(chunks, signal: signal, registry: rows.registry, limits: limits))
        for block in run.blocks {
            #expect(block.rowCount <= 100)
            #expect(Day(time: block.minimumTime, signal: signal) == Day(time: block.maximumTime, signal: signal))
        }
        var found: [String] = []
        for block in run.blocks { found += RowText.texts(try run.read(block: block.index, rows: nil, projection: .everything), rows.registry) }
        #expect(found == RowText.expected(chunks, rows.registry))
        #expect(run.pieces.count > 1)
    }

    @Test func aGiantRowDoesNotMakeItsBlockTooLarge() throws {
        var rows = RandomRows(.logs, seed: 45)
        rows.span = 1_000_000
        var chunks = [rows.chunk(rows: 2000)]
        var giant = rows.chunk(rows: 1).batch
        var body = ByteColumn()
        body.append([UInt8](repeating: 0x61, count: 6 << 20))
        giant[.body] = .bytes(body)
        chunks.append(BuilderChunk(sequence: CommitSequence(start: 1, commit: 9), batch: giant))
        chunks.append(rows.chunk(rows: 2000))
        let run = try #require(try SealedRun.seal(chunks, signal: .logs, registry: rows.registry))
        #expect(run.blocks.count >= 2)
        var found: [String] = []
        for block in run.blocks { found += RowText.texts(try run.read(block: block.index, rows: nil, projection: .positions), rows.registry) }
        #expect(found.count == 4001)
        for block in run.blocks {
            guard case .bytes(let bodies) = try run.read(block: block.index, rows: nil, projection: .everything)[.body] else { continue }
            #expect(bodies.bytes.count < 4 << 20 || block.rowCount == 1)
        }
    }

    @Test func integerBoundsHoldEveryValue() throws {
        var rows = RandomRows(.spans, seed: 50)
        let run = try #require(try SealedRun.seal([rows.chunk(rows: 500)], signal: .spans, registry: rows.registry))
        for id in [ColumnID.duration, .kind, .flags, .droppedLinks] {
            let bounds = try #require(try run.integerBounds(id, block: 0))
            guard case .integers(let values) = try run.read(block: 0, rows: nil, projection: .everything)[id] else { continue }
            #expect(values.allSatisfy { bounds.contains($0) })
        }
        #expect(try run.integerBounds(.name, block: 0) == nil)
    }

    @Test func seriesThatAreScrapedTogetherShareTheirTimes() throws {
        var rows = RandomRows(.samples, seed: 60)
        let registry = rows.registry
        let template = rows.chunk(rows: 1).batch
        var batch = template
        var values: [Double] = []
        batch.streamIndexes = []
        batch.times = []
        // 200 scrapes of 7 series with jitter between scrapes: one vector of times for all.
        var random = Seeded(61)
        var time: Int64 = 1_700_000_000_000 / 7_200_000 * 7_200_000
        for _ in 0..<200 {
            time += 14_990 + Int64(random.below(20))
            for stream in 0..<7 {
                batch.streamIndexes.append(StreamReference(stream))
                batch.times.append(time)
                values.append(Double(random.below(100)))
            }
        }
        batch.columns = [.doubles(values)]
        let chunk = BuilderChunk(sequence: CommitSequence(start: 1, commit: 1), batch: batch)
        let run = try #require(try SealedRun.seal([chunk], signal: .samples, registry: registry))
        #expect(run.encoded[0].directory.runs.vectorCount == 1)
        #expect(RowText.texts(try run.read(block: 0, rows: nil, projection: .everything), registry) == RowText.expected([chunk], registry))
    }
}
