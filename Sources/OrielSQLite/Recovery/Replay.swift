import OrielCompression
import OrielStore
import OrielTelemetry

/// Puts the redo of hot.db back into memory.
struct Replay {
    let hot: HotDatabase
    /// Live files: what of redo they hold is left out.
    let live: [SegmentDescription]
    let core: StoreCore
    let notes: RecoveryNotes

    struct Result {
        var chunks: [BuilderChunk] = []
        /// The last commit that is known.
        var sequence = CommitSequence.zero
        var seen: SeenRequests
        var sequencer = DeltaSequencer()
        var redo: [(sequence: CommitSequence, byteCount: Int)] = []
        var flushedHigh = CommitSequence.zero
        var oldestLabels: UInt32 = 0
    }

    init(_ hot: HotDatabase, live: [SegmentDescription], core: StoreCore, notes: RecoveryNotes) {
        self.hot = hot
        self.live = live
        self.core = core
        self.notes = notes
    }

    func run() throws -> Result {
        var result = Result(seen: SeenRequests(window: core.options.requestKeyWindow))
        result.flushedHigh = try hot.flushedHigh()
        result.sequence = live.flatMap(\.pieces).map(\.high).max() ?? .zero
        result.sequence = max(result.sequence, result.flushedHigh)
        core.families.note(try hot.families())
        try replayRequests(&result)
        let sums = try hot.state("sums")
        if let sums {
            try keeping(sums.blob, "sums-\(sums.sequence.rawValue)", "delta sums: they start anew") {
                result.sequencer = try DeltaSequencer(sums.blob.span, registry: core.registry)
            }
        }
        result.redo = try hot.entries(.redo)
        let labels = try labels(from: result.redo.first { $0.sequence > result.flushedHigh }?.sequence.start)
        result.oldestLabels = try hot.entries(.streams).first?.sequence.start ?? 0
        try replayRows(&result, labels, sumsHigh: sums?.sequence ?? .zero)
        return result
    }

    private func replayRequests(_ result: inout Result) throws {
        for (sequence, time, blob) in try hot.seen() {
            try keeping(blob, "seen-\(sequence.rawValue)", "request keys of commit \(sequence.rawValue)") {
                for (key, rejected) in try SeenRecord.decode(blob.span) {
                    result.seen.insert(key, Receipt(sequence: sequence, rejected: rejected), time: time)
                }
            }
        }
    }

    /// Reads a blob; one that does not read is kept in `data/unknown/`, and the rest goes on without it.
    ///
    /// - Parameter contents: what is lost then, in words.
    private func keeping(_ blob: [UInt8], _ name: String, _ contents: String, _ body: () throws -> Void) throws(FileError) {
        do {
            try body()
        } catch {
            notes.lose("\(contents): \(error)")
            try UnknownFiles.keep(blob, as: name, core.folder, files: core.files)
        }
    }

    /// The references of this process for those of earlier starts.
    private func labels(from oldest: UInt32?) throws -> Labels {
        var labels = Labels()
        guard let oldest else { return labels }
        var decompressor = ZstdDecompressor()
        let registry = core.registry
        for (sequence, _) in try hot.entries(.streams) where sequence.start >= oldest || oldest == 0 {
            guard let blob = try hot.blob(.streams, sequence) else { continue }
            try keeping(blob, "streams-\(sequence.rawValue)", "labels that came with commit \(sequence.rawValue)") {
                for entry in try StreamRecord.decode(blob.span, decompressor: &decompressor) {
                    labels.insert(sequence.start, entry.reference, registry.intern(entry.descriptor.span, id: entry.id, isCounted: true))
                }
            }
        }
        return labels
    }

    /// - Parameter sumsHigh: The last commit whose sums are known already.
    private func replayRows(_ result: inout Result, _ labels: Labels, sumsHigh: CommitSequence) throws {
        var decompressor = ZstdDecompressor()
        let now = Timestamp.now
        for (sequence, _) in result.redo {
            guard let blob = try hot.blob(.redo, sequence) else { continue }
            result.sequence = max(result.sequence, sequence)
            guard sequence > result.flushedHigh else { continue }
            var rows: [(kind: RedoFrame.Kind, batch: ColumnBatch)] = []
            try keeping(blob, "redo-\(sequence.rawValue)", "rows of commit \(sequence.rawValue)") {
                let decoded = try RedoRecord.decode(blob.span, decompressor: &decompressor)
                rows = try decoded.map { row in
                    var row = row
                    row.batch.streamIndexes = try labels.resolve(row.batch.streamIndexes, start: sequence.start)
                    return row
                }
            }
            for (kind, batch) in rows {
                if kind == .sums, sequence > sumsHigh {
                    result.sequencer.replay(batch, now: now)
                }
                if let batch = withoutFiled(batch, sequence) {
                    result.chunks.append(BuilderChunk(sequence: sequence, batch: batch))
                }
            }
        }
        let chunks = result.chunks
        core.counters.update { values in
            for chunk in chunks {
                values.memoryBytes += chunk.byteCount
                values.unsealed[chunk.batch.signal, default: .init()].add(chunk)
            }
        }
    }

    /// The rows of a commit that no live file holds; after a rebuild a file may hold those of one signal and redo all.
    private func withoutFiled(_ batch: ColumnBatch, _ sequence: CommitSequence) -> ColumnBatch? {
        let days = live.filter { $0.signal == batch.signal }.flatMap(\.pieces).filter { $0.low <= sequence && sequence <= $0.high }.map(\.day)
        guard !days.isEmpty else { return batch }
        let filed = Set(days)
        let kept = batch.times.indices.filter { !filed.contains(Day(time: batch.times[$0], signal: batch.signal)) }
        guard kept.count < batch.count else { return batch }
        guard !kept.isEmpty else { return nil }
        return batch.selecting(kept)
    }

    /// References of earlier starts by those of this one.
    private struct Labels {
        private var references: [UInt32: [StreamReference: StreamReference]] = [:]

        mutating func insert(_ start: UInt32, _ reference: StreamReference, _ current: StreamReference?) {
            if let current {
                references[start, default: [:]][reference] = current
            }
        }

        func resolve(_ old: [StreamReference], start: UInt32) throws(StoreError) -> [StreamReference] {
            let known = references[start] ?? [:]
            var resolved: [StreamReference] = []
            resolved.reserveCapacity(old.count)
            for reference in old {
                guard let found = known[reference] else {
                    throw .unusable(path: "hot.db", reason: "the labels of stream \(reference) of start \(start) are missing")
                }
                resolved.append(found)
            }
            return resolved
        }
    }
}
