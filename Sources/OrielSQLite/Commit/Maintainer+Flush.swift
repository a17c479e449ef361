import OrielStore
import OrielTelemetry

/// Sealed runs on their way into files of level 0.
struct FlushJob: Sendable {
    typealias Outcome = Result<[SegmentFiles.Opened], any Error>

    var start: Committer.FlushStart
    var runs: [Signal: [SealedRun]]
    /// The files as the manifest has entered them.
    var entered: [SegmentDescription]
    /// What the runs take in memory.
    var memoryBytes: Int

    /// Writes and opens the files.
    func run(_ core: StoreCore) -> Outcome {
        Result {
            try entered.map { description in
                let written = try SegmentFiles.flush(runs[description.signal] ?? [], description, core: core)
                return SegmentFiles.Opened(description: written, container: try SegmentFiles.open(written, core: core))
            }
        }
    }
}

extension Maintainer {
    /// Starts to write all rows up to the last commit into one level-0 file per signal; nothing when all are in files.
    func startFlush() throws {
        let start = try core.perform { committer in committer.startFlush() }
        guard start.high > start.flushedHigh else { return }
        for signal in Signal.allCases {
            try sealAll(signal, through: start.high)
        }

        // Only this thread seals, and only up to here so far, so all sealed runs hold commits up to `start.high`.
        let low = CommitSequence(rawValue: start.flushedHigh.rawValue + 1)
        var runs: [Signal: [SealedRun]] = [:]
        var memoryBytes = 0
        for signal in Signal.allCases {
            let sealed = core.state[signal].sealed.compactMap { $0 as? SealedRun }
            guard !sealed.isEmpty else { continue }
            runs[signal] = sealed
            memoryBytes += sealed.reduce(0) { $0 + $1.byteCount }
        }
        let signals = runs.keys.sorted()
        let isExact = isRebuilt
        let pieces = runs.mapValues { runs in
            // Rows that a rebuild found in redo may lie before or between the commits of files, which a wide interval would claim.
            let low = isExact ? runs.map(\.low).min() ?? low : low
            let high = isExact ? runs.map(\.high).max() ?? start.high : start.high
            return Set(runs.flatMap { $0.pieces.map(\.day) }).sorted().map { Piece(day: $0, low: low, high: high) }
        }
        let entered = try core.perform { committer in
            try committer.enterWriting { first in
                signals.enumerated().map { index, signal in
                    SegmentDescription(
                        fileID: first + UInt64(index), signal: signal, level: 0, pieces: pieces[signal] ?? [], inputs: [], rowCount: 0,
                        minimumTime: 0, maximumTime: 0, byteCount: 0)
                }
            }
        }
        core.crashPoints.reach(.segmentWriting)
        let job = FlushJob(start: start, runs: runs, entered: entered, memoryBytes: memoryBytes)
        runningFlush = job
        let core = core
        flushThread.start { job.run(core) }
    }

    /// Makes the written files live and lets their redo go.
    func finishFlush(_ outcome: FlushJob.Outcome) throws {
        guard let job = runningFlush else { return }
        unfinishedFlush = nil
        let files: [SegmentFiles.Opened]
        do {
            files = try outcome.get()
        } catch {
            runningFlush = nil
            try giveUp(job.entered)
            throw error
        }
        core.crashPoints.reach(.flushRenamed)
        let counts = job.runs.mapValues(\.count)
        do {
            try core.perform { committer in
                try committer.finishFlush(files, sealed: counts, start: job.start, memoryBytes: job.memoryBytes)
            }
        } catch {
            // The files are whole; their transaction goes well when there is space again.
            if Maintainer.isFull(error) { unfinishedFlush = outcome } else { runningFlush = nil }
            throw error
        }
        runningFlush = nil
        core.crashPoints.reach(.flushCommitted)
        core.gate.changed()
        isRebuilt = false
        for file in files {
            live[file.description.fileID] = file
        }
        forgetting.noteFlush()
    }

    /// Lets entered files go that could not be finished.
    func giveUp(_ entered: [SegmentDescription]) throws {
        guard !entered.isEmpty else { return }
        abandoned += entered
        try giveUpAbandoned()
    }

    func giveUpAbandoned() throws {
        let ids = abandoned.map(\.fileID)
        try core.perform { committer in
            try committer.abandonWriting(ids)
        }
        for description in abandoned {
            dead.append(
                DeadFile(id: description.fileID, signal: description.signal, path: core.folder + "/" + description.path, lifetime: nil))
        }
        abandoned = []
    }

    static func isFull(_ error: any Error) -> Bool {
        if case .diskFull? = error as? StoreError { true } else { false }
    }
}
