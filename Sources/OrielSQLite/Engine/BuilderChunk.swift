import OrielStore
import OrielTelemetry

/// The rows of one signal of one commit, as they were appended: immutable once published.
final class BuilderChunk: Sendable {
    let sequence: CommitSequence
    /// `streamIndexes` are ``StreamReference``s, `streams` is empty, ords are assigned where the signal has them. Not sorted, not deduplicated.
    let batch: ColumnBatch
    let minimumTime: Int64
    let maximumTime: Int64
    /// Bytes in memory, roughly.
    let byteCount: Int

    init(sequence: CommitSequence, batch: ColumnBatch) {
        self.sequence = sequence
        self.batch = batch
        minimumTime = batch.times.min() ?? 0
        maximumTime = batch.times.max() ?? 0
        byteCount = batch.approximateByteCount
    }

    /// The same rows with other references.
    init(_ chunk: BuilderChunk, batch: ColumnBatch) {
        sequence = chunk.sequence
        self.batch = batch
        minimumTime = chunk.minimumTime
        maximumTime = chunk.maximumTime
        byteCount = chunk.byteCount
    }
}
