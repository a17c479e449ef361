import OrielCompression
import OrielStore
import OrielTelemetry

/// What the commit thread is given to do.
enum CommitWork: Sendable {
    /// A request; it may share a commit with others.
    case append(PendingAppend)
    /// Anything else, between two commits.
    case perform(@Sendable (Committer) -> Void)
}

/// A request that waits for its commit: all that could be prepared outside the commit thread.
final class PendingAppend: Sendable {
    typealias Answer = Result<Receipt, StoreError>

    /// What the references are of.
    let registry: StreamRegistry
    /// Rows with stream references, without ords.
    let batches: [ColumnBatch]
    /// The same rows as redo.
    let frame: RedoFrame?
    /// Points to be summed, with stream references; zero to two batches, of samples and of histograms.
    let deltas: [DeltaRows]
    let families: [MetricFamily]
    let key: RequestKey?
    let rejected: [Receipt.Rejection]
    /// The streams of all rows; some may occur more than once.
    let references: [StreamReference]
    /// What it weighs in the queue.
    let byteCount: Int
    private let answer: @Sendable (Answer) -> Void

    init(_ prepared: PreparedAppend, answer: @escaping @Sendable (Answer) -> Void) {
        registry = prepared.registry
        batches = prepared.batches
        frame = prepared.frame
        deltas = prepared.deltas
        families = prepared.families
        key = prepared.key
        rejected = prepared.rejected
        references = prepared.references
        byteCount = prepared.byteCount
        self.answer = answer
    }

    /// The same request with references of another registry, its redo encoded anew.
    ///
    /// - Throws: when a stream takes an id that another one has there, or memory runs out.
    func translated(to registry: StreamRegistry, _ compressor: inout ZstdCompressor) throws -> PendingAppend {
        var translation = StreamTranslation(from: self.registry, to: registry)
        var prepared = PreparedAppend(
            registry: registry, batches: batches.map { translation.translate($0, isCounted: true) }, families: families, key: key, rejected: rejected,
            references: translation.translate(references, isCounted: true), byteCount: byteCount)
        prepared.deltas = deltas.map { DeltaRows(batch: translation.translate($0.batch, isCounted: true), startTimes: $0.startTimes) }
        guard !prepared.references.contains(StreamDictionary.unknown) else { throw StoreError.overloaded(retryAfterSeconds: 1) }
        if frame != nil { prepared.frame = try RedoFrame(prepared.batches, kind: .rows, compressor: &compressor) }
        return PendingAppend(prepared, answer: answer)
    }

    /// Tells whoever waits; called once.
    func finish(_ result: Answer) {
        answer(result)
    }
}

/// Delta points of one kind, with the starts of their intervals.
struct DeltaRows: Sendable {
    var batch: ColumnBatch
    /// Milliseconds since 1970, 0 when unknown.
    var startTimes: [Int64]
}
