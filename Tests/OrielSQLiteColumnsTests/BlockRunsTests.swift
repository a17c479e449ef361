import OrielStore
import OrielTelemetry
import Testing

@testable import OrielSQLite

@Suite struct BlockRunsTests {
    /// Runs of some slots with some streams each.
    private func someRuns(_ random: inout Seeded) -> [BlockRuns.Run] {
        var runs: [BlockRuns.Run] = []
        for slot in 0..<(1 + random.below(4)) {
            for stream in 0..<(1 + random.below(400)) where random.chance(60) || (slot == 0 && stream == 0) {
                let row = 1 + random.below(9)
                // One vector of times for each length.
                let vector = runs.first { Int($0.rowCount) == row }.map { Int($0.vector) } ?? Set(runs.map(\.vector)).count
                runs.append(BlockRuns.Run(slot: Int64(slot * 3), stream: stream, rowCount: row, vector: vector))
            }
        }
        return runs
    }

    @Test(arguments: 0..<(40 as UInt64)) func runsOfStreamsAndRowsAreThoseOfAWalk(seed: UInt64) throws {
        var random = Seeded(900 + seed)
        let list = someRuns(&random)
        try BlockRuns.check(list, hasVectors: true)
        let runs = BlockRuns(list, hasVectors: true)
        var row = 0
        var starts: [UInt32: Int] = [:]
        var length = 0
        for (index, run) in list.enumerated() {
            #expect(runs.rows(of: index) == row..<(row + Int(run.rowCount)), "seed \(seed)")
            for row in runs.rows(of: index) {
                #expect(runs.run(ofRow: row) == index, "seed \(seed), row \(row)")
                #expect(runs.run(ofRow: row, from: random.below(index + 1)) == index, "seed \(seed), row \(row)")
            }
            if starts[run.vector] == nil {
                starts[run.vector] = length
                length += Int(run.rowCount)
            }
            #expect(runs.places(ofVector: run.vector).lowerBound == starts[run.vector], "seed \(seed)")
            #expect(runs.places(ofVector: run.vector).count == Int(run.rowCount), "seed \(seed)")
            row += Int(run.rowCount)
        }
        for percent in [1, 10, 50, 100] {
            let streams = (0..<UInt32(450)).filter { _ in random.chance(percent) }
            let wanted = Set(streams)
            #expect(runs.runs(ofStreams: streams) == list.indices.filter { wanted.contains(list[$0].stream) }, "seed \(seed), \(percent) %")
        }
    }

    @Test func runsThatAreNotInOrderAreMalformed() throws {
        let runs = [(0, 1, 2, 0), (0, 2, 2, 0), (1, 0, 3, 1)].map { BlockRuns.Run(slot: $0.0, stream: $0.1, rowCount: $0.2, vector: $0.3) }
        try BlockRuns.check(runs, hasVectors: true)
        var swapped = runs
        swapped.swapAt(0, 1)
        #expect(throws: ColumnError.self) { try BlockRuns.check(swapped, hasVectors: true) }
        #expect(throws: ColumnError.self) { try BlockRuns.check(runs.reversed(), hasVectors: false) }
        #expect(throws: ColumnError.self) { try BlockRuns.check([runs[0], runs[0]], hasVectors: false) }
        var shared = runs
        shared[2].vector = 0
        #expect(throws: ColumnError.self) { try BlockRuns.check(shared, hasVectors: true) }
        try BlockRuns.check(shared, hasVectors: false)
    }

    /// Samples, histograms and exemplars: what is read of some streams and times is what a reading of the whole block has of them.
    @Test(arguments: [Signal.samples, .histograms, .exemplars], [1, 2, 3] as [UInt64]) func partsOfABlockAreThoseOfTheWhole(signal: Signal, seed: UInt64) throws
    {
        var random = Seeded(7000 + seed)
        var rows = RandomRows(signal, seed: 500 + seed)
        rows.keyCount = 40
        let run = try #require(try SealedRun.seal([rows.chunk(rows: 3000)], signal: signal, registry: rows.registry))
        for block in run.blocks.indices {
            let whole = try run.read(block: block, rows: nil, projection: .everything)
            let texts = RowText.texts(whole, rows.registry)
            let runs = try run.streamRuns(ofBlock: block)
            for _ in 0..<20 {
                let percent = [2, 20, 90][random.below(3)]
                let streams = (0..<UInt32(run.references.count)).filter { _ in random.chance(percent) }
                let wanted = Set(streams)
                var ofStreams: [Int] = []
                var row = 0
                for run in runs {
                    if wanted.contains(run.ordinal) { ofStreams.append(contentsOf: row..<(row + run.rowCount)) }
                    row += run.rowCount
                }
                #expect(try run.rows(ofBlock: block, streams: streams, in: nil) == ofStreams, "\(signal), seed \(seed)")
                let first = whole.times[random.below(whole.count)]
                let last = whole.times[random.below(whole.count)]
                let bounds = min(first, last)..<max(first, last)
                // Rows outside the times may come too, but none of other streams.
                let found = try run.rows(ofBlock: block, streams: streams, in: bounds)
                #expect(found.allSatisfy { ofStreams.contains($0) }, "\(signal), seed \(seed)")
                #expect(found.filter { bounds.contains(whole.times[$0]) } == ofStreams.filter { bounds.contains(whole.times[$0]) }, "\(signal), seed \(seed)")
                let part = try run.read(block: block, rows: found, projection: .everything)
                #expect(RowText.texts(part, rows.registry) == found.map { texts[$0] }, "\(signal), seed \(seed)")
            }
        }
    }
}
