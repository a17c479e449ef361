import OrielStore
import OrielTelemetry

/// The k-way merge of a scan: a heap of opened sources, and those that need not be opened yet.
struct ScanMerge {
    /// Most rows of a batch.
    static let maximumBatchRows = 4096
    /// Batches above this many bytes make the next ones smaller.
    private static let batchBytes = 4 << 20

    private var context: ScanContext
    /// Not opened, the one that may come first last.
    private var waiting: [ScanSource]
    private var heap = SourceHeap()
    /// Used up, but still holding rows that the batch in the making refers to.
    private var finished: [ScanSource] = []
    /// The row that was emitted last (or the plan's position).
    private var last: RowKey?
    private(set) var position: ScanPosition?
    private var remaining: Int
    private var targetRows: Int

    /// Threads that select rows of several sources at a time; this one alone without.
    private let workers: ScanWorkers?
    /// How many sources are worth selecting rows of ahead of their turn.
    private var aheadCount = 1

    /// - Parameter workers: The pool that the caller runs on, if it may use more of its threads.
    init(
        plan: ScanPlan, state: PublishedState, registry: StreamRegistry, budget: QueryBudget, workers: ScanWorkers? = nil
    ) throws(StoreError) {
        let signalState = state[plan.signal]
        var context = ScanContext(plan: plan, floor: signalState.floor, tombstones: state.tombstones, budget: budget, registry: registry)
        let position = plan.position.map { RowKey($0, order: plan.order) }
        let sources = plan.limit ?? .max > 0 ? try ScanSource.find(in: signalState, behind: position, &context) : []
        self.init(plan: plan, sources: sources, context, workers: workers)
    }

    /// Merges sources that were found before.
    ///
    /// - Parameters:
    ///   - share: How many merges use the budget at a time.
    ///   - workers: The pool that the caller runs on, if it may use more of its threads.
    init(plan: ScanPlan, sources: [ScanSource], _ context: ScanContext, share: Int = 1, workers: ScanWorkers? = nil) {
        self.context = context
        self.workers = workers
        if let workers, context.readsWhole { aheadCount = workers.count * 2 }
        last = plan.position.map { RowKey($0, order: plan.order) }
        position = plan.position
        remaining = max(0, plan.limit ?? .max)
        waiting = []
        targetRows = 512
        // Half of the memory is for entries, shared by the sources that can be open at a time.
        let perSource = context.budget.memoryLimit / 2 / share / MemoryLayout<RowEntry>.stride / max(1, ScanMerge.overlap(of: sources))
        self.context.sourceCapacity = max(512, perSource)
        if context.filtersEarly { self.context.sourceCapacity = min(self.context.sourceCapacity, max(1, remaining)) }
        waiting = sources.sorted { $0.lowerBound > $1.lowerBound }
    }

    /// The largest number of sources whose bounds share a key.
    private static func overlap(of sources: [ScanSource]) -> Int {
        let lows = sources.map(\.lowerBound).sorted()
        let highs = sources.map(\.upperBound).sorted()
        var ended = 0
        var most = 0
        for (begun, low) in lows.enumerated() {
            while highs[ended] < low { ended += 1 }
            most = max(most, begun + 1 - ended)
        }
        return most
    }

    /// Upper limit for rows of the next batches, for callers that look at few rows first.
    mutating func limitBatches(to rows: Int) { targetRows = max(1, min(rows, ScanMerge.maximumBatchRows)) }

    /// The next rows with ``StreamReference``s, or `nil` at the end.
    mutating func nextBatch() throws(StoreError) -> ColumnBatch? {
        while remaining > 0 {
            try context.budget.check()
            var picks = try nextPicks()
            guard let lastPick = picks.last else { break }
            var batch = try deliver(&picks)
            releaseFinished()
            var end = lastPick.entry.key
            if !context.filtersEarly {
                var rows = passing(batch)
                if rows.count > remaining {
                    rows.removeLast(rows.count - remaining)
                    if let row = rows.last { end = picks[row].entry.key }
                }
                let parts = rows.map { RowGatherer.Pick(part: 0, row: UInt32($0)) }
                batch = RowGatherer.gather(parts, of: [batch], signal: context.signal, projection: context.projection)
            }
            position = end.position(order: context.order)
            guard batch.count > 0 else { continue }
            remaining -= batch.count
            let bytes = batch.approximateByteCount
            if bytes > ScanMerge.batchBytes {
                targetRows = max(1, targetRows / 2)
            } else if bytes < ScanMerge.batchBytes / 4, picks.count >= targetRows {
                targetRows = min(ScanMerge.maximumBatchRows, targetRows * 2)
            }
            return batch
        }
        close()
        return nil
    }

    private mutating func releaseFinished() {
        for source in finished { source.release(context.budget) }
        finished = []
    }

    /// Frees what is held when the scan ends before its rows do.
    mutating func close() {
        releaseFinished()
        while let source = heap.removeFirst() { source.release(context.budget) }
        for source in waiting { source.release(context.budget) }
        waiting = []
        remaining = 0
    }

    private struct PickedRow {
        var source: ScanSource
        var entry: RowEntry
    }

    private mutating func passing(_ batch: ColumnBatch) -> [Int] {
        let registry = context.registry
        return context.evaluator.rows(nil, of: batch) { registry.decodedDescriptor(of: $0) }
    }

    private mutating func nextPicks() throws(StoreError) -> [PickedRow] {
        var picks: [PickedRow] = []
        let target = context.filtersEarly ? min(targetRows, remaining) : targetRows
        picks.reserveCapacity(target)
        while picks.count < target {
            try openDueSources()
            guard let source = heap.first, let entry = source.head else { break }
            if !(context.deduplicates && entry.key == last) {
                picks.append(PickedRow(source: source, entry: entry))
                last = entry.key
            }
            source.advance()
            if source.head != nil {
                heap.firstChanged()
            } else if source.needsFill {
                // The picks refer to what the source holds now, so they are delivered first; the fill waits for the next call.
                _ = heap.removeFirst()
                waiting.append(source)
                if !picks.isEmpty { break }
            } else {
                _ = heap.removeFirst()
                finished.append(source)
            }
        }
        return picks
    }

    /// Opens the sources that may hold the next row.
    private mutating func openDueSources() throws(StoreError) {
        while let source = waiting.last {
            if let first = heap.first?.head, source.next == 0, source.entries.isEmpty, first.key < source.lowerBound { return }
            if let workers, aheadCount > 1, context.selectsRows, source.pendingSelection(context) != nil {
                ScanSource.selectAhead(Array(waiting.suffix(aheadCount)), context, workers)
            }
            if let workers, source.pendingReading(context) != nil {
                ScanSource.readAhead(Array(waiting.suffix(2 * workers.count)), context, workers)
            }
            waiting.removeLast()
            try source.fill(after: last, &context)
            if source.head != nil {
                heap.insert(source)
            } else {
                source.release(context.budget)
                // Rows that pass are rare, so that more sources will be needed.
                if let workers { aheadCount = min(aheadCount * 2, workers.count * 2) }
            }
        }
    }

    /// Decodes what the projection asks for, source by source, and puts it in order. Rows that turn out damaged leave `picks`.
    private mutating func deliver(_ picks: inout [PickedRow]) throws(StoreError) -> ColumnBatch {
        var parts: [ColumnBatch] = []
        var gathered = Array(repeating: RowGatherer.Pick(part: 0, row: 0), count: picks.count)
        var bySource: [ObjectIdentifier: (source: ScanSource, indexes: [Int])] = [:]
        var sourceOrder: [ObjectIdentifier] = []
        var damaged: Set<Int> = []
        for (index, pick) in picks.enumerated() {
            let id = ObjectIdentifier(pick.source)
            if bySource[id] == nil { sourceOrder.append(id) }
            bySource[id, default: (pick.source, [])].indexes.append(index)
        }
        for id in sourceOrder {
            guard let (source, indexes) = bySource[id] else { continue }
            switch source.rows {
            case .chunks(let chunks):
                var places: [UInt32: UInt32] = [:]
                for index in indexes {
                    let entry = picks[index].entry
                    var place = places[entry.unit]
                    if place == nil {
                        place = UInt32(parts.count)
                        places[entry.unit] = place
                        parts.append(chunks[Int(entry.unit)].batch)
                    }
                    gathered[index] = RowGatherer.Pick(part: place ?? 0, row: entry.row)
                }
            case .block:
                try context.budget.check()
                let sorted = indexes.sorted { picks[$0].entry.row < picks[$1].entry.row }
                guard let (batch, rows) = try source.decode(sorted.map { Int(picks[$0].entry.row) }, context) else {
                    damaged.formUnion(indexes)
                    continue
                }
                let part = UInt32(parts.count)
                parts.append(batch)
                var place = 0
                for index in sorted {
                    let row = Int(picks[index].entry.row)
                    if let rows {
                        // Both lists ascend, and the batch holds every row of the entries.
                        while rows[place] < row { place += 1 }
                        gathered[index] = RowGatherer.Pick(part: part, row: UInt32(place))
                    } else {
                        gathered[index] = RowGatherer.Pick(part: part, row: UInt32(row))
                    }
                }
            }
        }
        if !damaged.isEmpty {
            picks = picks.indices.filter { !damaged.contains($0) }.map { picks[$0] }
            gathered = gathered.indices.filter { !damaged.contains($0) }.map { gathered[$0] }
            if gathered.isEmpty { return ColumnBatch(signal: context.signal) }
        }
        return RowGatherer.gather(gathered, of: parts, signal: context.signal, projection: context.deliveryProjection)
    }
}

/// Opened sources by their first entries; of equal keys the source with the later commit is first.
struct SourceHeap {
    private var sources: [ScanSource] = []

    var first: ScanSource? { sources.first }

    mutating func insert(_ source: ScanSource) {
        sources.append(source)
        var child = sources.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard precedes(child, parent) else { return }
            sources.swapAt(child, parent)
            child = parent
        }
    }

    mutating func removeFirst() -> ScanSource? {
        guard let first = sources.first else { return nil }
        let last = sources.removeLast()
        if !sources.isEmpty {
            sources[0] = last
            firstChanged()
        }
        return first
    }

    /// Moves the first source to its place after its entry changed.
    mutating func firstChanged() {
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < sources.count && precedes(child, least) { least = child }
            guard least != parent else { return }
            sources.swapAt(parent, least)
            parent = least
        }
    }

    private func precedes(_ left: Int, _ right: Int) -> Bool {
        guard let leftKey = sources[left].head?.key, let rightKey = sources[right].head?.key else { return false }
        return leftKey == rightKey ? sources[left].priority > sources[right].priority : leftKey < rightKey
    }
}
