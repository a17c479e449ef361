import OrielCompression
import OrielStore
import OrielTelemetry

/// Writes one output of a merge.
///
/// Blocks that nothing else overlaps are copied unless they are small; of all others rows are taken one by one in sort order and collected until they make a block.
/// At hand are the collected rows and a part of each block that is open, both within a budget.
struct MergeRun: ~Copyable {
    private let signal: Signal
    private let inputs: [Segment]
    private let blocks: [MergeBlock]
    private let union: ContainerUnion
    private let registry: StreamRegistry
    private let memoryBytes: Int
    private let limits: BlockLimits
    /// In the signal's unit.
    private let floor: Int64
    private var deletions: DeletionFilter

    private var writer: SegmentWriter
    private var encoder: BlockEncoder
    private var collected: SortedRows
    /// The commits of the blocks that the collected rows came from.
    private var commits: ClosedRange<CommitSequence>?
    private var summaries: SpanSummaries?

    private(set) var copiedBlocks = 0
    private(set) var expiredRows = 0
    var conflictCount: Int { collected.conflictCount }

    init(
        _ signal: Signal, _ output: MergeTask.Output, _ description: SegmentDescription, inputs: [Segment], union: ContainerUnion, floor: Timestamp,
        store: StoreIdentity, registry: StreamRegistry, fileSystem: SQLiteFileSystem, folder: String, memoryBytes: Int, limits: BlockLimits,
        deletions: DeletionFilter, pacer: MergePacer?
    ) throws(StoreError) {
        let writer = try SegmentWriter(description, store: store, fileSystem: fileSystem, folder: folder, level: output.compression, pacer: pacer)
        self.writer = writer
        self.signal = signal
        self.inputs = inputs
        self.union = union
        self.registry = registry
        self.memoryBytes = memoryBytes
        self.limits = limits
        self.deletions = deletions
        // A row belongs below the floor when its first nanosecond does.
        let unit = signal.nanosecondsPerTimeUnit
        let rounded = floor.nanoseconds.dividedRoundingDown(by: unit)
        self.floor = floor.nanoseconds % unit == 0 ? rounded : rounded + 1
        let days = Set(output.pieces.map(\.day))
        blocks = inputs.enumerated().flatMap { number, input in
            MergeBlock.blocks(of: input, number: number).filter { days.contains(Day(time: $0.header.minimumTime, signal: signal)) }
        }
        encoder = BlockEncoder(level: output.compression)
        collected = SortedRows(signal: signal)
        summaries = signal == .spans ? SpanSummaries(streams: union.streams, registry: registry) : nil
    }

    /// Writes all blocks, in the order of their rows.
    mutating func writeBlocks() throws(StoreError) {
        var live: [MergeBlock] = []
        for block in blocks {
            if block.header.maximumTime < floor {
                expiredRows += block.header.rowCount
            } else {
                live.append(block)
            }
        }
        let inputs = inputs
        let groups = MergeGroup.groups(live)
        for group in groups {
            let isWhole = group.blocks.allSatisfy { $0.header.minimumTime >= floor && deletions.touch($0.header, of: inputs[$0.input]) == nil }
            let isSorted = group.chains.count == 1
            // Small blocks are put together with their neighbours instead, if they have any.
            let isSmall = group.rowCount < limits.wholeSlotRows / 2 && groups.count > 1
            if isWhole, isSorted, !isSmall {
                try encodeCollected(all: true)
                for block in group.blocks { try copy(block) }
            } else {
                try merge(group)
            }
        }
        try encodeCollected(all: true)
    }

    /// Writes the tables; the file is then on the disk under its name.
    consuming func finish(families: [MetricFamily]) throws(StoreError) -> SegmentDescription {
        let summaries = summaries?.builder
        let union = union
        let registry = registry
        return try writer.finish(
            references: union.references, registry: registry, traceIDs: union.traceIDs, families: families, summaries: summaries)
    }

    /// Deletes what was written so far.
    consuming func abandon() {
        writer.abandon()
    }

    // MARK: Copying

    private mutating func copy(_ block: MergeBlock) throws(StoreError) {
        let input = inputs[block.input]
        let index = block.header.index
        let (directory, binding) = try input.block(index)
        var header = block.header
        header.followsPrevious = writer.blockCount > 0
        try writer.append(header, directory, union.binding(binding, of: block.input)) { part, column throws(StoreError) in
            var data: [UInt8] = []
            try input.readBlob(part == .pages ? .column(block: index, column: column) : .filters(block: index, column: column), into: &data)
            // A damaged page must not be copied: afterwards the input is deleted.
            do throws(ColumnError) {
                switch part {
                case .pages: try directory.columns[column].check(data.span)
                case .filters: try directory.columns[column].check(filters: data.span)
                }
            } catch {
                throw input.damage(error, "block \(index), column \(column)")
            }
            return data
        }
        copiedBlocks += 1
        if summaries != nil {
            summaries?.add(try input.read(block: index, rows: nil, projection: TraceSummaryBuilder.projection))
        }
    }

    // MARK: Merging

    private mutating func merge(_ group: MergeGroup) throws(StoreError) {
        let low = group.blocks.map(\.header.low).min() ?? .zero
        let high = group.blocks.map(\.header.high).max() ?? .zero
        commits = commits.map { min($0.lowerBound, low)...max($0.upperBound, high) } ?? low...high
        // Blocks that follow each other in row order are read one after the other, through one cursor.
        var chains = group.chains
        let cursorBytes = memoryBytes / chains.count
        var batches: [ColumnBatch] = []
        var cursors: [MergeCursor] = []
        var origins: [Int] = []
        for number in chains.indices {
            if let cursor = try nextCursor(of: &chains[number], memoryBytes: cursorBytes, &batches) {
                cursors.append(cursor)
                origins.append(number)
            }
        }
        // A heap of cursors by their first row; of equal samples that of the later block comes last, and so stays.
        var heap = MergeHeap(cursors)
        while let number = heap.first {
            // Rows of one stream mostly come together from one block, so the first cursor goes on as far as it stays the first.
            let rival = heap.second
            var isAtEnd = false
            repeat {
                if heap.cursors[number].source == nil { heap.cursors[number].source = collected.add(heap.cursors[number].batch) }
                var key = heap.cursors[number].key
                key.source = heap.cursors[number].source ?? 0
                collected.appendSorted(key)
                isAtEnd = try !heap.cursors[number].advance { batches.append($0) }
                if isAtEnd, let cursor = try nextCursor(of: &chains[origins[number]], memoryBytes: cursorBytes, &batches) {
                    heap.cursors[number] = cursor
                    isAtEnd = false
                }
                if !batches.isEmpty { flushSummaries(&batches) }
            } while !isAtEnd && collected.count < 2 * limits.rows && collected.byteCount < 2 * limits.bytes && heap.precedes(number, rival)
            heap.replaceFirst(isAtEnd: isAtEnd)
            if collected.count >= 2 * limits.rows || collected.byteCount >= 2 * limits.bytes {
                try encodeCollected(all: false)
                for index in heap.cursors.indices { heap.cursors[index].source = nil }
            }
        }
    }

    /// A cursor of the next block of a chain that has rows; `nil` at the chain's end.
    private mutating func nextCursor(
        of chain: inout ArraySlice<MergeBlock>, memoryBytes: Int, _ batches: inout [ColumnBatch]
    ) throws(StoreError) -> MergeCursor? {
        while let block = chain.popFirst() {
            let rows = try liveRows(block)
            let cursor = try MergeCursor(
                block, of: inputs[block.input], ordinals: union.streams, rows: rows, memoryBytes: memoryBytes, { batches.append($0) })
            flushSummaries(&batches)
            if let cursor { return cursor }
        }
        return nil
    }

    /// The rows of a block that are at or above the floor and not deleted; `nil` when all are.
    private mutating func liveRows(_ block: MergeBlock) throws(StoreError) -> [Int]? {
        let input = inputs[block.input]
        let touch = deletions.touch(block.header, of: input)
        guard block.header.minimumTime < floor || touch != nil else { return nil }
        let batch = try input.read(block: block.header.index, rows: nil, projection: touch?.projection ?? .positions)
        let times = batch.times
        var rows = times.indices.filter { times[$0] >= floor }
        expiredRows += times.count - rows.count
        if let touch { rows = deletions.remaining(rows, of: batch, touch) }
        return rows
    }

    /// Encodes the collected rows as blocks; the last of them waits for more unless `all`.
    private mutating func encodeCollected(all: Bool) throws(StoreError) {
        guard collected.count > 0 else { return }
        var ranges = limits.cut(collected)
        if !all, ranges.count > 1 { ranges.removeLast() }
        let commits = commits ?? CommitSequence.zero...CommitSequence.zero
        for range in ranges {
            do {
                let (block, streams) = try encoder.encode(collected, range)
                let binding = BlockBinding(streams: streams, traces: TraceOrdinals.ordinals(of: block.traceIDs, among: union.traceIDs))
                let header = BlockHeader(
                    block, index: 0, streams: streams, low: commits.lowerBound, high: commits.upperBound, followsPrevious: writer.blockCount > 0)
                try writer.append(header, block.directory, binding) { part, column in block[part, column] }
            } catch {
                throw SegmentWriter.failure("merge of \(signal.name)", error)
            }
        }
        collected.removeRows(before: ranges.last?.upperBound ?? 0)
        if collected.count == 0 { self.commits = nil }
    }

    // MARK: Summaries

    private mutating func flushSummaries(_ batches: inout [ColumnBatch]) {
        guard !batches.isEmpty else { return }
        if summaries != nil {
            for batch in batches { summaries?.add(batch) }
        }
        batches.removeAll(keepingCapacity: true)
    }
}

/// Cursors by their first row. Few to some hundred, so a plain binary heap of their numbers.
struct MergeHeap {
    var cursors: [MergeCursor]
    private var order: [Int]

    init(_ cursors: [MergeCursor]) {
        self.cursors = cursors
        order = Array(cursors.indices)
        var index = order.count / 2 - 1
        while index >= 0 {
            sink(index)
            index -= 1
        }
    }

    /// The cursor with the least row.
    var first: Int? { order.first }

    /// The one with the least row of all others.
    var second: Int? {
        switch order.count {
        case ...1: nil
        case 2: order[1]
        default: precedes(order[1], order[2]) ? order[1] : order[2]
        }
    }

    /// Whether the row of one cursor comes before that of another; before none it always does.
    @inline(__always)
    func precedes(_ left: Int, _ right: Int?) -> Bool {
        guard let right else { return true }
        return precedes(left, right)
    }

    /// Puts the first cursor in its place again after it moved on, or takes it out at its end.
    mutating func replaceFirst(isAtEnd: Bool) {
        if isAtEnd {
            let last = order.removeLast()
            if order.isEmpty { return }
            order[0] = last
        }
        sink(0)
    }

    /// By row, then by the age of the commits: cursors are in the order of input and block.
    private func precedes(_ left: Int, _ right: Int) -> Bool {
        let (a, b) = (cursors[left].key, cursors[right].key)
        if a.slot != b.slot { return a.slot < b.slot }
        if a.stream != b.stream { return a.stream < b.stream }
        if a.time != b.time { return a.time < b.time }
        if a.ord != b.ord { return a.ord < b.ord }
        return left < right
    }

    private mutating func sink(_ start: Int) {
        var index = start
        while true {
            var least = index
            let child = 2 * index + 1
            if child < order.count, precedes(order[child], order[least]) { least = child }
            if child + 1 < order.count, precedes(order[child + 1], order[least]) { least = child + 1 }
            if least == index { return }
            order.swapAt(index, least)
            index = least
        }
    }
}
