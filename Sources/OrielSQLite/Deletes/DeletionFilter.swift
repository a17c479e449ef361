import OrielStore
import OrielTelemetry

/// The deletions of one signal, made ready to tell which rows are left.
struct DeletionFilter {
    private struct Part {
        let sequence: CommitSequence
        /// In the signal's unit.
        let bounds: Range<Int64>
        let traceIDs: Set<TraceID>?
        let projection: Projection
        var filter: StreamFilter
        var evaluator: PredicateEvaluator

        init(_ tombstone: Tombstone, _ signal: Signal, _ registry: StreamRegistry) {
            let deletion = tombstone.deletion
            sequence = tombstone.sequence
            bounds = deletion.range.bounds(for: signal)
            traceIDs = deletion.traceIDs
            filter = StreamFilter(matchers: deletion.streamMatchers, registry: registry)
            evaluator = PredicateEvaluator(deletion.predicate)
            var projection = evaluator.requiredProjection
            if traceIDs != nil { projection.columns.insert(.traceID) }
            self.projection = projection
        }
    }

    private var parts: [Part]
    private let registry: StreamRegistry

    init(_ tombstones: [Tombstone], signal: Signal, registry: StreamRegistry) {
        // Rows without trace ids are none of those that a list of traces means.
        parts = tombstones.filter { $0.deletion.signals.contains(signal) && ($0.deletion.traceIDs == nil || signal.columns.contains(.traceID)) }.map {
            Part($0, signal, registry)
        }
        self.registry = registry
    }

    /// Whether every row is left.
    var isTrivial: Bool { parts.isEmpty }

    /// Which deletions some rows may fall to: by their last commit, their times, and the deletions that have been applied to them already.
    struct Touch {
        fileprivate var parts: [Int]
        /// What has to be decoded of the rows to tell.
        fileprivate(set) var projection: Projection
    }

    /// - Parameters:
    ///   - high: The last commit of the rows. No deletion lies between their commits.
    ///   - times: In the signal's unit.
    ///   - applied: Deletions up to this one have been applied.
    /// - Returns: `nil` when all rows are left.
    func touch(high: CommitSequence, times: ClosedRange<Int64>, applied: CommitSequence = .zero) -> Touch? {
        guard !parts.isEmpty else { return nil }
        var touch = Touch(parts: [], projection: .positions)
        for (index, part) in parts.enumerated()
        where part.sequence > applied && high <= part.sequence && part.bounds.lowerBound <= times.upperBound && times.lowerBound < part.bounds.upperBound {
            touch.parts.append(index)
            touch.projection = touch.projection.union(part.projection)
        }
        return touch.parts.isEmpty ? nil : touch
    }

    func touch(_ header: BlockHeader, of container: any BlockContainer) -> Touch? {
        touch(high: header.high, times: header.minimumTime...max(header.minimumTime, header.maximumTime), applied: container.appliedDeletions)
    }

    func touch(_ chunk: BuilderChunk) -> Touch? {
        touch(high: chunk.sequence, times: chunk.minimumTime...max(chunk.minimumTime, chunk.maximumTime))
    }

    /// Whether any block of a container may hold rows that are gone.
    func touches(_ container: any BlockContainer) -> Bool {
        !parts.isEmpty && container.blocks.contains { touch($0, of: container) != nil }
    }

    /// Those of some rows that are left, ascending.
    ///
    /// - Parameters:
    ///   - rows: Which rows of the batch to look at; `nil` for all.
    ///   - batch: With ``StreamReference``s, and with the columns of the touch's projection.
    mutating func remaining(_ rows: [Int]?, of batch: ColumnBatch, _ touch: Touch) -> [Int] {
        var remaining = rows ?? Array(0..<batch.count)
        for index in touch.parts where !remaining.isEmpty {
            let gone = Set(removed(remaining, of: batch, index))
            if !gone.isEmpty { remaining.removeAll { gone.contains($0) } }
        }
        return remaining
    }

    private mutating func removed(_ rows: [Int], of batch: ColumnBatch, _ index: Int) -> [Int] {
        var rows = rows
        let bounds = parts[index].bounds
        let (times, streams) = (batch.times, batch.streamIndexes)
        rows.removeAll { !bounds.contains(times[$0]) }
        if !parts[index].filter.isTrivial {
            rows = rows.filter { parts[index].filter.allows(streams[$0]) }
        }
        if let wanted = parts[index].traceIDs {
            guard case .traceIDs(let ids) = batch[.traceID] else { return [] }
            rows.removeAll { !wanted.contains(ids[$0]) }
        }
        guard !rows.isEmpty, !parts[index].evaluator.isAlwaysTrue else { return rows }
        let registry = registry
        return parts[index].evaluator.rows(rows, of: batch) { registry.decodedDescriptor(of: $0) }
    }
}
