import OrielStore
import OrielTelemetry

/// The rows of one block of a merge, a part at a time.
struct MergeCursor {
    let block: MergeBlock
    private let segment: Segment
    /// The merge's ordinals of all streams.
    private let ordinals: StreamOrdinals
    /// The rows to be delivered; `nil` for all.
    private let rows: [Int]?
    private let chunkRows: Int
    private var next = 0

    /// The part at hand. `streamIndexes` are the merge's ordinals.
    private(set) var batch: ColumnBatch
    /// The first row of it that was not taken.
    private(set) var row = 0
    /// Where the batch is in the rows being collected, once one of its rows was.
    var source: UInt32?
    /// The first row's sort key; its source is not set.
    private(set) var key: SortKey

    /// - Parameters:
    ///   - rows: the rows of the block to deliver, ascending; `nil` for all.
    ///   - summarize: sees each part with the process's stream references.
    init?(
        _ block: MergeBlock, of segment: Segment, ordinals: StreamOrdinals, rows: [Int]?, chunkRows: Int,
        _ summarize: (ColumnBatch) -> Void
    ) throws(StoreError) {
        self.block = block
        self.segment = segment
        self.ordinals = ordinals
        self.rows = rows
        self.chunkRows = chunkRows
        batch = ColumnBatch(signal: segment.signal)
        key = SortKey(slot: 0, time: 0, ord: 0, stream: 0, source: 0, row: 0)
        guard try load(summarize) else { return nil }
    }

    /// Steps over the current row; false at the end.
    mutating func advance(_ summarize: (ColumnBatch) -> Void) throws(StoreError) -> Bool {
        row += 1
        if row < batch.count {
            setKey()
            return true
        }
        return try load(summarize)
    }

    private mutating func load(_ summarize: (ColumnBatch) -> Void) throws(StoreError) -> Bool {
        let count = rows?.count ?? block.header.rowCount
        guard next < count else { return false }
        let end = min(next + chunkRows, count)
        var wanted: [Int]?
        if let rows {
            wanted = Array(rows[next..<end])
        } else if next > 0 || end < count {
            wanted = Array(next..<end)
        }
        batch = try segment.read(block: block.header.index, rows: wanted, projection: .everything)
        summarize(batch)
        batch.streamIndexes = ordinals.ordinals(of: batch.streamIndexes)
        next = end
        row = 0
        source = nil
        setKey()
        return true
    }

    private mutating func setKey() {
        let time = batch.times[row]
        key = SortKey(
            slot: Slot(time: time, signal: batch.signal).number, time: time, ord: batch.ords.isEmpty ? 0 : batch.ords[row],
            stream: batch.streamIndexes[row], source: 0, row: UInt32(row))
    }
}
