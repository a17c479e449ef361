import OrielStore
import OrielTelemetry

/// Sorted blocks of one signal, in memory (``SealedRun``) or in a file (``Segment``). All containers of a signal hold disjoint commits of a day.
///
/// Rows of a block are sorted by (slot, stream id, time, ord); of samples with equal stream and time only the winner is left.
protocol BlockContainer: AnyObject, Sendable {
    var signal: Signal { get }
    /// Rows of all blocks.
    var rowCount: Int { get }
    var blocks: [BlockHeader] { get }

    /// Stream references by ordinal; ordinals are in the order of stream ids. A segment registers its streams on first use.
    func streamReferences() throws(StoreError) -> [StreamReference]

    /// The stream ordinal and number of rows of each run of a block, in row order (a stream occurs once per slot).
    func streamRuns(ofBlock block: Int) throws(StoreError) -> [StreamRun]

    /// Decodes part of a block.
    ///
    /// - Parameter rows: which rows, ascending; `nil` for all.
    /// - Returns: a batch whose `streamIndexes` are ``StreamReference``s and whose `streams` is empty, with ords when the signal has them.
    func read(block: Int, rows: [Int]?, projection: Projection) throws(StoreError) -> ColumnBatch

    /// Whether a row of a block may pass a predicate, by its bounds and filters.
    ///
    /// - Parameter descriptor: The stream of a ``StreamReference``.
    func canPass(
        block: Int, _ evaluator: inout PredicateEvaluator, descriptor: (UInt32) -> StreamDescriptor?
    ) throws(StoreError) -> Bool

    /// The rows of a block that pass a predicate, ascending. Of each column no more is decoded than the predicate needs.
    ///
    /// - Parameter rows: which to look at, ascending; `nil` for all.
    func rows(
        ofBlock block: Int, _ rows: [Int]?, passing evaluator: inout PredicateEvaluator, descriptor: (UInt32) -> StreamDescriptor?
    ) throws(StoreError) -> [Int]

    /// Where the rows of some traces lie (spans, log records, exemplars): by block, rows ascending. Uses the container's trace index.
    ///
    /// - Parameter ids: sorted, unique.
    func rows(ofTraces ids: [TraceID]) throws(StoreError) -> [(block: Int, rows: [Int])]

    /// A bound on a column's values in a block, for pruning: `nil` when unknown.
    func integerBounds(_ column: ColumnID, block: Int) throws(StoreError) -> ClosedRange<Int64>?

    /// Ready-made summaries of all traces in this container, or `nil` when it has none (memory, level 0). Partial: a trace may have rows elsewhere.
    func traceSummaries() throws(StoreError) -> [TraceSummary]?
}

/// A run of rows of one stream in a block.
struct StreamRun: Hashable, Sendable {
    var ordinal: UInt32
    var rowCount: Int
}
