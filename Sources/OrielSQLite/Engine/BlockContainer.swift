import OrielStore
import OrielTelemetry
import Synchronization

/// Sorted blocks of one signal, in memory (``SealedRun``) or in a file (``Segment``). All containers of a signal hold disjoint commits of a day.
///
/// Rows of a block are sorted by (slot, stream id, time, ord); of samples with equal stream and time only the winner is left.
protocol BlockContainer: AnyObject, Sendable {
    /// Tells these blocks from all others of the process; objects that show the same blocks with other references share it.
    var number: Int { get }
    /// Lives as long as anybody can read the blocks.
    var lifetime: any AnyObject & Sendable { get }
    var signal: Signal { get }
    /// Rows of all blocks.
    var rowCount: Int { get }
    var blocks: [BlockHeader] { get }
    /// Deletions up to this one have been applied to all rows.
    var appliedDeletions: CommitSequence { get }

    /// Stream references by ordinal; ordinals are in the order of stream ids. A segment registers its streams on first use.
    func streamReferences() throws(StoreError) -> [StreamReference]

    /// The stream ordinal and number of rows of each run of a block, in row order (a stream occurs once per slot).
    func streamRuns(ofBlock block: Int) throws(StoreError) -> [StreamRun]

    /// The rows of a block that belong to some streams and lie in some times, ascending.
    ///
    /// - Parameters:
    ///   - streams: ordinals, ascending; `nil` for all.
    ///   - bounds: `nil` for all. Rows outside may come too.
    func rows(ofBlock block: Int, streams: [UInt32]?, in bounds: Range<Int64>?) throws(StoreError) -> [Int]

    /// The rows of a block of spans, log records or exemplars whose times lie in some bounds, ascending.
    func rows(ofBlock block: Int, inTimes bounds: Range<Int64>) throws(StoreError) -> [Int]

    /// The rows of a block whose traces are among some of the container's, ascending; `nil` when that leaves so few out that it is not worth looking.
    ///
    /// - Parameter traces: ordinals.
    func rows(ofBlock block: Int, amongTraces traces: OrdinalSet) throws(StoreError) -> [Int]?

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

    /// The sorted ids of all traces come in so many pages.
    var traceIDPageCount: Int { get }

    func traceIDs(page: Int) throws(StoreError) -> [TraceID]

    /// The ids of some traces by their ordinals in all pages, which may be in any order.
    func traceIDs(_ ordinals: [UInt32]) throws(StoreError) -> [TraceID]

    /// Finds those of some traces that have rows here.
    ///
    /// - Parameters:
    ///   - ids: sorted, unique.
    ///   - body: gets the index of an id and its ordinal, ascending.
    func findTraces(_ ids: [TraceID], _ body: (Int, UInt32) -> Void) throws(StoreError)

    /// The ordinals of the traces of some rows, ascending, once each.
    ///
    /// - Parameter rows: ascending; `nil` for all.
    func traceOrdinals(ofBlock block: Int, rows: [Int]?) throws(StoreError) -> [UInt32]

    /// When all traces begin and end as far as this container has their spans, or `nil` when that is not known.
    func traceTimes() throws(StoreError) -> TraceTimes?

    /// Ready-made summaries of some traces as far as this container has their spans, in the order of `ordinals`; `nil` when there are none (memory, level 0).
    func traceSummaries(_ ordinals: [UInt32]) throws(StoreError) -> [TraceSummary]?

    var sharedTraces: SharedTraces { get }

    /// The same blocks with references of another registry.
    func bound(to registry: StreamRegistry) -> any BlockContainer
}

extension BlockContainer {
    var lifetime: any AnyObject & Sendable { self }

    func rows(ofBlock block: Int, inTimes bounds: Range<Int64>) throws(StoreError) -> [Int] {
        let times = try read(block: block, rows: nil, projection: .positions).times
        return times.indices.filter { bounds.contains(times[$0]) }
    }

    func rows(ofBlock block: Int, amongTraces traces: OrdinalSet) throws(StoreError) -> [Int]? {
        traces.isEmpty ? [] : nil
    }

    func rows(ofBlock block: Int, streams: [UInt32]?, in bounds: Range<Int64>?) throws(StoreError) -> [Int] {
        var wanted = WantedStreams(streams)
        var rows: [Int] = []
        var start = 0
        for run in try streamRuns(ofBlock: block) {
            if wanted.contains(run.ordinal) { rows.append(contentsOf: start..<(start + run.rowCount)) }
            start += run.rowCount
        }
        return rows
    }
}

/// A run of rows of one stream in a block.
struct StreamRun: Hashable, Sendable {
    var ordinal: UInt32
    var rowCount: Int
}

/// Numbers containers, so that what is remembered of one is never taken for another's.
enum ContainerNumber {
    private static let last = Atomic(0)

    static func next() -> Int { last.add(1, ordering: .relaxed).newValue }
}
