import OrielStore
import OrielTelemetry
import Synchronization

/// The contents of a ``ReferenceStore`` at one moment.
struct ReferenceSnapshot: StoreSnapshot {
    let contents: ReferenceStore.Contents

    var sequence: CommitSequence { contents.sequence }

    /// A row of a commit.
    private struct Row {
        var commit: ReferenceStore.Commit
        var row: Int
        let position: ScanPosition

        init(commit: ReferenceStore.Commit, row: Int) {
            self.commit = commit
            self.row = row
            position = commit.batch.position(row)
        }
    }

    /// All rows of a signal that are visible in a range: above the floor or held by a pin, of equal samples the last.
    private func visibleRows(_ signal: Signal, _ range: TimeRange) -> [Row] {
        let bounds = range.bounds(for: signal)
        let floor = TimeRange(start: contents.floors[signal] ?? TimeRange.all.start, end: TimeRange.all.end).bounds(for: signal)
        let held = contents.pins.reduce(into: Set<ReferenceStore.HeldRow>()) { $0.formUnion($1.rows[signal] ?? []) }
        var rows: [Row] = []
        var winners: [ScanPosition: Int] = [:]
        for commit in contents.commits where commit.batch.signal == signal {
            for row in 0..<commit.batch.count where bounds.contains(commit.batch.times[row]) {
                let candidate = Row(commit: commit, row: row)
                guard floor.contains(candidate.position.time) || held.contains(.init(sequence: commit.sequence, position: candidate.position)) else { continue }
                if !signal.hasOrds {
                    if let earlier = winners[candidate.position] {
                        rows[earlier] = candidate
                        continue
                    }
                    winners[candidate.position] = rows.count
                }
                rows.append(candidate)
            }
        }
        return rows
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
        // An odd size, so that nobody comes to rely on one.
        return stride(from: 0, to: rows.count, by: 97).map { start in
            var batch = ColumnBatch(signal: plan.signal)
            for row in rows[start..<min(rows.count, start + 97)] { batch.appendRow(row.row, of: row.commit.batch) }
            return project(batch, plan.projection)
        }
    }

    /// The rows of a plan as a pin names them.
    func heldRows(of plan: ScanPlan) throws -> [ReferenceStore.HeldRow] {
        try selectedRows(of: plan).map { ReferenceStore.HeldRow(sequence: $0.commit.sequence, position: $0.position) }
    }

    private func selectedRows(of plan: ScanPlan) throws -> [Row] {
        if let deadline = plan.deadline, deadline <= Timestamp.now { throw StoreError.deadlineExceeded(seconds: 0) }
        var rows = try visibleRows(plan.signal, plan.range).filter { row in
            let batch = row.commit.batch
            let position = row.position
            if let after = plan.position, !after.precedes(position, in: plan.order) { return false }
            if let streams = plan.streams, !streams.contains(position.stream) { return false }
            if let range = plan.streamRange, !range.contains(position.stream) { return false }
            if let ids = plan.traceIDs {
                guard case .traceIDs(let values) = batch[.traceID], ids.contains(values[row.row]) else { return false }
            }
            if !plan.streamMatchers.isEmpty {
                let descriptor = try batch.streams.decoded(Int(batch.streamIndexes[row.row]))
                guard plan.streamMatchers.allSatisfy({ $0.matches(descriptor) }) else { return false }
            }
            return try ReferencePredicate.passes(plan.predicate, row.row, of: batch)
        }
        rows.sort { $0.position.precedes($1.position, in: plan.order) }
        if let limit = plan.limit { rows = Array(rows.prefix(limit)) }
        return rows
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
            for row in visibleRows(signal, range) where found[row.position.stream] == nil {
                let descriptor = try row.commit.batch.streams.decoded(Int(row.commit.batch.streamIndexes[row.row]))
                if matchers.allSatisfy({ $0.matches(descriptor) }) { found[row.position.stream] = descriptor }
            }
            return found.map { StreamInformation(id: $0.key, descriptor: $0.value) }.sorted { $0.id < $1.id }
        } catch {
            throw .unsupported("\(error)")
        }
    }

    func streamList(
        _ signal: Signal, matching matchers: [StreamMatcher], in range: TimeRange, limit: Int
    ) async throws(StoreError) -> StreamList {
        let found = try descriptors(signal, matchers, range).prefix(limit)
        var encoded = ByteColumn()
        for stream in found { encoded.append(stream.descriptor.encoded) }
        return StreamList(ids: found.map(\.id), descriptors: encoded)
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
        let cursor = try scan(
            ScanPlan(
                signal: .spans, range: query.range, streamMatchers: query.streamMatchers + query.visibleStreams, predicate: query.predicate,
                deadline: query.deadline))
        var ids: Set<TraceID> = []
        while let batch = try await cursor.next() {
            if case .traceIDs(let values) = batch[.traceID] { ids.formUnion(values) }
        }
        ids.remove(.zero)
        var summaries: [TraceSummary] = []
        for id in ids {
            guard let spans = SpanBatch(try await spans(ScanPlan(signal: .spans, streamMatchers: query.visibleStreams, traceIDs: [id]))) else { continue }
            let summary = summary(of: id, spans)
            if let minimum = query.minimumDuration, summary.duration < minimum { continue }
            if let maximum = query.maximumDuration, summary.duration > maximum { continue }
            if let after = query.after, (summary.start, summary.traceID) >= (after.start, after.traceID) { continue }
            summaries.append(summary)
        }
        summaries.sort { ($0.start, $0.traceID) > ($1.start, $1.traceID) }
        return Array(summaries.prefix(query.limit))
    }

    private func summary(of id: TraceID, _ spans: SpanBatch) -> TraceSummary {
        var summary = TraceSummary(traceID: id)
        var services: Set<String> = []
        var hasRoot = false
        // The spans come in the order of time, so the first root is the earliest.
        for row in 0..<spans.count {
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
