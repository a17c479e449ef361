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
