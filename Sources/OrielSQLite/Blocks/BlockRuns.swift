/// The runs of a block: its rows by slot and stream, and where each run and each vector of times begins.
///
/// Runs come in the order of (slot, stream), so that the one of a stream or of a row is found by halving: a block of samples has some thousand runs, and a query
/// of one series wants one of them.
struct BlockRuns: Equatable, Sendable {
    /// Rows of one stream in one slot.
    struct Run: Hashable, Sendable {
        var slot: Int64
        /// Local to the block.
        var stream: UInt32
        var rowCount: UInt32
        /// Which of the block's vectors of times the rows have; for metrics only.
        var vector: UInt32

        init(slot: Int64, stream: Int, rowCount: Int, vector: Int) {
            self.slot = slot
            self.stream = UInt32(stream)
            self.rowCount = UInt32(rowCount)
            self.vector = UInt32(vector)
        }
    }

    /// In row order.
    let runs: [Run]
    /// The first row of each run, and behind them the number of rows.
    let starts: [UInt32]
    /// The first run of each slot, and behind them the number of runs.
    let slotStarts: [Int]
    /// Where each vector of times begins in the column of times, and behind them the length of that column.
    let vectorStarts: [UInt32]

    /// - Parameters:
    ///   - runs: In order, as ``check(_:hasVectors:)`` demands of what was read; with at most ``BlockDirectory/maximumRows`` rows.
    ///   - hasVectors: Whether the runs share vectors of times: the block is one of metrics.
    init(_ runs: [Run], hasVectors: Bool) {
        self.runs = runs
        var starts: [UInt32] = []
        starts.reserveCapacity(runs.count + 1)
        var slotStarts: [Int] = []
        var vectorStarts: [UInt32] = hasVectors ? [0] : []
        var total: UInt32 = 0
        for (index, run) in runs.enumerated() {
            starts.append(total)
            total += run.rowCount
            if index == 0 || runs[index - 1].slot != run.slot { slotStarts.append(index) }
            if hasVectors, Int(run.vector) + 1 == vectorStarts.count { vectorStarts.append(vectorStarts[Int(run.vector)] + run.rowCount) }
        }
        starts.append(total)
        slotStarts.append(runs.count)
        self.starts = starts
        self.slotStarts = slotStarts
        self.vectorStarts = vectorStarts
    }

    /// Throws `malformed` when runs are not in the order of (slot, stream), vectors are not numbered as they come, or one serves runs of different lengths.
    static func check(_ runs: [Run], hasVectors: Bool) throws(ColumnError) {
        var lengths: [UInt32] = []
        for (index, run) in runs.enumerated() {
            if index > 0 {
                let last = runs[index - 1]
                guard last.slot < run.slot || (last.slot == run.slot && last.stream < run.stream) else {
                    throw ColumnError(.malformed("run \(index) is not in the order of slots and streams"), at: 0)
                }
            }
            guard hasVectors else { continue }
            if Int(run.vector) < lengths.count {
                guard lengths[Int(run.vector)] == run.rowCount else {
                    throw ColumnError(.malformed("a vector of times serves runs of different lengths"), at: 0)
                }
            } else {
                guard Int(run.vector) == lengths.count else { throw ColumnError(.malformed("the vectors of times are not in order"), at: 0) }
                lengths.append(run.rowCount)
            }
        }
    }

    var count: Int { runs.count }

    subscript(index: Int) -> Run { runs[index] }

    /// The rows of a run.
    func rows(of run: Int) -> Range<Int> { Int(starts[run])..<Int(starts[run + 1]) }

    var vectorCount: Int { max(0, vectorStarts.count - 1) }

    /// The places in the column of times of a vector.
    func places(ofVector vector: UInt32) -> Range<Int> { Int(vectorStarts[Int(vector)])..<Int(vectorStarts[Int(vector) + 1]) }

    /// The run that holds a row, not before `run`. It is searched from there in growing steps, so that rows near each other cost little.
    func run(ofRow row: Int, from run: Int = 0) -> Int {
        var low = run
        var step = 1
        while low + step < runs.count, Int(starts[low + step]) <= row {
            low += step
            step *= 2
        }
        var high = min(low + step, runs.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if Int(starts[middle]) <= row { low = middle } else { high = middle }
        }
        return low
    }

    /// The runs of some streams, ascending. O(*s* log *r*) for each slot, or O(*r*) when most streams are wanted.
    ///
    /// - Parameter streams: local to the block, ascending.
    func runs(ofStreams streams: [UInt32]) -> [Int] {
        var found: [Int] = []
        for slot in 0..<(slotStarts.count - 1) {
            var low = slotStarts[slot]
            let end = slotStarts[slot + 1]
            for stream in streams {
                low = firstRun(notBelow: stream, low..<end)
                if low == end { break }
                if runs[low].stream == stream {
                    found.append(low)
                    low += 1
                }
            }
        }
        return found
    }

    /// In a part of a slot the first run whose stream is not below `stream`, searched in growing steps, or the part's end.
    private func firstRun(notBelow stream: UInt32, _ part: Range<Int>) -> Int {
        var low = part.lowerBound
        var step = 1
        while low + step <= part.upperBound, runs[low + step - 1].stream < stream {
            low += step
            step *= 2
        }
        var high = min(low + step - 1, part.upperBound)
        while low < high {
            let middle = (low + high) / 2
            if runs[middle].stream < stream { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
