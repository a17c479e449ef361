import OrielCompression
import OrielStore
import OrielTelemetry
import Synchronization

/// Blocks in memory: what a builder becomes when it is sealed, until a flush has written them to a file.
final class SealedRun: BlockContainer {
    let number: Int
    let signal: Signal
    let blocks: [BlockHeader]
    let encoded: [EncodedBlock]
    let bindings: [BlockBinding]
    /// What the references are of.
    let registry: StreamRegistry
    /// The streams by ordinal.
    let references: [StreamReference]
    /// The trace ids by ordinal: sorted, unique.
    let traceIDs: [TraceID]
    /// The commits that this run holds all rows of, of this signal.
    let low: CommitSequence
    let high: CommitSequence
    /// Samples that a later one of the same stream and time replaced by another value.
    let conflictCount: Int
    let sharedTraces: SharedTraces
    /// Found out when first asked for.
    private let times = Mutex<TraceTimes?>(nil)

    init(
        signal: Signal, blocks: [BlockHeader], encoded: [EncodedBlock], bindings: [BlockBinding], registry: StreamRegistry,
        references: [StreamReference], traceIDs: [TraceID], low: CommitSequence, high: CommitSequence, conflictCount: Int
    ) {
        number = ContainerNumber.next()
        self.registry = registry
        self.signal = signal
        self.blocks = blocks
        self.encoded = encoded
        self.bindings = bindings
        self.references = references
        self.traceIDs = traceIDs
        self.low = low
        self.high = high
        self.conflictCount = conflictCount
        sharedTraces = SharedTraces()
    }

    /// The same run with references of another registry.
    private init(_ run: SealedRun, registry: StreamRegistry, references: [StreamReference]) {
        number = run.number
        signal = run.signal
        blocks = run.blocks
        encoded = run.encoded
        bindings = run.bindings
        self.registry = registry
        self.references = references
        traceIDs = run.traceIDs
        low = run.low
        high = run.high
        conflictCount = run.conflictCount
        sharedTraces = run.sharedTraces
    }

    func bound(to registry: StreamRegistry) -> any BlockContainer {
        guard registry !== self.registry else { return self }
        // Its rows are in no file yet, so its streams count.
        return SealedRun(self, registry: registry, references: registry.adopt(references, of: self.registry, isCounted: true))
    }

    /// Sorts the rows of some commits by (slot, stream id, time, ord), drops samples that a later commit or row replaces, and encodes blocks of one day each.
    ///
    /// - Parameter chunks: in commit order.
    /// - Returns: `nil` when there are no rows.
    static func seal(
        _ chunks: [BuilderChunk], signal: Signal, registry: StreamRegistry, limits: BlockLimits? = nil
    ) throws(StoreError) -> SealedRun? {
        guard let first = chunks.first, let last = chunks.last else { return nil }
        let used = StreamOrdinals.distinct(chunks.lazy.map(\.batch.streamIndexes))
        guard !used.isEmpty else { return nil }
        let streamOrdinals = StreamOrdinals(sorted: registry.sortedByID(used))

        var rows = SortedRows(signal: signal)
        for chunk in chunks {
            var batch = chunk.batch
            batch.streamIndexes = streamOrdinals.ordinals(of: batch.streamIndexes)
            rows.append(batch)
        }
        rows.sort()

        var encoder = BlockEncoder(level: 1)
        var encoded: [EncodedBlock] = []
        var streams: [[UInt32]] = []
        var headers: [BlockHeader] = []
        for range in (limits ?? BlockLimits(signal: signal)).cut(rows) {
            do {
                let (block, ordinals) = try encoder.encode(rows, range)
                headers.append(
                    BlockHeader(
                        block, index: encoded.count, streams: ordinals, low: first.sequence, high: last.sequence, followsPrevious: !encoded.isEmpty))
                encoded.append(block)
                streams.append(ordinals)
            } catch {
                throw StoreError.unusable(path: "memory", reason: "a block of \(signal.name) could not be encoded: \(error)")
            }
        }
        let traceIDs = TraceOrdinals.union(encoded.map(\.traceIDs))
        var bindings: [BlockBinding] = []
        for index in encoded.indices {
            bindings.append(BlockBinding(streams: streams[index], traces: TraceOrdinals.ordinals(of: encoded[index].traceIDs, among: traceIDs)))
            // The run's list serves all blocks.
            encoded[index].traceIDs = []
        }
        return SealedRun(
            signal: signal, blocks: headers, encoded: encoded, bindings: bindings, registry: registry, references: streamOrdinals.references,
            traceIDs: traceIDs, low: first.sequence, high: last.sequence, conflictCount: rows.conflictCount)
    }

    var rowCount: Int { blocks.reduce(0) { $0 + $1.rowCount } }
    var appliedDeletions: CommitSequence { .zero }

    /// Bytes in memory, roughly.
    var byteCount: Int {
        encoded.reduce(traceIDs.count * 16 + references.count * 4) { $0 + $1.byteCount }
    }

    /// One piece per day that has rows, each over all commits of the run.
    var pieces: [Piece] {
        Set(blocks.map { Day(time: $0.minimumTime, signal: signal) }).sorted().map { Piece(day: $0, low: low, high: high) }
    }

    func streamReferences() throws(StoreError) -> [StreamReference] { references }

    func streamRuns(ofBlock block: Int) throws(StoreError) -> [StreamRun] {
        encoded[block].directory.streamRuns(bindings[block])
    }

    func rows(ofBlock block: Int, streams: [UInt32]?, in bounds: Range<Int64>?) throws(StoreError) -> [Int] {
        var reader = reader(block)
        return try reader.rows(in: bounds, ofStreams: bindings[block].locals(ofStreams: streams))
    }

    func rows(ofBlock block: Int, inTimes bounds: Range<Int64>) throws(StoreError) -> [Int] {
        var reader = reader(block)
        return try reader.rows(inTimes: bounds)
    }

    func rows(ofBlock block: Int, amongTraces traces: OrdinalSet) throws(StoreError) -> [Int]? {
        var reader = reader(block)
        return try reader.rows(amongTraces: traces, bindings[block])
    }

    func read(block: Int, rows: [Int]?, projection: Projection) throws(StoreError) -> ColumnBatch {
        var reader = reader(block)
        return try reader.read(rows, projection: projection, streams: bindings[block].streams, references: references)
    }

    func canPass(
        block: Int, _ evaluator: inout PredicateEvaluator, descriptor: (UInt32) -> StreamDescriptor?
    ) throws(StoreError) -> Bool {
        var columns = columns(block)
        return try evaluator.canPass(&columns, descriptor: descriptor)
    }

    func rows(
        ofBlock block: Int, _ rows: [Int]?, passing evaluator: inout PredicateEvaluator, descriptor: (UInt32) -> StreamDescriptor?
    ) throws(StoreError) -> [Int] {
        var columns = columns(block)
        return try evaluator.rows(rows, in: &columns, descriptor: descriptor)
    }

    private func columns(_ block: Int) -> BlockColumns<MemoryBlock> {
        BlockColumns(
            encoded[block].directory, MemoryBlock(run: self, block: block), streams: bindings[block].streams.map { references[Int($0)] })
    }

    func rows(ofTraces ids: [TraceID]) throws(StoreError) -> [(block: Int, rows: [Int])] {
        let ordinals = TraceOrdinals.present(ids, among: traceIDs)
        guard !ordinals.isEmpty else { return [] }
        var found: [(block: Int, rows: [Int])] = []
        for block in blocks.indices {
            let locals = bindings[block].locals(ofTraces: ordinals)
            guard !locals.isEmpty else { continue }
            var reader = reader(block)
            found.append((block, try reader.rows(ofTraces: locals)))
        }
        return found
    }

    func integerBounds(_ column: ColumnID, block: Int) throws(StoreError) -> ClosedRange<Int64>? {
        encoded[block].directory.integerBounds(column)
    }

    var traceIDPageCount: Int { 1 }

    func traceIDs(page: Int) throws(StoreError) -> [TraceID] { traceIDs }

    func traceIDs(_ ordinals: [UInt32]) throws(StoreError) -> [TraceID] { ordinals.map { traceIDs[Int($0)] } }

    func findTraces(_ ids: [TraceID], _ body: (Int, UInt32) -> Void) throws(StoreError) {
        TraceOrdinals.findCommon(ids, ids.indices, traceIDs) { body($0, UInt32($1)) }
    }

    func traceOrdinals(ofBlock block: Int, rows: [Int]?) throws(StoreError) -> [UInt32] {
        var reader = reader(block)
        let traces = bindings[block].traces
        return try reader.traceNumbers(rows).map { traces[$0] }
    }

    func traceTimes() throws(StoreError) -> TraceTimes? {
        guard signal == .spans else { return nil }
        if let known = times.withLock({ $0 }) { return known }
        var found = TraceTimes(count: traceIDs.count)
        for block in blocks.indices {
            var reader = reader(block)
            try reader.addTraceTimes(bindings[block].traces, to: &found)
        }
        let result = found
        times.withLock { $0 = result }
        return result
    }

    func traceSummaries(_ ordinals: [UInt32]) throws(StoreError) -> [TraceSummary]? { nil }

    private func reader(_ block: Int) -> BlockReader<MemoryBlock> {
        BlockReader(encoded[block].directory, MemoryBlock(run: self, block: block))
    }
}

/// A block of a sealed run as the reader sees it.
private struct MemoryBlock: BlockStorage {
    let run: SealedRun
    let block: Int

    func read(column: Int, _ range: Range<Int>, into buffer: inout [UInt8]) throws(StoreError) {
        buffer.removeAll(keepingCapacity: true)
        let data = run.encoded[block].data[column]
        buffer.append(data.span, range)
    }

    func filter(_ kind: BlockFilter.Kind, column: Int) throws(StoreError) -> BlockFilter? {
        let entry = run.encoded[block].directory.columns[column]
        guard let range = entry.filterRange(kind) else { return nil }
        let bytes = entry.inlineFilters ?? run.encoded[block].filters[column]
        do {
            return try BlockFilter(encoded: Array(bytes[range]))
        } catch {
            throw damage(error, column: column)
        }
    }

    func traceIDs(_ locals: [Int]) throws(StoreError) -> [TraceID] {
        locals.map { run.traceIDs[Int(run.bindings[block].traces[$0])] }
    }

    func damage(_ error: ColumnError, column: Int) -> StoreError {
        .unusable(path: "memory", reason: "block \(block) of \(run.signal.name), column \(column): \(error)")
    }
}
