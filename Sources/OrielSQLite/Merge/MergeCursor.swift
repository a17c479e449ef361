import OrielStore
import OrielTelemetry

/// The rows of one block of a merge, a part at a time.
struct MergeCursor {
    /// Rows of the first part, which shows how many bytes a row has.
    private static let firstRows = 256
    private static let leastRows = 128

    let block: MergeBlock
    private let segment: Segment
    /// The merge's ordinals of all streams.
    private let ordinals: StreamOrdinals
    /// The rows to be delivered; `nil` for all.
    private let rows: [Int]?
    /// Bytes of memory for the part at hand, and as many for what is kept to read the next one.
    private let partBytes: Int
    /// Rows of the next part.
    private var partRows: Int
    private var opened: OpenedPages
    private let slotLength: Int64
    /// The times of the slot of the last row.
    private var slotTimes: Range<Int64> = 0..<0
    private var slot: Int64 = 0
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
    ///   - memoryBytes: what the cursor may hold.
    ///   - summarize: sees each part with the process's stream references.
    init?(
        _ block: MergeBlock, of segment: Segment, ordinals: StreamOrdinals, rows: [Int]?, memoryBytes: Int,
        _ summarize: (ColumnBatch) -> Void
    ) throws(StoreError) {
        self.block = block
        self.segment = segment
        self.ordinals = ordinals
        self.rows = rows
        partBytes = memoryBytes / 2
        partRows = Self.firstRows
        opened = OpenedPages(budget: memoryBytes / 2)
        slotLength = Slot.length(of: segment.signal)
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
        let end = min(next + partRows, count)
        if next == 0, end == count {
            batch = try segment.read(block: block.header.index, rows: rows, projection: .everything)
        } else {
            let wanted = rows.map { Array($0[next..<end]) } ?? Array(next..<end)
            batch = try segment.read(block: block.header.index, rows: wanted, projection: .everything, opened: &opened)
            let rowBytes = max(batch.approximateByteCount / batch.count, 1)
            partRows = min(max(Self.leastRows, partBytes / rowBytes), ColumnPager.pageRows)
        }
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
        if !slotTimes.contains(time) {
            slot = time.dividedRoundingDown(by: slotLength)
            let (start, isBeyond) = slot.multipliedReportingOverflow(by: slotLength)
            // At the ends of all times a slot is cut off, so that it is found out for each row.
            slotTimes = isBeyond || start > Int64.max - slotLength ? 0..<0 : start..<(start + slotLength)
        }
        key = SortKey(
            slot: slot, time: time, ord: batch.ords.isEmpty ? 0 : batch.ords[row],
            stream: batch.streamIndexes[row], source: 0, row: UInt32(row))
    }
}
