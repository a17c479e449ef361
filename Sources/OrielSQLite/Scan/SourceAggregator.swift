import OrielStore
import OrielTelemetry

/// One thread's part of an aggregation: adds up sources of a scan, each by the cheapest way that gives the rows that the scan would deliver.
struct SourceAggregator {
    /// A source before it is opened, which threads hand to each other.
    struct Unit: Sendable {
        let rows: ScanSource.Rows
        let bounds: Range<Int64>
        let lowerBound: RowKey
        let upperBound: RowKey
        let priority: CommitSequence

        init(_ source: ScanSource) {
            rows = source.rows
            bounds = source.bounds
            lowerBound = source.lowerBound
            upperBound = source.upperBound
            priority = source.priority
        }

        var source: ScanSource { ScanSource(rows, in: bounds, lowerBound: lowerBound, upperBound: upperBound, priority: priority) }
    }

    private let plan: ScanPlan
    private let context: ScanContext
    /// Rows of a source without rivals: none hides another, so that predicates decide at once.
    private var direct: ScanContext
    private var aggregator: Aggregator
    private let registry: StreamRegistry
    private let budget: QueryBudget
    /// How many of these work at a time.
    private let share: Int
    private var reservedBytes = 0

    /// - Parameter plan: Its projection is what the aggregator requires.
    init(_ aggregator: Aggregator, plan: ScanPlan, context: ScanContext, share: Int) {
        self.aggregator = aggregator
        self.plan = plan
        self.context = context
        self.share = share
        direct = context
        direct.filtersEarly = true
        registry = context.registry
        budget = context.budget
    }

    /// What was added, as a table; it takes over the memory.
    func table() throws(StoreError) -> AggregateTable {
        let table = try aggregator.table()
        try budget.reserve(table.approximateByteCount)
        budget.release(reservedBytes)
        return table
    }

    /// Adds the rows of sources that may hide each other's.
    mutating func addMerged(_ sources: [ScanSource]) throws(StoreError) {
        var merge = ScanMerge(plan: plan, sources: sources, context, share: share)
        defer { merge.close() }
        while let batch = try merge.nextBatch() { try add(nil, of: batch) }
    }

    /// Adds the rows of a source of which no row hides or is hidden by one of another source, and none of a chunk by another of its group.
    mutating func addDirect(_ unit: Unit) throws(StoreError) {
        try budget.check()
        switch unit.rows {
        case .chunks(let chunks):
            for chunk in chunks {
                let rows = ScanSource.rows(of: chunk, &direct)
                if !rows.isEmpty { try add(rows, of: chunk.batch) }
            }
        case .block(let container, let header, let candidates):
            // The scan knows how to leave out what is deleted.
            if direct.deletions.touch(header, of: container) != nil { return try addMerged([unit.source]) }
            do throws(StoreError) {
                if canCount(header, unit.bounds) {
                    try count(container, header)
                } else {
                    try add(container, header, candidates, unit.bounds)
                }
            } catch  where error.isDamage {
                // Nothing of the block was added. The scan knows how to get at those of its rows that are whole.
                try addMerged([unit.source])
            }
        }
    }

    /// Whether the header and the runs of streams say all that matters.
    private func canCount(_ header: BlockHeader, _ bounds: Range<Int64>) -> Bool {
        aggregator.countsOnlyByStream && direct.traceIDs == nil && direct.evaluator.isAlwaysTrue && bounds.contains(header)
            && aggregator.isOneBucket(header.minimumTime...max(header.minimumTime, header.maximumTime))
    }

    private mutating func count(_ container: any BlockContainer, _ header: BlockHeader) throws(StoreError) {
        let registry = registry
        let stream = { (reference: StreamReference) in
            Aggregator.Stream(id: registry.id(of: reference), descriptor: registry.descriptor(of: reference))
        }
        if aggregator.hasNoKeys, direct.filter.isTrivial {
            try aggregator.add(count: header.rowCount, ofStream: 0, at: header.minimumTime, stream: stream)
        } else {
            let references = try container.streamReferences()
            for run in try container.streamRuns(ofBlock: header.index) {
                let reference = references[Int(run.ordinal)]
                guard direct.filter.allows(reference) else { continue }
                try aggregator.add(count: run.rowCount, ofStream: reference, at: header.minimumTime, stream: stream)
            }
        }
        try reserve()
    }

    private mutating func add(
        _ container: any BlockContainer, _ header: BlockHeader, _ candidates: BlockCandidates, _ bounds: Range<Int64>
    ) throws(StoreError) {
        let needed = aggregator.requiredProjection
        guard !direct.evaluator.isAlwaysTrue else {
            let rows = try candidates.resolve(container, header, in: bounds)
            if let rows, rows.isEmpty { return }
            let batch = try container.read(block: header.index, rows: rows, projection: needed)
            let bytes = batch.approximateByteCount
            try budget.reserve(bytes)
            defer { budget.release(bytes) }
            try add(bounds.contains(header) ? nil : direct.select(nil, of: batch, timesFit: false, in: bounds), of: batch)
            return
        }
        let selection = BlockSelection(container: container, header: header, candidates: candidates, bounds: bounds)
        let rows = try selection.rows(&direct.evaluator, registry)
        if rows.isEmpty { return }
        let batch = try container.read(block: header.index, rows: rows.count == header.rowCount ? nil : rows, projection: needed)
        let bytes = batch.approximateByteCount
        try budget.reserve(bytes)
        defer { budget.release(bytes) }
        try add(bounds.contains(header) ? nil : bounds.indexes(of: batch.times), of: batch)
    }

    private mutating func add(_ rows: [Int]?, of batch: ColumnBatch) throws(StoreError) {
        let registry = registry
        try aggregator.add(rows, of: batch) { reference in
            Aggregator.Stream(id: registry.id(of: reference), descriptor: registry.descriptor(of: reference))
        }
        try reserve()
    }

    /// Reserves what the groups have grown by.
    private mutating func reserve() throws(StoreError) {
        let bytes = aggregator.approximateByteCount
        guard bytes > reservedBytes else { return }
        try budget.reserve(bytes - reservedBytes)
        reservedBytes = bytes
    }
}
