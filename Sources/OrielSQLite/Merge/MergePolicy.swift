import OrielStore
import OrielTelemetry

/// What the policy looks at of one live segment.
struct MergeCandidate: Sendable {
    /// The part of one day.
    struct DayPart: Hashable, Sendable {
        var rowCount: Int
        /// In the signal's unit.
        var minimumTime: Int64
    }

    var description: SegmentDescription
    /// Days with rows.
    var days: [Day: DayPart]
    /// Traces that its rows belong to.
    var traceCount: Int

    init(description: SegmentDescription, days: [Day: DayPart], traceCount: Int = 0) {
        self.description = description
        self.days = days
        self.traceCount = traceCount
    }

    init(_ segment: Segment) {
        description = segment.description
        traceCount = segment.header.traceCount
        days = [:]
        for block in segment.blocks {
            let day = Day(time: block.minimumTime, signal: segment.signal)
            let known = days[day] ?? DayPart(rowCount: 0, minimumTime: .max)
            days[day] = DayPart(rowCount: known.rowCount + block.rowCount, minimumTime: min(known.minimumTime, block.minimumTime))
        }
    }

    /// Bytes of one day, by its share of the rows.
    func byteCount(of day: Day) -> Int {
        guard let part = days[day], description.rowCount > 0 else { return 0 }
        return Int(Double(description.byteCount) * Double(part.rowCount) / Double(description.rowCount))
    }

    /// Memory that a merge needs for the traces besides what it reads and writes: their ids, of each file and of all together, and of spans the summaries.
    var traceBytes: Int { traceCount * (description.signal == .spans ? 136 : 36) }

    /// In the signal's unit.
    var times: ClosedRange<Int64> { description.minimumTime...max(description.minimumTime, description.maximumTime) }

    var low: CommitSequence { description.pieces.map(\.low).min() ?? .zero }
}

/// A merge to be done: which files become which.
struct MergeTask: Hashable, Sendable {
    /// A file to be written.
    struct Output: Hashable, Sendable {
        var level: Int
        var pieces: [Piece]
        /// zstd's level.
        var compression: Int
    }

    var signal: Signal
    /// File ids, oldest rows first.
    var inputs: [UInt64]
    var outputs: [Output]

    /// What the outputs are entered as in the manifest before they are written: file ids from `firstID` on.
    func descriptions(firstID: UInt64) -> [SegmentDescription] {
        outputs.enumerated().map { index, output in
            SegmentDescription(
                fileID: firstID + UInt64(index), signal: signal, level: output.level, pieces: output.pieces, inputs: inputs, rowCount: 0,
                minimumTime: 0, maximumTime: 0, byteCount: 0)
        }
    }
}

/// Chooses what is merged: the longest run of consecutive files whose sizes make it worth the writing.
///
/// Files of level 0 become files of single days; days with little of young rows stay together in a new file of level 0. Files of one day become one.
struct MergePolicy: Sendable {
    /// Bytes that the inputs of a merge have at most.
    var maximumBytes = 512 << 20
    /// Memory that the traces of a merge may take. As many files of level 0 as make a merge worth while are merged all the same, since too many of them would hold up appends.
    var maximumTraceBytes = 160 << 20
    /// Time, in nanoseconds, that the rows of a merged file of one day span at most, so that retention takes files away often enough; `nil` for any. Files of level 0
    /// are merged whatever they span: too many of them would hold up appends.
    var maximumSpan: Int64?
    /// How many times the largest input all inputs together must be.
    var minimumRatio = 4.0
    /// Bytes from which on a day leaves level 0.
    var dayBytes = 4 << 20
    /// Age of rows, in nanoseconds, from which on their day leaves level 0.
    var dayAge: Int64 = 6 * 3_600_000_000_000
    /// Output bytes from which on more time goes into compression.
    var compactBytes = 128 << 20

    /// The merge to do next, or `nil`.
    ///
    /// - Parameters:
    ///   - candidates: all live files of one signal.
    ///   - barriers: pieces of files that cannot be read now; no merge reaches over them.
    func next(_ candidates: [MergeCandidate], barriers: [Piece] = [], now: Timestamp) -> MergeTask? {
        guard let signal = candidates.first?.description.signal else { return nil }
        let fresh = candidates.filter { $0.description.level == 0 }
        if let run = longestRun(fresh, among: candidates, barriers) { return consumption(of: run, signal, now) }
        var byDay: [Day: [MergeCandidate]] = [:]
        for candidate in candidates where candidate.description.level > 0 {
            if let day = candidate.description.pieces.first?.day { byDay[day, default: []].append(candidate) }
        }
        var best: [MergeCandidate] = []
        for day in byDay.keys.sorted() {
            if let run = longestRun(byDay[day] ?? [], among: candidates, barriers), run.count > best.count { best = run }
        }
        guard let day = best.first?.description.pieces.first?.day else { return nil }
        let level = min((best.map(\.description.level).max() ?? 0) + 1, 255)
        let bytes = best.reduce(0) { $0 + $1.description.byteCount }
        return MergeTask(
            signal: signal, inputs: best.map(\.description.fileID), outputs: [output(best, [day], level: level, bytes: bytes, now)])
    }

    /// One file written anew as it is, less what deletions and the floor take from it.
    func rewriting(_ candidate: MergeCandidate) -> MergeTask {
        let description = candidate.description
        return MergeTask(
            signal: description.signal, inputs: [description.fileID],
            outputs: [MergeTask.Output(level: description.level, pieces: description.pieces, compression: rewritingCompression(of: description))])
    }

    /// zstd's level for a file that is written anew as it is.
    func rewritingCompression(of description: SegmentDescription) -> Int {
        description.byteCount >= compactBytes || description.level > 1 ? 3 : 1
    }

    /// Level 0 is consumed wholly: each of its days goes into its own file or into the new file of level 0.
    private func consumption(of run: [MergeCandidate], _ signal: Signal, _ now: Timestamp) -> MergeTask {
        let days = Set(run.flatMap { $0.description.pieces.map(\.day) }).sorted()
        var outputs: [MergeTask.Output] = []
        var remaining: [Day] = []
        let oldest = now.nanoseconds.subtractingSaturating(dayAge)
        for day in days {
            let bytes = run.reduce(0) { $0 + $1.byteCount(of: day) }
            let times = run.compactMap { $0.days[day]?.minimumTime }
            let isOld = times.min().map { time in
                let (nanoseconds, overflow) = time.multipliedReportingOverflow(by: signal.nanosecondsPerTimeUnit)
                return overflow ? time < 0 : nanoseconds < oldest
            }
            if bytes >= dayBytes || isOld ?? false {
                outputs.append(output(run, [day], level: 1, bytes: bytes, now))
            } else {
                remaining.append(day)
            }
        }
        if !remaining.isEmpty { outputs.append(output(run, remaining, level: 0, bytes: 0, now)) }
        return MergeTask(signal: signal, inputs: run.map(\.description.fileID), outputs: outputs)
    }

    /// A day's interval runs from the first low to the last high of that day's pieces only.
    private func output(_ run: [MergeCandidate], _ days: [Day], level: Int, bytes: Int, _ now: Timestamp) -> MergeTask.Output {
        let pieces = days.compactMap { Self.interval(of: $0, in: run) }
        // A day that is over receives little more, so its file stays.
        let isClosed =
            level > 0
            && days.allSatisfy { day in
                let (end, overflow) = (Int64(day.number) + 1).multipliedReportingOverflow(by: Day.nanoseconds)
                return !overflow && end <= now.nanoseconds
            }
        return MergeTask.Output(level: level, pieces: pieces, compression: bytes >= compactBytes || isClosed ? 3 : 1)
    }

    private static func interval(of day: Day, in run: some Sequence<MergeCandidate>) -> Piece? {
        let pieces = run.flatMap { $0.description.pieces.filter { $0.day == day } }
        guard let low = pieces.map(\.low).min(), let high = pieces.map(\.high).max() else { return nil }
        return Piece(day: day, low: low, high: high)
    }

    private func longestRun(_ files: [MergeCandidate], among all: [MergeCandidate], _ barriers: [Piece]) -> [MergeCandidate]? {
        let files = files.sorted { ($0.low, $0.description.fileID) < ($1.low, $1.description.fileID) }
        var best: Range<Int>?
        for start in files.indices {
            var total = 0
            var largest = 0
            var traceBytes = 0
            var isEnough = false
            var times = files[start].times
            for end in start..<files.count {
                total += files[end].description.byteCount
                largest = max(largest, files[end].description.byteCount)
                let run = start..<(end + 1)
                guard total <= maximumBytes else { break }
                traceBytes += files[end].traceBytes
                guard traceBytes <= maximumTraceBytes || (files[end].description.level == 0 && !isEnough) else { break }
                isEnough = Double(total) >= minimumRatio * Double(max(largest, 1))
                times = min(times.lowerBound, files[end].times.lowerBound)...max(times.upperBound, files[end].times.upperBound)
                guard files[end].description.level == 0 || maximumSpan.map({ Self.span(times, files[end].description.signal) <= $0 }) ?? true else { break }
                guard run.count > max(best?.count ?? 0, 1), isEnough else { continue }
                // A longer run would claim more still.
                guard isConsecutive(files[run], among: all, barriers) else { break }
                best = run
            }
        }
        return best.map { Array(files[$0]) }
    }

    /// Nanoseconds from the first to the last of some times in the signal's unit.
    private static func span(_ times: ClosedRange<Int64>, _ signal: Signal) -> Int64 {
        let (span, overflow) = times.upperBound.subtractingSaturating(times.lowerBound).multipliedReportingOverflow(by: signal.nanosecondsPerTimeUnit)
        return overflow ? .max : span
    }

    /// Whether no piece of another file, and no barrier, lies within what the merged pieces would claim.
    private func isConsecutive(_ run: ArraySlice<MergeCandidate>, among all: [MergeCandidate], _ barriers: [Piece]) -> Bool {
        let inputs = Set(run.map(\.description.fileID))
        var intervals: [Day: Piece] = [:]
        for day in Set(run.flatMap { $0.description.pieces.map(\.day) }) { intervals[day] = Self.interval(of: day, in: run) }
        func isInside(_ piece: Piece) -> Bool {
            guard let interval = intervals[piece.day] else { return false }
            return piece.low <= interval.high && interval.low <= piece.high
        }
        if barriers.contains(where: isInside) { return false }
        return !all.contains { !inputs.contains($0.description.fileID) && $0.description.pieces.contains(where: isInside) }
    }
}
