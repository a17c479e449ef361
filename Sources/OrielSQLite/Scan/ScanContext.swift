import OrielStore
import OrielTelemetry

/// What all sources of one scan share.
struct ScanContext {
    let signal: Signal
    let order: ScanOrder
    /// The plan's range above the floor, in the signal's unit.
    let bounds: Range<Int64>
    /// The part of the plan's range below the floor, where only pins answer.
    let pinnedBounds: Range<Int64>
    /// Sorted and unique, when the plan names traces.
    let traceIDs: [TraceID]?
    let traceIDSet: Set<TraceID>
    let projection: Projection
    /// Whether equal (stream, time) is one row, of which the latest commit's stays.
    let deduplicates: Bool
    /// Whether sources may drop rows that the predicate refuses. Not for samples: a refused row still hides the one that it replaced.
    var filtersEarly: Bool
    /// Whether all of a source's rows are probably delivered, so that its columns are best decoded once and kept.
    let readsWhole: Bool
    let budget: QueryBudget
    let registry: StreamRegistry
    var filter: StreamFilter
    var deletions: DeletionFilter
    var evaluator: PredicateEvaluator
    /// Entries that a source holds at a time.
    var sourceCapacity = 512

    init(plan: ScanPlan, floor: Timestamp, tombstones: [Tombstone], budget: QueryBudget, registry: StreamRegistry) {
        signal = plan.signal
        order = plan.order
        let floorRange = TimeRange(start: floor, end: TimeRange.all.end)
        bounds = plan.range.intersection(floorRange).bounds(for: plan.signal)
        pinnedBounds = plan.range.intersection(TimeRange(start: TimeRange.all.start, end: floor)).bounds(for: plan.signal)
        traceIDs = plan.traceIDs?.sorted()
        traceIDSet = plan.traceIDs ?? []
        projection = plan.projection
        deduplicates = !plan.signal.hasOrds
        evaluator = PredicateEvaluator(plan.predicate)
        filtersEarly = !deduplicates || evaluator.needsOnlyPositions
        readsWhole = plan.limit.map { $0 > 4096 } ?? true
        self.budget = budget
        self.registry = registry
        filter = StreamFilter(matchers: plan.streamMatchers, streams: plan.streams, range: plan.streamRange, registry: registry)
        deletions = DeletionFilter(tombstones, signal: plan.signal, registry: registry)
    }

    /// Whether sources have to ask the predicate.
    var selectsRows: Bool { filtersEarly && !evaluator.isAlwaysTrue }

    /// Those of some rows of a block that are not deleted, ascending.
    ///
    /// - Parameter rows: `nil` for all, also in the answer.
    mutating func remaining(_ rows: [Int]?, of header: BlockHeader, _ container: any BlockContainer) throws(StoreError) -> [Int]? {
        guard let touch = deletions.touch(header, of: container) else { return rows }
        if let rows, rows.isEmpty { return rows }
        let batch = try container.read(block: header.index, rows: rows, projection: touch.projection)
        let left = deletions.remaining(nil, of: batch, touch)
        if left.count == batch.count { return rows }
        return rows.map { rows in left.map { rows[$0] } } ?? left
    }

    /// Rows of a batch that lie in some bounds and pass, ascending.
    ///
    /// - Parameters:
    ///   - rows: which rows to look at; `nil` for all.
    ///   - touch: the deletions that some of them may have fallen to.
    mutating func select(
        _ rows: [Int]?, of batch: ColumnBatch, timesFit: Bool, in bounds: Range<Int64>, _ touch: DeletionFilter.Touch? = nil
    ) -> [Int] {
        var selected = rows ?? Array(0..<batch.count)
        if !timesFit {
            let times = batch.times
            selected = selected.filter { bounds.contains(times[$0]) }
        }
        // Whatever the predicate: a row that is gone hides nothing.
        if let touch { selected = deletions.remaining(selected, of: batch, touch) }
        guard selectsRows else { return selected }
        let registry = registry
        return evaluator.rows(selected, of: batch) { registry.decodedDescriptor(of: $0) }
    }

    /// What has to be decoded of the rows that come out of the merge.
    var deliveryProjection: Projection {
        filtersEarly ? projection : projection.union(evaluator.requiredProjection)
    }
}

extension Range<Int64> {
    /// The indexes of the times that lie in the range.
    func indexes(of times: [Int64]) -> [Int] { times.indices.filter { contains(times[$0]) } }

    /// Whether all rows of a block lie in the range.
    func contains(_ header: BlockHeader) -> Bool { contains(header.minimumTime) && contains(header.maximumTime) }
}

extension Projection {
    func union(_ other: Projection) -> Projection {
        let attributes: AttributeProjection =
            switch (self.attributes, other.attributes) {
            case (.all, _), (_, .all): .all
            case (.none, let others): others
            case (let own, .none): own
            case (.keys(let own), .keys(let others)): .keys(own.union(others))
            }
        return Projection(
            columns: columns.union(other.columns), attributes: attributes, describesStreams: describesStreams || other.describesStreams)
    }
}

/// Keeps the best entries of a source, at most a given number, while rows stream by.
struct EntryCollector {
    private(set) var entries: [RowEntry] = []
    private let capacity: Int
    private let after: RowKey?
    private let deduplicates: Bool
    /// Whether rows were left out.
    private(set) var isTruncated = false
    private var threshold: RowKey?

    /// - Parameters:
    ///   - capacity: At least 1.
    ///   - after: Only entries behind this key.
    ///   - deduplicates: Whether of equal keys only the last unit and row stays.
    init(capacity: Int, after: RowKey?, deduplicates: Bool) {
        self.capacity = capacity
        self.after = after
        self.deduplicates = deduplicates
    }

    mutating func add(_ key: RowKey, unit: Int, row: Int) {
        if let after, key <= after { return }
        if let threshold, key > threshold { return }
        entries.append(RowEntry(key: key, unit: UInt32(unit), row: UInt32(row)))
        if entries.count >= capacity &* 2 &+ 64 { shrink() }
    }

    /// The collected entries in order.
    mutating func finish() -> [RowEntry] {
        shrink()
        return entries
    }

    private mutating func shrink() {
        sort()
        if entries.count > capacity {
            entries.removeLast(entries.count - capacity)
            isTruncated = true
            threshold = entries.last?.key
        }
    }

    private mutating func sort() {
        let isSorted = entries.indices.dropFirst().allSatisfy { entries[$0 - 1].key < entries[$0].key }
        if isSorted { return }
        guard deduplicates else {
            entries.sort { $0.key < $1.key }
            return
        }
        entries.sort { $0.key == $1.key ? ($0.unit, $0.row) > ($1.unit, $1.row) : $0.key < $1.key }
        var kept = 0
        for index in entries.indices where kept == 0 || entries[kept - 1].key != entries[index].key {
            entries[kept] = entries[index]
            kept += 1
        }
        entries.removeLast(entries.count - kept)
    }
}
