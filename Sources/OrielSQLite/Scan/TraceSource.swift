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
    /// The traces that are not refused; `nil` when the query refuses none.
    let possible: OrdinalSet?

    init(container: any BlockContainer, times: TraceTimes, isShared: [Bool]?, floor: Int64, query: TraceSummaryQuery) {
        self.container = container
        self.times = times
        self.isShared = isShared
        self.floor = floor
        guard query.minimumDuration != nil || query.maximumDuration != nil || query.after != nil else {
            possible = nil
            return
        }
        var possible = OrdinalSet(limit: times.starts.count)
        for ordinal in 0..<UInt32(times.starts.count) where Self.verdict(ordinal, query, times, isShared, floor) != .refused { possible.insert(ordinal) }
        self.possible = possible
    }

    /// What a query's bounds make of a trace by what the container has of it.
    enum Verdict {
        case listed
        case refused
        /// Only all rows together can tell.
        case unknown
    }

    func verdict(_ ordinal: UInt32, _ query: TraceSummaryQuery) -> Verdict {
        Self.verdict(ordinal, query, times, isShared, floor)
    }

    @inline(__always)
    private static func verdict(
        _ ordinal: UInt32, _ query: borrowing TraceSummaryQuery, _ times: borrowing TraceTimes, _ isShared: [Bool]?, _ floor: Int64
    ) -> Verdict {
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
    /// Rows before this time were not searched.
    var searchedFrom: Int64?
}

/// A block or group of chunks in which spans are searched for. It can be read on any thread.
struct TraceSource: Sendable {
    let rows: ScanSource.Rows
    let bounds: Range<Int64>
    /// No row is later.
    private(set) var maximumTime: Int64
    var timed: TimedContainer?
    /// Rows from this time on were searched before.
    var end = Int64.max
    /// The list is full of traces that begin at this time or later, so that rows before it are of no interest.
    var start = Int64.min
    /// How many of the newest rows are to be searched at least, if the rest may wait.
    var newestCount: Int?
    let query: TraceSummaryQuery
    let context: ScanContext

    init(rows: ScanSource.Rows, bounds: Range<Int64>, maximumTime: Int64, query: TraceSummaryQuery, context: ScanContext) {
        self.rows = rows
        self.bounds = bounds
        self.maximumTime = maximumTime
        self.query = query
        self.context = context
    }

    /// The rows before a time, which were not searched yet.
    func rest(before time: Int64) -> TraceSource {
        var rest = self
        rest.end = time
        rest.maximumTime = time.subtractingSaturating(1)
        return rest
    }

    /// Rows that one page of a column holds, and so what one damaged page takes along.
    private static let pageRows = ColumnPager.pageRows

    /// The traces of the spans that pass. Damaged blocks and pages have none.
    func candidates() throws(StoreError) -> TraceCandidates {
        try context.budget.check()
        var context = context
        switch rows {
        case .block(let container, let header, let candidates):
            do throws(StoreError) {
                var rows = try passing(container, header, candidates, &context)
                if let rows, rows.isEmpty { return TraceCandidates() }
                let searchedFrom = try keepNewest(&rows, container, header)
                var found: TraceCandidates
                do throws(StoreError) {
                    found = try self.candidates(container, header, rows)
                } catch  where error.isDamage {
                    found = try singly(container, header, rows ?? Array(0..<header.rowCount))
                }
                found.searchedFrom = searchedFrom
                return found
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
        let registry = context.registry
        if context.selectsRows {
            let canPass = try container.canPass(block: header.index, &context.evaluator) { registry.decodedDescriptor(of: $0) }
            guard canPass else { return [] }
        }
        var candidates = candidates
        if let possible = timed?.possible, let found = try container.rows(ofBlock: header.index, amongTraces: possible) {
            if found.isEmpty { return [] }
            candidates.restrict(to: found)
        }
        let first = max(bounds.lowerBound, start)
        let window = first..<max(first, min(bounds.upperBound, end))
        if !window.contains(header.minimumTime) || !window.contains(header.maximumTime) {
            candidates.restrict(to: try container.rows(ofBlock: header.index, inTimes: window))
            if let rows = candidates.rows, rows.isEmpty { return [] }
        }
        var rows = try candidates.resolve(container, header, in: bounds)
        if let rows, rows.isEmpty { return [] }
        if context.selectsRows {
            rows = try container.rows(ofBlock: header.index, rows, passing: &context.evaluator) { registry.decodedDescriptor(of: $0) }
        }
        return try context.remaining(rows, of: header, container)
    }

    /// Drops all but the newest rows if the rest may wait.
    ///
    /// - Returns: the time before which rows were dropped; `nil` when all are left.
    private func keepNewest(_ rows: inout [Int]?, _ container: any BlockContainer, _ header: BlockHeader) throws(StoreError) -> Int64? {
        guard let newestCount, (rows?.count ?? header.rowCount) > 4 * newestCount else { return nil }
        let times: [Int64]
        do throws(StoreError) {
            times = try container.read(block: header.index, rows: rows, projection: .positions).times
        } catch  where error.isDamage {
            // Noted; rows of other pages are found one page at a time.
            return nil
        }
        let (least, greatest) = times.reduce((Int64.max, Int64.min)) { (min($0.0, $1), max($0.1, $1)) }
        // A histogram tells, in one pass, about where the newest begin.
        let width = UInt64(bitPattern: greatest &- least) / 1024 + 1
        var counts = [Int](repeating: 0, count: 1024)
        for time in times { counts[Int(UInt64(bitPattern: time &- least) / width)] += 1 }
        var place = 1023
        var total = counts[place]
        while total < newestCount {
            place -= 1
            total += counts[place]
        }
        let first = least &+ Int64(bitPattern: UInt64(place) &* width)
        guard first > least else { return nil }
        let newest = times.indices.filter { times[$0] >= first }
        rows = rows.map { rows in newest.map { rows[$0] } } ?? newest
        return first
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
        for row in rows where !ids[row].isZero && batch.times[row] >= start { newest[ids[row]] = max(newest[ids[row]] ?? .min, batch.times[row]) }
    }

    private func candidates(_ newest: [TraceID: Int64]) throws(StoreError) -> TraceCandidates {
        TraceCandidates(unknown: newest.map { TraceCandidates.Unknown(time: $0.value, traceID: $0.key) })
    }
}
