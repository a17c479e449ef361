import OrielStore
import OrielTelemetry
import Testing

@testable import OrielSQLite

@Suite struct MergePolicyTests {
    private let today = Day(number: 20_000)
    private var now: Timestamp { Timestamp(nanoseconds: Int64(today.number) * Day.nanoseconds + 3_600_000_000_000) }

    private func file(
        _ id: UInt64, level: Int = 0, _ commits: ClosedRange<UInt64>, megabytes: Int, days: [Int32] = [20_000], traces: Int = 0
    ) -> MergeCandidate {
        let pieces = days.map {
            Piece(day: Day(number: $0), low: CommitSequence(rawValue: commits.lowerBound), high: CommitSequence(rawValue: commits.upperBound))
        }
        var parts: [Day: MergeCandidate.DayPart] = [:]
        for piece in pieces {
            parts[piece.day] = MergeCandidate.DayPart(rowCount: 100, minimumTime: Int64(piece.day.number) * Day.nanoseconds)
        }
        return MergeCandidate(
            description: SegmentDescription(
                fileID: id, signal: .logs, level: level, pieces: pieces, inputs: [], rowCount: 100 * days.count, minimumTime: 0, maximumTime: 0,
                byteCount: megabytes << 20),
            days: parts, traceCount: traces)
    }

    @Test func theMemoryForTracesBoundsAMerge() {
        // 36 bytes a trace: six of eight files are 154 MB, and four of the larger ones are above the bound but needed.
        let files = (1...8).map { file($0, ($0 * 10)...($0 * 10 + 9), megabytes: 16, traces: 750_000) }
        #expect(MergePolicy().next(files, now: now)?.inputs.count == 6)
        let large = (1...8).map { file($0, ($0 * 10)...($0 * 10 + 9), megabytes: 16, traces: 3_000_000) }
        #expect(MergePolicy().next(large, now: now)?.inputs == [1, 2, 3, 4])
        let merged = (1...8).map { file($0, level: 1, ($0 * 10)...($0 * 10 + 9), megabytes: 16, traces: 3_000_000) }
        #expect(MergePolicy().next(merged, now: now) == nil)
    }

    @Test func fourEqualFilesAreMergedAndThreeAreNot() {
        let files = (1...4).map { file($0, ($0 * 10)...($0 * 10 + 9), megabytes: 16) }
        #expect(MergePolicy().next(Array(files.prefix(3)), now: now) == nil)
        let task = MergePolicy().next(files, now: now)
        #expect(task?.inputs == [1, 2, 3, 4])
        #expect(task?.outputs.map(\.level) == [1])
        #expect(task?.outputs.first?.pieces == [Piece(day: today, low: CommitSequence(rawValue: 10), high: CommitSequence(rawValue: 49))])
        #expect(task?.descriptions(firstID: 9).map(\.fileID) == [9])
    }

    @Test func smallYoungDaysStayTogetherInLevelZero() {
        let files = (1...4).map { file($0, ($0 * 10)...($0 * 10 + 9), megabytes: 1, days: [20_000, 20_001]) }
        let task = MergePolicy().next(files, now: now)
        #expect(task?.outputs.map(\.level) == [0])
        #expect(task?.outputs.first?.pieces.count == 2)
    }

    @Test func oldRowsLeaveLevelZero() {
        let files = (1...4).map { file($0, ($0 * 10)...($0 * 10 + 9), megabytes: 1, days: [19_000, 20_000]) }
        let task = MergePolicy().next(files, now: now)
        #expect(task?.outputs.map(\.level) == [1, 0])
        #expect(task?.outputs.first?.compression == 3)
    }

    @Test func aLargeFileWaitsUntilTheOthersHaveGrown() {
        let files = [file(1, level: 1, 1...100, megabytes: 200)] + (2...4).map { file($0, level: 1, ($0 * 100)...($0 * 100 + 9), megabytes: 20) }
        #expect(MergePolicy().next(files, now: now) == nil)
        #expect(MergePolicy().next(files + [file(5, level: 1, 900...909, megabytes: 20)], now: now)?.inputs == [2, 3, 4, 5])
    }

    @Test func noMergeReachesOverAnotherPieceOrABarrier() {
        let files = (1...4).map { file($0, ($0 * 10)...($0 * 10 + 9), megabytes: 16) }
        let between = file(9, level: 1, 30...30, megabytes: 1)
        let separated = files.filter { $0.description.fileID != 3 } + [between]
        #expect(MergePolicy(minimumRatio: 2).next(separated, now: now)?.inputs == [1, 2])
        let barrier = Piece(day: today, low: CommitSequence(rawValue: 25), high: CommitSequence(rawValue: 25))
        #expect(MergePolicy().next(files, barriers: [barrier], now: now) == nil)
        // Of another day it is none.
        let other = Piece(day: Day(number: 3), low: CommitSequence(rawValue: 25), high: CommitSequence(rawValue: 25))
        #expect(MergePolicy().next(files, barriers: [other], now: now) != nil)
    }

    @Test func inputsKeepToTheirBytes() {
        let files = (1...20).map { file($0, ($0 * 10)...($0 * 10 + 9), megabytes: 100) }
        #expect(MergePolicy().next(files, now: now)?.inputs.count == 5)
    }

    @Test func filesOfADaySpanNoMoreThanAllowed() {
        let hour: Int64 = 3_600_000_000_000
        func hours(_ level: Int) -> [MergeCandidate] {
            (0..<8).map { index in
                var file = file(UInt64(index + 1), level: level, UInt64(index * 10)...UInt64(index * 10 + 9), megabytes: 16)
                file.description.minimumTime = Int64(index) * hour
                file.description.maximumTime = Int64(index + 1) * hour - 1
                return file
            }
        }
        #expect(MergePolicy().next(hours(1), now: now)?.inputs.count == 8)
        #expect(MergePolicy(maximumSpan: 5 * hour).next(hours(1), now: now)?.inputs == [1, 2, 3, 4, 5])
        #expect(MergePolicy(maximumSpan: 3 * hour).next(hours(1), now: now) == nil)
        // Files of level 0 must not pile up.
        #expect(MergePolicy(maximumSpan: 3 * hour).next(hours(0), now: now)?.inputs.count == 8)
    }

    /// A day of scrapes, flushed each hour: few files stay, and each byte is written about three times.
    @Test func aDayOfFlushesEndsInFewFiles() {
        let hour: Int64 = 3_600_000_000_000
        var live: [MergeCandidate] = []
        var id: UInt64 = 0
        var written = 0
        for flush in 0..<24 {
            id += 1
            live.append(file(id, UInt64(flush * 10)...UInt64(flush * 10 + 9), megabytes: 5))
            written += 5
            let now = Timestamp(nanoseconds: Int64(today.number) * Day.nanoseconds + Int64(flush + 1) * hour)
            var merges = 0
            while let task = MergePolicy().next(live, now: now) {
                merges += 1
                #expect(merges < 4)
                let inputs = live.filter { task.inputs.contains($0.description.fileID) }
                live.removeAll { task.inputs.contains($0.description.fileID) }
                let megabytes = inputs.reduce(0) { $0 + $1.description.byteCount >> 20 }
                for output in task.outputs {
                    id += 1
                    live.append(
                        file(
                            id, level: output.level, output.pieces[0].low.rawValue...output.pieces[0].high.rawValue, megabytes: megabytes))
                    written += megabytes
                }
            }
            #expect(live.count <= 9)
        }
        #expect(live.count <= 6)
        #expect(written <= 24 * 5 * 3)
    }

    @Test func groupsFollowEachOtherInTime() {
        func block(_ input: Int, _ slots: ClosedRange<Int64>, chain: Int = 0) -> MergeBlock {
            MergeBlock(
                input: input, chain: chain,
                header: BlockHeader(
                    index: 0, rowCount: 1, firstSlot: Slot(number: slots.lowerBound), lastSlot: Slot(number: slots.upperBound), low: .zero, high: .zero,
                    minimumTime: 0, maximumTime: 0, firstStream: 0, lastStream: 0))
        }
        let groups = MergeGroup.groups([block(1, 5...6), block(0, 1...2), block(0, 2...4), block(1, 7...7), block(0, 6...6)])
        #expect(groups.map { $0.blocks.map(\.input) } == [[0, 0], [0, 1], [1]])
        #expect(groups.map(\.chains.count) == [1, 2, 1])
        let unsorted = MergeGroup.groups([block(0, 1...2), block(0, 2...4, chain: 1), block(0, 3...4, chain: 1)])
        #expect(unsorted.map { $0.chains.map(\.count) } == [[1, 2]])
    }
}
