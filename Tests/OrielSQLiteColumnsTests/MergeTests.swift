import OrielStore
import OrielTelemetry
import Testing

@testable import OrielSQLite

@Suite struct MergeTests {
    /// Rows of a signal over some days, in flushed files.
    private struct Scene {
        var rows: RandomRows
        let fixture: SegmentFixture
        var chunks: [BuilderChunk] = []
        var segments: [Segment] = []
        var nextID: UInt64 = 1

        init(_ signal: Signal, seed: UInt64, slots: Int64) throws {
            rows = RandomRows(signal, seed: seed)
            rows.span = Slot.length(of: signal) * slots
            fixture = try SegmentFixture(rows)
        }

        mutating func flush(runs: Int, rowsPerRun: Int, limits: BlockLimits? = nil) throws {
            let groups = (0..<runs).map { _ in [rows.chunk(rows: rowsPerRun), rows.chunk(rows: rowsPerRun / 2)] }
            chunks += groups.flatMap { $0 }
            segments.append(try fixture.flush(groups, fileID: nextID, limits: limits))
            nextID += 1
        }

        /// Runs a task and puts its outputs in the place of its inputs.
        mutating func run(
            _ task: MergeTask, floor: Timestamp = Timestamp(nanoseconds: .min), limits: BlockLimits? = nil, memoryBytes: Int = 1 << 20
        ) throws -> Merge.Result {
            let entered = task.descriptions(firstID: nextID)
            nextID += UInt64(entered.count)
            let inputs = task.inputs.compactMap { id in segments.first { $0.description.fileID == id } }
            let result = try Merge.run(
                task, entered: entered, inputs: inputs, floor: floor, store: fixture.store, registry: rows.registry, fileSystem: fixture.fileSystem,
                folder: fixture.folder.path, memoryBytes: memoryBytes, limits: limits)
            segments.removeAll { task.inputs.contains($0.description.fileID) }
            for description in result.descriptions { segments.append(try fixture.open(description)) }
            return result
        }

        var candidates: [MergeCandidate] { segments.map { MergeCandidate($0) } }

        /// All rows of all files, sorted as text.
        func texts() throws -> [String] {
            try segments.flatMap { try fixture.texts($0) }.sorted()
        }
    }

    private static let now = Timestamp(nanoseconds: 1_800_000_000_000_000_000)

    @Test(arguments: Signal.allCases, [1, 2] as [UInt64]) func aMergeHoldsTheRowsOfItsInputsInOrder(signal: Signal, seed: UInt64) throws {
        var scene = try Scene(signal, seed: seed * 1000, slots: seed == 1 ? 3 : 40)
        for _ in 0..<4 { try scene.flush(runs: 3, rowsPerRun: 120) }
        let expected = RowText.expected(scene.chunks, scene.rows.registry)
        let policy = MergePolicy(minimumRatio: 2)
        let task = try #require(policy.next(scene.candidates, now: Self.now))
        #expect(task.inputs.count == 4)
        // All rows are old: each day goes into a file of its own.
        #expect(task.outputs.allSatisfy { $0.level == 1 && $0.pieces.count == 1 })
        _ = try scene.run(task, limits: BlockLimits(signal: signal, rows: 500, wholeSlotRows: 100))
        // Files of consecutive days hold all rows in sort order, dropped samples included in the expectation.
        var found: [String] = []
        for segment in scene.segments.sorted(by: { $0.description.minimumTime < $1.description.minimumTime }) {
            try segment.verify()
            found += try scene.fixture.texts(segment)
            for block in segment.blocks {
                #expect(block.low >= segment.description.pieces[0].low)
                #expect(block.high <= segment.description.pieces[0].high)
            }
        }
        #expect(found == expected, "\(signal), seed \(seed)")
    }

    /// Runs of several blocks each, all in one slot, are read block after block and part after part, with what is kept of their pages within the memory.
    @Test(arguments: Signal.allCases) func runsOfSeveralBlocksAreReadInParts(signal: Signal) throws {
        var inputs = try Scene(signal, seed: 4711, slots: 1)
        let limits = BlockLimits(signal: signal, rows: 900, wholeSlotRows: 500)
        for _ in 0..<4 { try inputs.flush(runs: 2, rowsPerRun: 1500, limits: limits) }
        for segment in inputs.segments {
            #expect(segment.blocks.count >= 4)
            #expect(segment.blocks.filter { !$0.followsPrevious }.count == 2)
        }
        let expected = RowText.expected(inputs.chunks, inputs.rows.registry)
        for memoryBytes in [32 << 10, 1 << 20, 64 << 20] {
            // Of the same files each time.
            var scene = inputs
            let task = try #require(MergePolicy(minimumRatio: 2).next(scene.candidates, now: Self.now))
            _ = try scene.run(task, limits: limits, memoryBytes: memoryBytes)
            inputs.nextID = scene.nextID
            #expect(try scene.segments.flatMap { try scene.fixture.texts($0) } == expected, "\(memoryBytes) bytes")
            let merged = try #require(scene.segments.first)
            #expect(merged.blocks.dropFirst().filter { !$0.followsPrevious }.isEmpty, "\(memoryBytes) bytes")
            // The file as it is now is one chain, so its blocks can be copied.
            let groups = MergeGroup.groups(MergeBlock.blocks(of: merged, number: 0))
            #expect(groups.map(\.chains.count) == Array(repeating: 1, count: groups.count), "\(memoryBytes) bytes")
        }
    }

    @Test(arguments: [Signal.logs, .spans, .samples]) func mergesOfMergesKeepAllRows(signal: Signal) throws {
        var scene = try Scene(signal, seed: 77, slots: 60)
        let policy = MergePolicy(minimumRatio: 1.5, dayBytes: 1 << 20)
        let limits = BlockLimits(signal: signal, rows: 300, wholeSlotRows: 60)
        var merges = 0
        var levels: Set<Int> = []
        for round in 0..<6 {
            try scene.flush(runs: 1, rowsPerRun: 150 + round * 10)
            // At first rows count as young, so that small days stay in level 0.
            let now = round < 4 ? Timestamp(nanoseconds: scene.rows.start) : Self.now
            while let task = policy.next(scene.candidates, now: now) {
                _ = try scene.run(task, limits: limits)
                merges += 1
            }
            levels.formUnion(scene.segments.map(\.description.level))
            if signal.hasOrds {
                #expect(try scene.texts() == RowText.expected(scene.chunks, scene.rows.registry).sorted(), "round \(round)")
            }
        }
        #expect(merges >= 3)
        #expect(levels.count > 1)
        if !signal.hasOrds {
            // Samples of one stream and time may still lie in files of different commits; the newest of them is expected.
            let found = Set(try scene.texts())
            #expect(Set(RowText.expected(scene.chunks, scene.rows.registry)).isSubset(of: found))
        }
        checkPieces(scene.segments)
    }

    /// No piece of a live file may claim commits that another live file of that day holds.
    private func checkPieces(_ segments: [Segment]) {
        for (index, left) in segments.enumerated() {
            for right in segments[(index + 1)...] {
                for piece in left.description.pieces {
                    #expect(!right.description.pieces.contains { $0.day == piece.day && $0.low <= piece.high && piece.low <= $0.high })
                }
            }
        }
    }

    @Test func blocksThatNothingElseOverlapsAreCopied() throws {
        var scene = try Scene(.logs, seed: 5, slots: 1)
        let limits = BlockLimits(signal: .logs, wholeSlotRows: 50)
        // The slots of the files follow each other.
        for _ in 0..<4 {
            try scene.flush(runs: 1, rowsPerRun: 200, limits: limits)
            scene.rows.start += Slot.length(of: .logs) * 2
        }
        let expected = RowText.expected(scene.chunks, scene.rows.registry)
        let task = try #require(MergePolicy(minimumRatio: 2).next(scene.candidates, now: Self.now))
        let result = try scene.run(task, limits: limits)
        #expect(result.copiedBlocks >= 4)
        #expect(try scene.segments.flatMap { try scene.fixture.texts($0) } == expected)
        for id in try scene.segments[0].allTraceIDs().prefix(5) {
            let rows = try scene.segments[0].rows(ofTraces: [id]).reduce(0) { $0 + $1.rows.count }
            #expect(rows == expected.filter { $0.contains(RowText.text(of: id)) }.count)
        }
    }

    @Test func summariesCountEverySpanOnce() throws {
        var scene = try Scene(.spans, seed: 6, slots: 2)
        for _ in 0..<3 { try scene.flush(runs: 2, rowsPerRun: 100) }
        let task = try #require(MergePolicy(minimumRatio: 2).next(scene.candidates, now: Self.now))
        _ = try scene.run(task)
        for segment in scene.segments {
            let summaries = try #require(try segment.traceSummaries())
            #expect(summaries.map(\.traceID) == (try segment.allTraceIDs()))
            for summary in summaries {
                let spans = try segment.rows(ofTraces: [summary.traceID])
                #expect(summary.spanCount == spans.reduce(0) { $0 + $1.rows.count })
                var starts: [Int64] = []
                for (block, rows) in spans { starts += try segment.read(block: block, rows: rows, projection: .positions).times }
                #expect(summary.start == starts.min())
                #expect(!summary.services.isEmpty)
            }
        }
    }

    @Test func rowsBelowTheFloorAreDroppedAndAnEmptyDayKeepsItsPiece() throws {
        var scene = try Scene(.logs, seed: 8, slots: 3)
        for _ in 0..<3 { try scene.flush(runs: 1, rowsPerRun: 100) }
        let floor = Timestamp(nanoseconds: scene.rows.start + scene.rows.span / 2)
        let task = try #require(MergePolicy(minimumRatio: 2).next(scene.candidates, now: Self.now))
        let result = try scene.run(task, floor: floor)
        #expect(result.expiredRows > 0)
        let live = scene.chunks.flatMap { chunk in chunk.batch.times.filter { $0 >= floor.nanoseconds } }
        #expect(scene.segments.reduce(0) { $0 + $1.rowCount } == live.count)

        var empty = try Scene(.logs, seed: 9, slots: 1)
        for _ in 0..<3 { try empty.flush(runs: 1, rowsPerRun: 50) }
        let all = try #require(MergePolicy(minimumRatio: 2).next(empty.candidates, now: Self.now))
        _ = try empty.run(all, floor: Self.now)
        #expect(empty.segments.map(\.description.pieces) == all.outputs.map(\.pieces))
        #expect(empty.segments.allSatisfy { $0.rowCount == 0 })
        try empty.segments[0].verify()
    }

    @Test func aDamagedInputIsNotMerged() throws {
        var scene = try Scene(.logs, seed: 10, slots: 1)
        let limits = BlockLimits(signal: .logs, wholeSlotRows: 50)
        for _ in 0..<3 {
            try scene.flush(runs: 1, rowsPerRun: 400, limits: limits)
            scene.rows.start += Slot.length(of: .logs)
        }
        let path = scene.segments[1].path
        for segment in scene.segments { segment.file.closeConnections() }
        let layer = POSIXFileLayer()
        var bytes = try layer.contents(path, limit: 1 << 24)
        // Bodies are the largest column, in the pages of SQLite behind the first ones.
        for index in stride(from: 40_000, to: bytes.count - 20_000, by: 512) { bytes[index] ^= 0x10 }
        try layer.replace(path, with: bytes)
        let task = try #require(MergePolicy(minimumRatio: 2).next(scene.candidates, now: Self.now))
        let fixture = scene.fixture
        #expect(throws: StoreError.self) { try scene.run(task, limits: limits) }
        let names = try layer.list(fixture.folder.path + "/data/logs/new")
        #expect(names == ["1.seg", "2.seg", "3.seg"])
    }
}
