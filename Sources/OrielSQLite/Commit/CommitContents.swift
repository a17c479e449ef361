import OrielCompression
import OrielStore
import OrielTelemetry

/// What one group commit holds: the requests in their order, and what the delta sequencer made of them.
struct CommitContents {
    let sequence: CommitSequence
    private var appends: [(append: PendingAppend, rejected: [Receipt.Rejection])] = []
    private var positions: [RequestKey: Int] = [:]
    /// Requests that repeat one of this group, with its position.
    private var duplicates: [(append: PendingAppend, position: Int)] = []
    /// Samples of the delta sequencer.
    var derived: [ColumnBatch] = []
    private var derivedFrame: RedoFrame?
    private(set) var firstOrds: [Signal: UInt64] = [:]
    /// The rows as they are published, once they are numbered.
    var chunks: [BuilderChunk] = []

    init(sequence: CommitSequence) {
        self.sequence = sequence
    }

    var isEmpty: Bool {
        derived.isEmpty && appends.allSatisfy { $0.append.batches.isEmpty && $0.append.families.isEmpty && $0.append.key == nil }
    }

    var hasRows: Bool {
        !derived.isEmpty || appends.contains { !$0.append.batches.isEmpty }
    }

    /// Lets `append` share the answer of the request with the same key, when the group has one.
    mutating func join(_ key: RequestKey, _ append: PendingAppend) -> Bool {
        guard let position = positions[key] else { return false }
        duplicates.append((append, position))
        return true
    }

    mutating func add(_ append: PendingAppend, _ sequencer: inout DeltaSequencer, now: Timestamp) {
        var rejected = append.rejected
        for rows in append.deltas {
            let (batch, count) = sequencer.sequence(rows, now: now)
            if batch.count > 0 {
                derived.append(batch)
            }
            if count > 0 {
                rejected.append(.init(signal: batch.signal, reason: .overlappingDelta, count: count))
            }
        }
        if let key = append.key {
            positions[key] = appends.count
        }
        appends.append((append, rejected))
    }

    mutating func encodeDerived(_ compressor: inout ZstdCompressor) throws {
        if !derived.isEmpty {
            derivedFrame = try RedoFrame(derived, kind: .sums, compressor: &compressor)
        }
    }

    /// The frames in the order in which rows are numbered.
    var frames: [RedoFrame] {
        appends.compactMap(\.append.frame) + (derivedFrame.map { [$0] } ?? [])
    }

    /// Numbers all rows from `next` on.
    mutating func number(_ next: inout [Signal: UInt64]) -> [BuilderChunk] {
        firstOrds = next
        var chunks: [BuilderChunk] = []
        for var batch in appends.flatMap(\.append.batches) + derived {
            batch.assignOrds(&next)
            chunks.append(BuilderChunk(sequence: sequence, batch: batch))
        }
        return chunks
    }

    /// The streams of all rows for which `isNew`, each once, ascending.
    func references(where isNew: (StreamReference) -> Bool) -> [StreamReference] {
        var distinct: Set<StreamReference> = []
        forEachReference { reference in
            if isNew(reference) { distinct.insert(reference) }
        }
        return distinct.sorted()
    }

    /// Calls `body` for the streams of all rows, for some more than once.
    func forEachReference(_ body: (StreamReference) -> Void) {
        for (append, _) in appends {
            for reference in append.references { body(reference) }
        }
        for batch in derived {
            for reference in batch.streamIndexes { body(reference) }
        }
    }

    var families: [MetricFamily] {
        appends.flatMap(\.append.families)
    }

    /// The keys of this commit with what is answered.
    var keys: [(key: RequestKey, rejected: [Receipt.Rejection])] {
        appends.compactMap { item in item.append.key.map { ($0, item.rejected) } }
    }

    var receipts: [(key: RequestKey, receipt: Receipt)] {
        keys.map { ($0.key, Receipt(sequence: sequence, rejected: $0.rejected)) }
    }

    /// Tells everybody that the commit is on the disk.
    func finish() {
        for (append, rejected) in appends {
            append.finish(.success(Receipt(sequence: sequence, rejected: rejected)))
        }
        for (append, position) in duplicates {
            append.finish(.success(Receipt(sequence: sequence, rejected: appends[position].rejected, isDuplicate: true)))
        }
    }

    func fail(_ error: StoreError) {
        for (append, _) in appends {
            append.finish(.failure(error))
        }
        for (append, _) in duplicates {
            append.finish(.failure(error))
        }
    }
}
