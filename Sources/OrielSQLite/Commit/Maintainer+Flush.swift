import OrielStore
import OrielTelemetry

extension Maintainer {
    /// Writes all rows up to the last commit into one level-0 file per signal, and lets their redo go.
    func flush() throws {
        let start = try core.perform { committer in committer.startFlush() }
        guard start.high > start.flushedHigh else { return }
        for signal in Signal.allCases {
            let chunks = core.state[signal].chunks.prefix { $0.sequence <= start.high }
            try seal(Array(chunks), signal)
        }

        // Only this thread seals, so all sealed runs hold commits up to `start.high`.
        let low = CommitSequence(rawValue: start.flushedHigh.rawValue + 1)
        var runs: [Signal: [SealedRun]] = [:]
        var counts: [Signal: Int] = [:]
        var memoryBytes = 0
        for signal in Signal.allCases {
            let sealed = core.state[signal].sealed.compactMap { $0 as? SealedRun }
            guard !sealed.isEmpty else { continue }
            runs[signal] = sealed
            counts[signal] = sealed.count
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

        var files: [SegmentFiles.Opened] = []
        do {
            for description in entered {
                let written = try SegmentFiles.flush(runs[description.signal] ?? [], description, core: core)
                files.append(.init(description: written, container: try SegmentFiles.open(written, core: core)))
            }
        } catch {
            try giveUp(entered)
            throw error
        }
        core.crashPoints.reach(.flushRenamed)
        let (finished, sealed, bytes) = (files, counts, memoryBytes)
        try core.perform { committer in
            try committer.finishFlush(finished, sealed: sealed, start: start, memoryBytes: bytes)
        }
        core.crashPoints.reach(.flushCommitted)
        isRebuilt = false
        for file in files {
            live[file.description.fileID] = file
        }
    }

    /// Lets entered files go that could not be finished.
    func giveUp(_ entered: [SegmentDescription]) throws {
        let ids = entered.map(\.fileID)
        try core.perform { committer in
            try committer.abandonWriting(ids)
        }
        for description in entered {
            dead.append(DeadFile(id: description.fileID, path: core.folder + "/" + description.path, container: nil))
        }
    }
}
