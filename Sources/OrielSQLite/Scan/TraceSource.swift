import OrielStore
import OrielTelemetry

/// A container that knows the times of its traces, and so which of them can be listed.
struct TimedContainer: Sendable {
    let container: any BlockContainer
    let times: TraceTimes
    /// For each trace whether it has rows elsewhere too; `nil` when nobody needs to know of all.
    let isShared: [Bool]?
    /// The signal's floor: what is before it is not to be counted.
    let floor: Int64

    /// What a query's bounds make of a trace by what the container has of it.
    enum Verdict {
        case listed
        case refused
        /// Only all rows together can tell.
        case unknown
    }

    func verdict(_ ordinal: UInt32, _ query: TraceSummaryQuery) -> Verdict {
        let start = times.starts[Int(ordinal)]
        // Without the rows below the floor the trace is shorter.
        if start < floor { return .unknown }
        let duration = max(0, times.ends[Int(ordinal)].subtractingSaturating(start))
        // Rows elsewhere make a trace longer, and its start earlier.
        if let maximum = query.maximumDuration, duration > maximum { return .refused }
        if isShared?[Int(ordinal)] == true { return .unknown }
        if let minimum = query.minimumDuration, duration < minimum { return .refused }
        if let after = query.after, start > after.start { return .refused }
        return .listed
    }
}

/// Traces that have passing spans in a source.
struct TraceCandidates: Sendable {
    /// A trace that only all its rows together can tell about; it begins at `time` or before.
    struct Unknown: Sendable {
        var time: Int64
        var traceID: TraceID
    }

    /// The number of the container that ``listed`` are ordinals of.
    var container: Int?
    /// Traces whose times pass, if they have no rows elsewhere.
    var listed: [UInt32] = []
    var unknown: [Unknown] = []
}

/// A block or group of chunks in which spans are searched for. It can be read on any thread.
struct TraceSource: Sendable {
    let rows: ScanSource.Rows
    let bounds: Range<Int64>
    /// No row is later.
    let maximumTime: Int64
    var timed: TimedContainer?
    let query: TraceSummaryQuery
    let context: ScanContext

    /// Rows that one page of a column holds, and so what one damaged page takes along.
    private static let pageRows = ColumnPager.pageRows

    /// The traces of the spans that pass. Damaged blocks and pages have none.
    func candidates() throws(StoreError) -> TraceCandidates {
        try context.budget.check()
        var context = context
        switch rows {
        case .block(let container, let header, let candidates):
            do throws(StoreError) {
                let rows = try passing(container, header, candidates, &context)
                if let rows, rows.isEmpty { return TraceCandidates() }
                do throws(StoreError) {
                    return try self.candidates(container, header, rows)
                } catch  where error.isDamage {
                    return try singly(container, header, rows ?? Array(0..<header.rowCount))
                }
            } catch  where error.isDamage {
                // What selects rows cannot be read, so none of the block passes. The container has noted it.
                return TraceCandidates()
            }
        case .chunks(let chunks):
            var newest: [TraceID: Int64] = [:]
            for chunk in chunks { add(chunk.batch, ScanSource.rows(of: chunk, &context), &newest) }
            return try candidates(newest)
        }
    }

    /// The passing ones of a block's rows; `nil` for all.
    private func passing(
        _ container: any BlockContainer, _ header: BlockHeader, _ candidates: BlockCandidates, _ context: inout ScanContext
    ) throws(StoreError) -> [Int]? {
        var rows: [Int]?
        if context.selectsRows {
            let selection = BlockSelection(container: container, header: header, candidates: candidates, bounds: bounds)
            rows = try selection.rows(&context.evaluator, context.registry)
        } else {
            rows = try candidates.resolve(container, header, in: bounds)
        }
        rows = try context.remaining(rows, of: header, container)
        if bounds.contains(header) { return rows }
        if let rows, rows.isEmpty { return [] }
        let times = try container.read(block: header.index, rows: rows, projection: .positions).times
        let selected = bounds.indexes(of: times)
        return rows.map { rows in selected.map { rows[$0] } } ?? selected
    }

    /// The traces of some rows of a block.
    private func candidates(_ container: any BlockContainer, _ header: BlockHeader, _ rows: [Int]?) throws(StoreError) -> TraceCandidates {
        guard let timed else {
            let batch = try container.read(block: header.index, rows: rows, projection: Projection(columns: [.traceID], attributes: .none))
            let bytes = batch.approximateByteCount
            try context.budget.reserve(bytes)
            defer { context.budget.release(bytes) }
            var newest: [TraceID: Int64] = [:]
            add(batch, Array(0..<batch.count), &newest)
            return try candidates(newest)
        }
        var found = TraceCandidates(container: timed.container.number)
        var unknown: [UInt32] = []
        for ordinal in try timed.container.traceOrdinals(ofBlock: header.index, rows: rows) {
            switch timed.verdict(ordinal, query) {
            case .listed: found.listed.append(ordinal)
            case .unknown: unknown.append(ordinal)
            case .refused: break
            }
        }
        found.unknown = try timed.container.traceIDs(unknown).map { TraceCandidates.Unknown(time: maximumTime, traceID: $0) }
        return found
    }

    /// As above where some pages are damaged: the rows of each page by themselves.
    private func singly(_ container: any BlockContainer, _ header: BlockHeader, _ rows: [Int]) throws(StoreError) -> TraceCandidates {
        var found = TraceCandidates(container: timed?.container.number)
        var start = 0
        while start < rows.count {
            var end = start + 1
            while end < rows.count, rows[end] / Self.pageRows == rows[start] / Self.pageRows { end += 1 }
            do throws(StoreError) {
                let part = try candidates(container, header, Array(rows[start..<end]))
                found.listed += part.listed
                found.unknown += part.unknown
            } catch  where error.isDamage {
                // Noted; the rows of other pages are whole.
            }
            start = end
        }
        return found
    }

    private func add(_ batch: ColumnBatch, _ rows: [Int], _ newest: inout [TraceID: Int64]) {
        guard case .traceIDs(let ids) = batch[.traceID] else { return }
        for row in rows where !ids[row].isZero { newest[ids[row]] = max(newest[ids[row]] ?? .min, batch.times[row]) }
    }

    private func candidates(_ newest: [TraceID: Int64]) throws(StoreError) -> TraceCandidates {
        TraceCandidates(unknown: newest.map { TraceCandidates.Unknown(time: $0.value, traceID: $0.key) })
    }
}
