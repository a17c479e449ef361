@testable import OrielSQLite
import OrielStore
import OrielTelemetry
import Synchronization

/// A block container over plain arrays, sorted as blocks are. It counts what is decoded.
final class ArrayContainer: BlockContainer {
    let number = ContainerNumber.next()
    let signal: Signal
    let blocks: [BlockHeader]
    let appliedDeletions = CommitSequence.zero
    private let batches: [ColumnBatch]
    private let references: [StreamReference]
    private let ordinals: [StreamReference: UInt32]
    let decodedRows = Mutex(0)
    let sharedTraces = SharedTraces()

    /// Its store goes on with one registry for ever.
    func bound(to registry: StreamRegistry) -> any BlockContainer { self }

    var rowCount: Int { blocks.reduce(0) { $0 + $1.rowCount } }

    /// A row before it is sorted.
    private struct Row {
        var chunk: Int
        var row: Int
        var slot: Int64
        var stream: StreamID
        var time: Int64
        var ord: UInt64
    }

    /// - Parameter rowsPerBlock: Blocks are cut at so many rows and at the ends of days.
    init(_ chunks: some Collection<BuilderChunk>, signal: Signal, registry: StreamRegistry, rowsPerBlock: Int) {
        let chunks = Array(chunks)
        self.signal = signal
        var rows: [Row] = []
        for (number, chunk) in chunks.enumerated() {
            let batch = chunk.batch
            for row in 0..<batch.count {
                rows.append(
                    Row(
                        chunk: number, row: row, slot: Slot(time: batch.times[row], signal: signal).number, stream: registry.id(of: batch.streamIndexes[row]),
                        time: batch.times[row], ord: batch.ords.isEmpty ? 0 : batch.ords[row]))
            }
        }
        func key(_ row: Row) -> (Int64, UInt64, UInt64, Int64, UInt64) { (row.slot, row.stream.high, row.stream.low, row.time, row.ord) }
        rows.sort { key($0) == key($1) ? ($0.chunk, $0.row) < ($1.chunk, $1.row) : key($0) < key($1) }
        if !signal.hasOrds {
            var kept: [Row] = []
            for row in rows {
                if let last = kept.last, key(last) == key(row) { kept.removeLast() }
                kept.append(row)
            }
            rows = kept
        }
        let references = Set(chunks.flatMap(\.batch.streamIndexes)).sorted { registry.id(of: $0) < registry.id(of: $1) }
        self.references = references
        let ordinals = Dictionary(uniqueKeysWithValues: references.enumerated().map { ($1, UInt32($0)) })
        self.ordinals = ordinals

        var headers: [BlockHeader] = []
        var batches: [ColumnBatch] = []
        var start = 0
        while start < rows.count {
            let day = Day(time: rows[start].time, signal: signal)
            var end = start
            while end < rows.count, end - start < rowsPerBlock, Day(time: rows[end].time, signal: signal) == day { end += 1 }
            let block = rows[start..<end]
            let picks = block.map { RowGatherer.Pick(part: UInt32($0.chunk), row: UInt32($0.row)) }
            let batch = RowGatherer.gather(picks, of: chunks.map(\.batch), signal: signal, projection: .everything)
            let sequences = block.map { chunks[$0.chunk].sequence }
            let streams = batch.streamIndexes.map { ordinals[$0] ?? 0 }
            headers.append(
                BlockHeader(
                    index: headers.count, rowCount: batch.count, firstSlot: Slot(number: block.map(\.slot).min() ?? 0),
                    lastSlot: Slot(number: block.map(\.slot).max() ?? 0), low: sequences.min() ?? .zero, high: sequences.max() ?? .zero,
                    minimumTime: batch.times.min() ?? 0, maximumTime: batch.times.max() ?? 0, firstStream: streams.min() ?? 0, lastStream: streams.max() ?? 0))
            batches.append(batch)
            start = end
        }
        blocks = headers
        self.batches = batches
    }

    func streamReferences() throws(StoreError) -> [StreamReference] { references }

    func streamRuns(ofBlock block: Int) throws(StoreError) -> [StreamRun] {
        var runs: [StreamRun] = []
        var last: (reference: StreamReference, slot: Slot)?
        let batch = batches[block]
        for row in 0..<batch.count {
            let now = (batch.streamIndexes[row], Slot(time: batch.times[row], signal: signal))
            if let last, last == now {
                runs[runs.count - 1].rowCount += 1
            } else {
                runs.append(StreamRun(ordinal: ordinals[now.0] ?? 0, rowCount: 1))
            }
            last = now
        }
        return runs
    }

    func read(block: Int, rows: [Int]?, projection: Projection) throws(StoreError) -> ColumnBatch {
        let rows = rows ?? Array(0..<batches[block].count)
        decodedRows.withLock { $0 += rows.count }
        let picks = rows.map { RowGatherer.Pick(part: 0, row: UInt32($0)) }
        return RowGatherer.gather(picks, of: [batches[block]], signal: signal, projection: projection)
    }

    func canPass(
        block: Int, _ evaluator: inout PredicateEvaluator, descriptor: (UInt32) -> StreamDescriptor?
    ) throws(StoreError) -> Bool { true }

    func rows(
        ofBlock block: Int, _ rows: [Int]?, passing evaluator: inout PredicateEvaluator, descriptor: (UInt32) -> StreamDescriptor?
    ) throws(StoreError) -> [Int] {
        evaluator.rows(rows, of: try read(block: block, rows: nil, projection: evaluator.requiredProjection), descriptor: descriptor)
    }

    func rows(ofTraces ids: [TraceID]) throws(StoreError) -> [(block: Int, rows: [Int])] {
        batches.indices.compactMap { block in
            guard case .traceIDs(let values) = batches[block][.traceID] else { return nil }
            let rows = values.indices.filter { ids.contains(values[$0]) }
            return rows.isEmpty ? nil : (block, rows)
        }
    }

    func integerBounds(_ column: ColumnID, block: Int) throws(StoreError) -> ClosedRange<Int64>? {
        guard case .integers(let values) = batches[block][column], let low = values.min(), let high = values.max() else { return nil }
        return low...high
    }

    var traceIDPageCount: Int { 1 }

    func traceIDs(page: Int) throws(StoreError) -> [TraceID] {
        var ids: Set<TraceID> = []
        for batch in batches {
            if case .traceIDs(let values) = batch[.traceID] { ids.formUnion(values) }
        }
        return ids.filter { !$0.isZero }.sorted()
    }

    func traceIDs(_ ordinals: [UInt32]) throws(StoreError) -> [TraceID] {
        let ids = try traceIDs(page: 0)
        return ordinals.map { ids[Int($0)] }
    }

    func findTraces(_ ids: [TraceID], _ body: (Int, UInt32) -> Void) throws(StoreError) {
        let own = try traceIDs(page: 0)
        for (index, id) in ids.enumerated() {
            if let ordinal = own.firstIndex(of: id) { body(index, UInt32(ordinal)) }
        }
    }

    func traceOrdinals(ofBlock block: Int, rows: [Int]?) throws(StoreError) -> [UInt32] {
        guard case .traceIDs(let values) = batches[block][.traceID] else { return [] }
        let ids = try traceIDs(page: 0)
        return Set((rows ?? Array(values.indices)).compactMap { ids.firstIndex(of: values[$0]) }).sorted().map { UInt32($0) }
    }

    func traceTimes() throws(StoreError) -> TraceTimes? { nil }

    func traceSummaries(_ ordinals: [UInt32]) throws(StoreError) -> [TraceSummary]? { nil }

    /// The rows as one chunk again, for a merge.
    func chunk(sequence: CommitSequence) -> BuilderChunk {
        var picks: [RowGatherer.Pick] = []
        for (part, batch) in batches.enumerated() {
            for row in 0..<batch.count { picks.append(RowGatherer.Pick(part: UInt32(part), row: UInt32(row))) }
        }
        return BuilderChunk(sequence: sequence, batch: RowGatherer.gather(picks, of: batches, signal: signal, projection: .everything))
    }

    /// The last commit of all blocks.
    var high: CommitSequence { blocks.map(\.high).max() ?? .zero }
}
