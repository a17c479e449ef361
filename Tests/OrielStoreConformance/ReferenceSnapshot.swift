import OrielStore
import OrielTelemetry
import Synchronization

/// The contents of a ``ReferenceStore`` at one moment.
struct ReferenceSnapshot: StoreSnapshot {
    let contents: ReferenceStore.Contents

    var sequence: CommitSequence { contents.sequence }

    /// A row of a commit, small enough to be sorted.
    private struct Row {
        /// The index of its commit.
        var commit: Int
        var row: Int
        let position: ScanPosition
    }

    /// The rows of each commit of a signal that are visible in a range: above the floor or held by a pin, of equal samples the last.
    private func visibleRows(_ signal: Signal, _ range: TimeRange) -> [(commit: Int, rows: [Int])] {
        let bounds = range.bounds(for: signal)
        let floor = TimeRange(start: contents.floors[signal] ?? TimeRange.all.start, end: TimeRange.all.end).bounds(for: signal)
        let held = contents.pins.reduce(into: Set<ReferenceStore.HeldRow>()) { $0.formUnion($1.rows[signal] ?? []) }
        var visible: [(commit: Int, rows: [Int])] = []
        // From the last commit, so that of equal samples the last is the first one met.
        var seen: Set<ScanPosition> = []
        for index in contents.commits.indices.reversed() where contents.commits[index].batch.signal == signal {
            let commit = contents.commits[index]
            let positions = commit.positions
            var rows: [Int] = []
            for row in positions.indices.reversed() where bounds.contains(positions[row].time) {
                let isVisible = floor.contains(positions[row].time) || held.contains(.init(sequence: commit.sequence, position: positions[row]))
                if isVisible, signal.hasOrds || seen.insert(positions[row]).inserted { rows.append(row) }
            }
            visible.append((index, rows.reversed()))
        }
        return visible.reversed()
    }

    func scan(_ plan: ScanPlan) throws(StoreError) -> any ScanCursor {
        do {
            return ReferenceCursor(plan: plan, batches: try rows(of: plan))
        } catch let error as StoreError {
            throw error
        } catch {
            throw .unsupported("\(error)")
        }
    }

    private func rows(of plan: ScanPlan) throws -> [ColumnBatch] {
        let rows = try selectedRows(of: plan)
        // What the plan leaves out is not copied for each row.
        var sources: [Int: ColumnBatch] = [:]
        for row in rows where sources[row.commit] == nil { sources[row.commit] = project(contents.commits[row.commit].batch, plan.projection) }
        let empty = project(ColumnBatch(signal: plan.signal), plan.projection)
        // An odd size, so that nobody comes to rely on one.
        return stride(from: 0, to: rows.count, by: 97).map { start in
            var batch = empty
            for row in rows[start..<min(rows.count, start + 97)] {
                if let source = sources[row.commit] { batch.appendRow(row.row, of: source) }
            }
            if !plan.projection.describesStreams { batch.streams = StreamTable(ids: batch.streams.ids) }
            return batch
        }
    }

    /// The rows of a plan as a pin names them.
    func heldRows(of plan: ScanPlan) throws -> [ReferenceStore.HeldRow] {
        try selectedRows(of: plan).map { ReferenceStore.HeldRow(sequence: contents.commits[$0.commit].sequence, position: $0.position) }
    }

    private func selectedRows(of plan: ScanPlan) throws -> [Row] {
        if let deadline = plan.deadline, deadline <= Timestamp.now { throw StoreError.deadlineExceeded(seconds: 0) }
        var selected: [Row] = []
        for (index, visible) in visibleRows(plan.signal, plan.range) {
            let batch = contents.commits[index].batch
            let positions = contents.commits[index].positions
            var rows = visible
            if let after = plan.position { rows = rows.filter { after.precedes(positions[$0], in: plan.order) } }
            if let streams = plan.streams { rows = rows.filter { streams.contains(positions[$0].stream) } }
            if let range = plan.streamRange { rows = rows.filter { range.contains(positions[$0].stream) } }
            if let ids = plan.traceIDs {
                if case .traceIDs(let values) = batch[.traceID] { rows = rows.filter { ids.contains(values[$0]) } } else { rows = [] }
            }
            if !plan.streamMatchers.isEmpty {
                var matches: [UInt32: Bool] = [:]
                rows = try rows.filter { row in
                    let stream = batch.streamIndexes[row]
                    if let known = matches[stream] { return known }
                    let descriptor = try batch.streams.decoded(Int(stream))
                    let isMatch = plan.streamMatchers.allSatisfy { $0.matches(descriptor) }
                    matches[stream] = isMatch
                    return isMatch
                }
            }
            rows = try ReferencePredicate.rows(passing: plan.predicate, of: batch, among: rows)
            selected += rows.map { Row(commit: index, row: $0, position: positions[$0]) }
        }
        selected.sort { $0.position.precedes($1.position, in: plan.order) }
        if let limit = plan.limit { selected = Array(selected.prefix(limit)) }
        return selected
    }

    func aggregate(_ plan: ScanPlan, by aggregation: Aggregation) async throws(StoreError) -> AggregateTable {
        try aggregation.validate()
        var plan = plan
        plan.projection = .everything
        do {
            return try ReferenceAggregation.table(try rows(of: plan), by: aggregation, signal: plan.signal)
        } catch let error as StoreError {
            throw error
        } catch {
            throw .unsupported("\(error)")
        }
    }

    func partitions(of plan: ScanPlan, count: Int) async throws(StoreError) -> [ScanPlan] {
        guard plan.limit == nil, count > 1 else { return [plan] }
        let positions: [ScanPosition]
        do {
            positions = try selectedRows(of: plan).map(\.position)
        } catch let error as StoreError {
            throw error
        } catch {
            throw .unsupported("\(error)")
        }
        guard plan.signal.isMetric else {
            return plan.cut(atTimes: cuts(positions.map(\.time), count))
        }
        return plan.cut(atStreams: cuts(positions.map(\.stream), count))
    }

    /// Values that begin the second and later of about equal parts.
    private func cuts<Value: Comparable & Hashable>(_ values: [Value], _ count: Int) -> [Value] {
        let sorted = Set(values).sorted()
        return Set((1..<count).map { $0 * sorted.count / count }.filter { $0 > 0 }).sorted().map { sorted[$0] }
    }

    private func project(_ batch: ColumnBatch, _ projection: Projection) -> ColumnBatch {
        var batch = batch
        for id in batch.signal.columns where !projection.columns.contains(id) { batch[id] = .absent }
        switch projection.attributes {
        case .all: break
        case .none: batch.attributes = nil
        case .keys(let keys):
            if let table = batch.attributes {
                var projected = AttributeTable()
                for row in 0..<batch.count { projected.appendRow(table.attributes(of: row).filter { keys.contains($0.key) }) }
                batch.attributes = projected
            }
        }
        return batch
    }

    private func descriptors(_ signal: Signal, _ matchers: [StreamMatcher], _ range: TimeRange) throws(StoreError) -> [StreamInformation] {
        do {
            var found: [StreamID: StreamDescriptor] = [:]
            var seen: Set<StreamID> = []
            for (index, rows) in visibleRows(signal, range) {
                let commit = contents.commits[index]
                for row in rows where seen.insert(commit.positions[row].stream).inserted {
                    let descriptor = try commit.batch.streams.decoded(Int(commit.batch.streamIndexes[row]))
                    if matchers.allSatisfy({ $0.matches(descriptor) }) { found[commit.positions[row].stream] = descriptor }
                }
            }
            return found.map { StreamInformation(id: $0.key, descriptor: $0.value) }.sorted { $0.id < $1.id }
        } catch {
            throw .unsupported("\(error)")
        }
    }

    func streamIDs(
        _ signal: Signal, matching matchers: [StreamMatcher], in range: TimeRange, limit: Int
    ) async throws(StoreError) -> [StreamID] {
        try descriptors(signal, matchers, range).prefix(limit).map(\.id)
    }

    func streamList(of ids: [StreamID]) async throws(StoreError) -> StreamList {
        var known: [StreamID: [UInt8]] = [:]
        for commit in contents.commits {
            for (row, position) in commit.positions.enumerated() {
                known[position.stream] = commit.batch.streams.descriptors[Int(commit.batch.streamIndexes[row])]
            }
        }
        var descriptors = ByteColumn()
        let found = ids.filter { known[$0] != nil }
        for id in found { descriptors.append(known[id] ?? []) }
        return StreamList(ids: found, descriptors: descriptors)
    }

    func labelNames(_ signal: Signal, matching matchers: [StreamMatcher], in range: TimeRange) async throws(StoreError) -> [String] {
        sorted(Set(try descriptors(signal, matchers, range).flatMap(\.descriptor.names)))
    }

    func labelValues(
        _ name: String, _ signal: Signal, matching matchers: [StreamMatcher], in range: TimeRange
    ) async throws(StoreError) -> [String] {
        sorted(Set(try descriptors(signal, matchers, range).compactMap { $0.descriptor.text(of: name) }.filter { !$0.isEmpty }))
    }

    private func sorted(_ texts: Set<String>) -> [String] { texts.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) } }

    func families() async throws(StoreError) -> [MetricFamily] {
        contents.families.values.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    func traces(_ ids: [TraceID], hint: TimeRange?) async throws(StoreError) -> ColumnBatch {
        try await spans(ScanPlan(signal: .spans, traceIDs: Set(ids)))
    }

    private func spans(_ plan: ScanPlan) async throws(StoreError) -> ColumnBatch {
        let cursor = try scan(plan)
        var whole = ColumnBatch(signal: .spans)
        while let batch = try await cursor.next() {
            for row in 0..<batch.count { whole.appendRow(row, of: batch) }
        }
        return whole
    }

    func summaries(_ query: TraceSummaryQuery) async throws(StoreError) -> [TraceSummary] {
        do {
            return try summaries(of: query)
        } catch let error as StoreError {
            throw error
        } catch {
            throw .unsupported("\(error)")
        }
    }

    private func summaries(of query: TraceSummaryQuery) throws -> [TraceSummary] {
        let batches = contents.commits.map { SpanBatch($0.batch) }
        let passing = try selectedRows(
            of: ScanPlan(
                signal: .spans, range: query.range, streamMatchers: query.streamMatchers + query.visibleStreams, predicate: query.predicate,
                deadline: query.deadline))
        var ids = Set(passing.compactMap { batches[$0.commit]?.traceIDs[$0.row] })
        ids.remove(.zero)
        // All traces' spans at once, in the order of time.
        var spans: [TraceID: [(batch: SpanBatch, row: Int)]] = [:]
        for row in try selectedRows(of: ScanPlan(signal: .spans, streamMatchers: query.visibleStreams, traceIDs: ids)) {
            guard let batch = batches[row.commit] else { continue }
            spans[batch.traceIDs[row.row], default: []].append((batch, row.row))
        }
        var summaries: [TraceSummary] = []
        for (id, spans) in spans {
            let summary = summary(of: id, spans)
            if let minimum = query.minimumDuration, summary.duration < minimum { continue }
            if let maximum = query.maximumDuration, summary.duration > maximum { continue }
            if let after = query.after, (summary.start, summary.traceID) >= (after.start, after.traceID) { continue }
            summaries.append(summary)
        }
        summaries.sort { ($0.start, $0.traceID) > ($1.start, $1.traceID) }
        return Array(summaries.prefix(query.limit))
    }

    private func summary(of id: TraceID, _ rows: [(batch: SpanBatch, row: Int)]) -> TraceSummary {
        var summary = TraceSummary(traceID: id)
        var services: Set<String> = []
        var hasRoot = false
        // The spans come in the order of time, so the first root is the earliest.
        for (spans, row) in rows {
            var service = ""
            do {
                if case .scope(let resource, _) = try spans.streams.decoded(Int(spans.streamIndexes[row])) { service = resource.serviceName }
            } catch {
                // A stream without a readable descriptor has no service.
            }
            summary.start = min(summary.start, spans.startTimes[row])
            summary.end = max(summary.end, spans.startTimes[row].addingSaturating(spans.durations[row]))
            summary.spanCount += 1
            if spans.statusCodes[row] == 2 { summary.errorCount += 1 }
            if spans.parentSpanIDs[row] == 0, !hasRoot {
                hasRoot = true
                summary.rootService = service
                summary.rootName = spans.names.string(at: row)
            }
            if !service.isEmpty { services.insert(service) }
        }
        summary.services = Array(sorted(services).prefix(32))
        return summary
    }
}

/// Hands out batches that were made beforehand.
private final class ReferenceCursor: ScanCursor {
    private struct Progress {
        var remaining: [ColumnBatch]
        var position: ScanPosition?
    }

    private let progress: Mutex<Progress>

    init(plan: ScanPlan, batches: [ColumnBatch]) {
        progress = Mutex(Progress(remaining: batches.reversed(), position: plan.position))
    }

    func next() async throws(StoreError) -> ColumnBatch? {
        progress.withLock { progress in
            guard let batch = progress.remaining.popLast() else { return nil }
            let last = batch.count - 1
            progress.position = ScanPosition(
                time: batch.times[last], stream: batch.streams.id(Int(batch.streamIndexes[last])) ?? StreamID(high: 0, low: 0),
                ord: batch.ords.isEmpty ? 0 : batch.ords[last])
            return batch
        }
    }

    var position: ScanPosition? { progress.withLock { $0.position } }
}
