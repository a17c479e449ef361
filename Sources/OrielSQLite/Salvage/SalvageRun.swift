import OrielCompression
import OrielStore
import OrielTelemetry

/// Writes what is readable of a damaged file into a new one, block by block: blocks that are whole are copied as they are, of others the rows that read are encoded anew.
///
/// At hand are the tables of the file and the rows of one block.
struct SalvageRun: ~Copyable {
    /// What came out.
    struct Result: Sendable {
        var description: SegmentDescription
        var losses: SalvageLosses
        var remade: [String]
    }

    private let file: SalvageFile
    private let tables: SalvageTables
    private let registry: StreamRegistry
    private let tombstones: [Tombstone]
    private let deletions: DeletionFilter
    private var writer: SegmentWriter
    private var encoder: BlockEncoder
    /// The streams of the new file.
    private let streams: StreamOrdinals
    private let traceIDs: [TraceID]
    /// By page of the file's trace ids how many ids of the new file lie before it; `nil` for a page that is lost.
    private let traceStarts: [Int?]
    private var summaries: SpanSummaries?
    private var losses: SalvageLosses
    private var remade: [String]
    /// Blocks of which filters are made anew.
    private var filteredBlocks = 0
    private var savedRows = 0

    /// - Parameter entered: the new file as the manifest has it.
    private init(_ file: SalvageFile, entered: SegmentDescription, core: StoreCore, pacer: MergePacer) throws(StoreError) {
        // All of a run has the references of one registry.
        let state = core.state
        let tables = try SalvageTables(file, secret: core.identity.secret, state: state)
        let compression = MergePolicy().rewritingCompression(of: file.description)
        let writer = try SegmentWriter(
            entered, store: core.identity, fileSystem: core.fileSystem, folder: core.folder, level: compression, pacer: pacer)
        self.writer = writer
        self.file = file
        self.tables = tables
        registry = state.registry
        tombstones = state.tombstones
        deletions = DeletionFilter(tombstones, signal: file.description.signal, registry: registry)
        encoder = BlockEncoder(level: compression)
        let known = StreamOrdinals.distinct(CollectionOfOne(tables.streams.compactMap { $0 }))
        streams = StreamOrdinals(sorted: registry.sortedByID(known))
        var starts: [Int?] = []
        var ids: [TraceID] = []
        for page in tables.tracePages {
            starts.append(page == nil ? nil : ids.count)
            ids += page ?? []
        }
        traceStarts = starts
        traceIDs = ids
        summaries = file.description.signal == .spans ? SpanSummaries(streams: streams, registry: registry) : nil
        losses = SalvageLosses(signal: file.description.signal)
        remade = tables.remade
    }

    /// Writes the new file, which is on the disk under its name afterwards; the damaged one is untouched.
    static func run(_ file: SalvageFile, entered: SegmentDescription, core: StoreCore, pacer: MergePacer) throws(StoreError) -> Result {
        var run = try SalvageRun(file, entered: entered, core: core, pacer: pacer)
        do {
            for block in 0..<run.tables.blockCount {
                try pacer.check()
                try run.write(block)
            }
        } catch {
            run.abandon()
            throw error
        }
        return try run.finish(families: file.description.signal.isMetric ? try core.families.families() : [])
    }

    private consuming func abandon() {
        writer.abandon()
    }

    private consuming func finish(families: [MetricFamily]) throws(StoreError) -> Result {
        var (losses, remade) = (losses, remade)
        let described = file.description
        let unknown = described.rowCount - savedRows - losses.lostRows
        losses.add(
            unknown, times: Self.times(described.minimumTime, described.maximumTime), "the blocks that held them are not found")
        if filteredBlocks > 0 { remade.append("filters of \(filteredBlocks) blocks") }
        let (references, registry, traceIDs, summaries) = (streams.references, registry, traceIDs, summaries?.builder)
        let written = try writer.finish(references: references, registry: registry, traceIDs: traceIDs, families: families, summaries: summaries)
        return Result(description: written, losses: losses, remade: remade)
    }

    private static func times(_ first: Int64, _ last: Int64) -> ClosedRange<Int64> { first...max(first, last) }

    // MARK: Blocks

    private mutating func write(_ index: Int) throws(StoreError) {
        let block: SalvageBlock
        do throws(StoreError) {
            block = try SalvageBlock(index, tables, file)
        } catch {
            guard error.isDamage else { throw error }
            if let header = tables.headers?[index] {
                losses.add(header.rowCount, times: Self.times(header.minimumTime, header.maximumTime), "block \(index): \(error)")
            }
            // Without the list of blocks nobody knows how many rows it had; what the file lacks at the end is counted there.
            return
        }
        if !block.damagedFilters.isEmpty { filteredBlocks += 1 }
        if let header = block.header, let binding = binding(block), block.isWhole {
            try copy(block, header, binding)
        } else {
            try encode(block)
        }
    }

    /// What a block's local numbers are in the new file; `nil` when that is not known of all, or they would not be in order.
    private func binding(_ block: SalvageBlock) -> BlockBinding? {
        guard let traces = block.traces else { return nil }
        var references: [StreamReference] = []
        for ordinal in block.streams {
            guard Int(ordinal) < tables.streams.count, let reference = tables.streams[Int(ordinal)] else { return nil }
            references.append(reference)
        }
        let ordinals = streams.ordinals(of: references)
        guard zip(ordinals, ordinals.dropFirst()).allSatisfy({ $0 < $1 }) else { return nil }
        var newTraces: [UInt32] = []
        newTraces.reserveCapacity(traces.count)
        for ordinal in traces {
            let (page, place) = Int(ordinal).quotientAndRemainder(dividingBy: SegmentFormat.idsPerPage)
            guard tables.traceID(ordinal) != nil, let start = traceStarts[page] else { return nil }
            newTraces.append(UInt32(start + place))
        }
        return BlockBinding(streams: ordinals, traces: newTraces)
    }

    private mutating func copy(_ block: SalvageBlock, _ header: BlockHeader, _ binding: BlockBinding) throws(StoreError) {
        let (file, directory) = (file, block.directory)
        try writer.append(header, directory, binding) { part, column throws(StoreError) in
            let data = try file.read(part == .pages ? .column(block: block.index, column: column) : .filters(block: block.index, column: column))
            // What reads otherwise than a moment ago must not get into the new file.
            try file.decoding { () throws(ColumnError) in
                switch part {
                case .pages: try directory.columns[column].check(data.span)
                case .filters: try directory.columns[column].check(filters: data.span)
                }
            }
            return data
        }
        if summaries != nil {
            let batch = try read(block, nil, TraceSummaryBuilder.projection)
            summaries?.add(batch)
        }
        savedRows += directory.rowCount
    }

    // MARK: Rows

    private mutating func encode(_ block: SalvageBlock) throws(StoreError) {
        var rows = SortedRows(signal: file.description.signal)
        for part in block.parts {
            guard let missing = block.missingColumns(part) else {
                let reason = part.damages.lazy.map { block.damages[$0] }.first { $0.column == nil }?.reason ?? ""
                losses.add(part.rows.count, times: times(of: part.rows, block), "block \(block.index): \(reason)")
                continue
            }
            do throws(StoreError) {
                try add(part, missing, of: block, to: &rows)
            } catch {
                // Pages whose checksums are right and that decode to nothing.
                guard error.isDamage else { throw error }
                losses.add(part.rows.count, times: times(of: part.rows, block), "block \(block.index): \(error)")
            }
        }
        rows.sort()
        guard rows.count > 0 else { return }
        let commits = commits(of: block, time: rows.keys[0].time)
        do {
            let (encoded, ordinals) = try encoder.encode(rows, 0..<rows.count)
            let binding = BlockBinding(streams: ordinals, traces: TraceOrdinals.ordinals(of: encoded.traceIDs, among: traceIDs))
            let header = BlockHeader(encoded, index: 0, streams: ordinals, low: commits.lowerBound, high: commits.upperBound)
            try writer.append(header, encoded.directory, binding) { part, column in encoded[part, column] }
        } catch {
            throw SegmentWriter.failure("salvage of \(file.path)", error)
        }
        savedRows += rows.count
    }

    private mutating func add(_ part: SalvageBlock.Part, _ missing: Set<Int>, of block: SalvageBlock, to rows: inout SortedRows) throws(StoreError) {
        let isAll = part.rows.count == block.directory.rowCount
        var batch = try read(block, isAll ? nil : part.rows, .everything, without: missing)
        let times = Self.times(batch.times.min() ?? 0, batch.times.max() ?? 0)
        if !missing.isEmpty {
            let commits = commits(of: block, time: times.lowerBound)
            guard deletions.touch(high: commits.upperBound, times: times, applied: file.description.appliedDeletions) == nil else {
                // Without these values a deleted row would not be known as one, and be back.
                losses.add(batch.count, times: times, "block \(block.index): a deletion under way may name them by what does not read")
                return
            }
        }
        for damage in part.damages.sorted() {
            guard let column = block.damages[damage].column else { continue }
            losses.add(
                part.rows.count, column: block.directory.columns[column].name.description, times: times,
                "block \(block.index): \(block.damages[damage].reason)")
        }
        if !missing.isEmpty { losses.addIncomplete(part.rows.count) }
        summaries?.add(batch)
        batch.streamIndexes = streams.ordinals(of: batch.streamIndexes)
        rows.append(batch)
    }

    /// Reads some rows, or all, without some columns of the directory.
    private func read(
        _ block: SalvageBlock, _ rows: [Int]?, _ projection: Projection, without missing: Set<Int> = []
    ) throws(StoreError) -> ColumnBatch {
        var directory = block.directory
        let kept = directory.columns.indices.filter { !missing.contains($0) }
        directory.columns = kept.map { block.directory.columns[$0] }
        var reader = BlockReader(directory, storage(block, kept))
        // Rows of lost streams are not read.
        return try reader.read(rows, projection: projection, streams: block.streams, references: tables.streams.map { $0 ?? 0 })
    }

    private func storage(_ block: SalvageBlock, _ columns: [Int]) -> SalvageStorage {
        SalvageStorage(file: file, tables: tables, block: block.index, columns: columns, traces: block.traces ?? [])
    }

    /// The first and the last time of some rows; of the block, or of the file, when theirs do not read.
    private func times(of rows: [Int], _ block: SalvageBlock) -> ClosedRange<Int64> {
        var reader = BlockReader(block.directory, storage(block, Array(block.directory.columns.indices)))
        do throws(StoreError) {
            let times = try reader.times(RowSelection(rows, of: block.directory.rowCount))
            return Self.times(times.min() ?? 0, times.max() ?? 0)
        } catch {
            // Only a receipt's accuracy is at stake.
            return block.header.map { Self.times($0.minimumTime, $0.maximumTime) } ?? Self.times(file.description.minimumTime, file.description.maximumTime)
        }
    }

    /// The commits that a block's rows come from. Without the list of blocks they are only known to be those of the day's piece; a deletion among them, of which nobody
    /// can say any more which rows are older, then applies to all.
    private func commits(of block: SalvageBlock, time: Int64) -> ClosedRange<CommitSequence> {
        if let header = block.header { return header.low...max(header.low, header.high) }
        let pieces = file.description.pieces
        let day = Day(time: time, signal: file.description.signal)
        guard let piece = pieces.first(where: { $0.day == day }) ?? pieces.first else { return .zero ... .zero }
        let deletion = tombstones.lazy.map(\.sequence).first { $0 > file.description.appliedDeletions && $0 >= piece.low && $0 < piece.high }
        return piece.low...(deletion ?? max(piece.low, piece.high))
    }
}
