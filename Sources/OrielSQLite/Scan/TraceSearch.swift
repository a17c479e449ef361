import OrielStore
import OrielTelemetry

/// Builds the list of traces that a query asks for.
///
/// Blocks are searched newest first, some at a time. A trace that was not met yet has all its passing spans in blocks that were not searched, so it began no later
/// than the last row of these: once the list is full of traces that began later, it is final.
///
/// A trace whose rows all lie in one container that knows its times is judged by them, and shown by its ready-made summary if there is one. All others are summed up from
/// their spans, wherever they lie, the newest first and only as long as they can still come onto the list.
struct TraceSearch: Sendable {
    /// A place on the list.
    private struct Entry {
        var start: Int64
        var traceID: TraceID
        var content: Content
    }

    private enum Content {
        case summary(TraceSummary)
        /// The trace of a container that has all its rows, and its ordinal there.
        case whole(any BlockContainer, UInt32)
    }

    /// A container as long as it has sources that were not searched.
    private struct OpenContainer {
        var timed: TimedContainer?
        /// By ordinal.
        var isMet: [Bool]
        var sourceCount: Int
        var byteCount: Int
    }

    private struct Progress {
        /// The ids of the traces that have rows in chunks, sorted.
        var chunkTraces: [TraceID] = []
        /// The next one last.
        var sources: [TraceSource] = []
        /// By number.
        var containers: [Int: OpenContainer] = [:]
        /// Best first.
        var list: [Entry] = []
        /// In no order unless `isSorted`; then the newest last.
        var unknown: [TraceCandidates.Unknown] = []
        var isSorted = true
        /// Traces that were summed up from their spans.
        var summedUp: Set<TraceID> = []
        /// How many sources are searched at once.
        var width = 2
    }

    private static let maximumWidth = 16
    /// Traces that are summed up at once.
    private static let groupCount = 256

    private let query: TraceSummaryQuery
    private let state: PublishedState
    private let registry: StreamRegistry
    private let budget: QueryBudget
    private let deletions: DeletionFilter

    init(_ query: TraceSummaryQuery, state: PublishedState, registry: StreamRegistry, budget: QueryBudget) {
        self.query = query
        self.state = state
        self.registry = registry
        self.budget = budget
        deletions = DeletionFilter(state.tombstones, signal: .spans, registry: registry)
    }

    /// The list, newest first. To be called on a thread of the pool.
    func result(_ workers: ScanWorkers) throws(StoreError) -> [TraceSummary] {
        var progress = Progress()
        try begin(&progress)
        while true {
            let sources = try choose(&progress)
            if sources.isEmpty { break }
            let found = workers.all(sources) { source in
                Result { () throws(StoreError) -> TraceCandidates in try source.candidates() }
            }
            for (source, candidates) in zip(sources, found) { try take(try candidates.get(), of: source, &progress) }
        }
        return try summaries(of: progress.list)
    }

    private func summaries(of list: [Entry]) throws(StoreError) -> [TraceSummary] {
        var summaries: [TraceID: TraceSummary] = [:]
        var wholes: [Int: (container: any BlockContainer, ordinals: [UInt32], ids: [TraceID])] = [:]
        for entry in list {
            switch entry.content {
            case .summary(let summary): summaries[entry.traceID] = summary
            case .whole(let container, let ordinal):
                wholes[container.number, default: (container, [], [])].ordinals.append(ordinal)
                wholes[container.number]?.ids.append(entry.traceID)
            }
        }
        var others: Set<TraceID> = []
        for (container, ordinals, ids) in wholes.values {
            var found: [TraceSummary]?
            do throws(StoreError) {
                found = try container.traceSummaries(ordinals)
            } catch  where error.isDamage {
                // Noted; the spans may be whole.
            }
            if let found {
                for summary in found { summaries[summary.traceID] = summary }
            } else {
                others.formUnion(ids)
            }
        }
        if !others.isEmpty {
            for summary in try sumUp(others) { summaries[summary.traceID] = summary }
        }
        return list.compactMap { summaries[$0.traceID] }
    }

    // MARK: Sources

    private func begin(_ progress: inout Progress) throws(StoreError) {
        let plan = ScanPlan(
            signal: .spans, range: query.range, streamMatchers: query.streamMatchers + query.visibleStreams, predicate: query.predicate,
            projection: Projection(columns: [.traceID], attributes: .none), order: .timeDescending)
        var context = ScanContext(plan: plan, floor: state[.spans].floor, tombstones: state.tombstones, budget: budget, registry: registry)
        for source in try ScanSource.find(in: state[.spans], behind: nil, &context) {
            var maximum = Int64.min
            switch source.rows {
            case .block(let container, let header, _):
                maximum = min(header.maximumTime, source.bounds.upperBound)
                // What a pin's file knows of a trace may lie above the floor too, where others answer: such traces are summed up.
                if source.bounds == context.pinnedBounds { break }
                progress.containers[container.number, default: OpenContainer(timed: nil, isMet: [], sourceCount: 0, byteCount: 0)].sourceCount += 1
            case .chunks(let chunks):
                maximum = chunks.map(\.maximumTime).max() ?? .min
            }
            progress.sources.append(TraceSource(rows: source.rows, bounds: source.bounds, maximumTime: maximum, query: query, context: context))
        }
        progress.sources.sort { $0.maximumTime < $1.maximumTime }
        var ids: Set<TraceID> = []
        for chunk in state[.spans].chunks {
            if case .traceIDs(let values) = chunk.batch[.traceID] { ids.formUnion(values) }
        }
        progress.chunkTraces = ids.sorted()
    }

    private func choose(_ progress: inout Progress) throws(StoreError) -> [TraceSource] {
        while true {
            try budget.check()
            let nextSource = progress.sources.last?.maximumTime
            let nextUnknown = newestUnknown(&progress)
            guard let reached = [nextSource, nextUnknown].compactMap({ $0 }).max() else { return [] }
            if let worst = worst(progress), worst.start > reached { return [] }
            if nextSource != reached {
                try sumUpNewest(&progress, after: nextSource)
                continue
            }
            var chosen: [TraceSource] = []
            while chosen.count < progress.width, var source = progress.sources.popLast() {
                if case .block(let container, _, _) = source.rows { source.timed = try timed(container, &progress) }
                source.start = worst(progress)?.start ?? .min
                // Which traces are the newest is probably known when a few rows are.
                source.newestCount = source.start == .min && source.end == .max ? max(512, 8 * min(query.limit, 1 << 20)) : nil
                chosen.append(source)
            }
            progress.width = min(progress.width * 2, Self.maximumWidth)
            return chosen
        }
    }

    /// The times of a container's traces, when it knows them; read at its first source.
    private func timed(_ container: any BlockContainer, _ progress: inout Progress) throws(StoreError) -> TimedContainer? {
        // What is known of whole traces counts spans that the query must not see.
        guard query.visibleStreams.isEmpty, var open = progress.containers[container.number] else { return nil }
        if open.isMet.isEmpty {
            do throws(StoreError) {
                // What a container knows of its traces counts spans that are deleted.
                if !deletions.touches(container), let times = try container.traceTimes() {
                    let count = times.starts.count
                    try budget.reserve(count * 18)
                    open.byteCount = count * 18
                    let isShared = try shared(container, count, progress.chunkTraces)
                    open.timed = TimedContainer(container: container, times: times, isShared: isShared, floor: state[.spans].floor.nanoseconds, query: query)
                    open.isMet = Array(repeating: false, count: max(1, count))
                }
            } catch  where error.isDamage {
                // Noted; the traces are summed up from their spans.
                budget.release(open.byteCount)
                open = OpenContainer(timed: nil, isMet: [], sourceCount: open.sourceCount, byteCount: 0)
            }
        }
        progress.containers[container.number] = open
        return open.timed
    }

    /// For each trace of a container whether it has rows elsewhere too, if the query refuses traces for what such rows could change.
    private func shared(_ container: any BlockContainer, _ count: Int, _ chunkTraces: [TraceID]) throws(StoreError) -> [Bool]? {
        guard query.minimumDuration != nil || query.after != nil else { return nil }
        var isShared = [Bool](repeating: false, count: count)
        for ordinal in try container.traces(sharedWith: state[.spans].containers, budget) { isShared[Int(ordinal)] = true }
        try container.findTraces(chunkTraces) { _, ordinal in isShared[Int(ordinal)] = true }
        return isShared
    }

    // MARK: Candidates

    private func take(_ candidates: TraceCandidates, of source: TraceSource, _ progress: inout Progress) throws(StoreError) {
        let unknown = candidates.unknown.filter { !progress.summedUp.contains($0.traceID) }
        try add(unknown, &progress)
        if let time = candidates.searchedFrom {
            let rest = source.rest(before: time)
            let place = progress.sources.firstIndex { $0.maximumTime > rest.maximumTime } ?? progress.sources.count
            progress.sources.insert(rest, at: place)
        }
        guard let number = candidates.container, var open = progress.containers.removeValue(forKey: number), let timed = open.timed else { return }
        var new: [UInt32] = []
        for ordinal in candidates.listed where !open.isMet[Int(ordinal)] {
            open.isMet[Int(ordinal)] = true
            new.append(ordinal)
        }
        if candidates.searchedFrom == nil { open.sourceCount -= 1 }
        if open.sourceCount > 0 { progress.containers[number] = open } else { budget.release(open.byteCount) }
        try list(new, timed, &progress)
    }

    private func add(_ unknown: [TraceCandidates.Unknown], _ progress: inout Progress) throws(StoreError) {
        guard !unknown.isEmpty else { return }
        try budget.reserve(unknown.count * MemoryLayout<TraceCandidates.Unknown>.stride)
        progress.unknown += unknown
        progress.isSorted = false
    }

    /// Puts the best of some traces of a container onto the list.
    private func list(_ ordinals: [UInt32], _ timed: TimedContainer, _ progress: inout Progress) throws(StoreError) {
        let starts = timed.times.starts
        let least = worst(progress)?.start ?? .min
        // Ids ascend with their ordinals.
        let best = ordinals.filter { starts[Int($0)] >= least }.sorted { (starts[Int($0)], $0) > (starts[Int($1)], $1) }
        var start = 0
        while start < best.count {
            if let worst = worst(progress), starts[Int(best[start])] < worst.start { return }
            let group = Array(best[start..<min(start + max(query.limit, 16), best.count)])
            let ids = try timed.container.traceIDs(group)
            let elsewhere = timed.isShared == nil ? try tracesElsewhere(ids.sorted(), than: timed.container, progress.chunkTraces) : []
            try add(zip(group, ids).filter { elsewhere.contains($1) }.map { .init(time: starts[Int($0)], traceID: $1) }, &progress)
            for (ordinal, id) in zip(group, ids) where !elsewhere.contains(id) {
                insert(Entry(start: starts[Int(ordinal)], traceID: id, content: .whole(timed.container, ordinal)), &progress)
            }
            start += group.count
        }
    }

    /// Those of some traces of a container that have rows elsewhere too.
    private func tracesElsewhere(_ ids: [TraceID], than own: any BlockContainer, _ chunkTraces: [TraceID]) throws(StoreError) -> Set<TraceID> {
        var found: Set<TraceID> = []
        for container in state[.spans].containers where container.number != own.number {
            do throws(StoreError) {
                try container.findTraces(ids) { index, _ in found.insert(ids[index]) }
            } catch  where error.isDamage {
                // Noted; rows of these traces are not found either.
            }
        }
        TraceOrdinals.findCommon(ids, ids.indices, chunkTraces) { index, _ in found.insert(ids[index]) }
        return found
    }

    // MARK: The list

    /// The last place of a full list.
    private func worst(_ progress: borrowing Progress) -> Entry? {
        progress.list.count == query.limit ? progress.list.last : nil
    }

    private func insert(_ entry: Entry, _ progress: inout Progress) {
        if let after = query.after, (entry.start, entry.traceID) >= (after.start, after.traceID) { return }
        var low = 0
        var high = progress.list.count
        while low < high {
            let middle = (low + high) / 2
            let other = progress.list[middle]
            if (other.start, other.traceID) > (entry.start, entry.traceID) { low = middle + 1 } else { high = middle }
        }
        guard low < query.limit else { return }
        progress.list.insert(entry, at: low)
        if progress.list.count > query.limit { progress.list.removeLast() }
    }

    // MARK: Traces that are summed up

    private func newestUnknown(_ progress: inout Progress) -> Int64? {
        if !progress.isSorted {
            progress.unknown.sort { $0.time < $1.time }
            progress.isSorted = true
        }
        return progress.unknown.last?.time
    }

    /// Sums up the newest of the traces that no container tells about.
    ///
    /// - Parameter time: only those whose spans may be later than this.
    private func sumUpNewest(_ progress: inout Progress, after time: Int64?) throws(StoreError) {
        var ids: Set<TraceID> = []
        while ids.count < Self.groupCount, let last = progress.unknown.last, time.map({ last.time > $0 }) ?? true {
            progress.unknown.removeLast()
            budget.release(MemoryLayout<TraceCandidates.Unknown>.stride)
            if progress.summedUp.insert(last.traceID).inserted { ids.insert(last.traceID) }
        }
        try budget.reserve(ids.count * 64)
        guard !ids.isEmpty else { return }
        for summary in try sumUp(ids) {
            if let minimum = query.minimumDuration, summary.duration < minimum { continue }
            if let maximum = query.maximumDuration, summary.duration > maximum { continue }
            insert(Entry(start: summary.start, traceID: summary.traceID, content: .summary(summary)), &progress)
        }
    }

    private func sumUp(_ ids: Set<TraceID>) throws(StoreError) -> [TraceSummary] {
        let plan = ScanPlan(
            signal: .spans, streamMatchers: query.visibleStreams, traceIDs: ids, projection: TraceSummaryBuilder.projection)
        var merge = try ScanMerge(plan: plan, state: state, registry: registry, budget: budget)
        var builder = TraceSummaryBuilder()
        var services: [StreamReference: String] = [:]
        while let batch = try merge.nextBatch() {
            builder.add(batch) { reference in
                if let service = services[reference] { return service }
                var service = ""
                if case .scope(let resource, _) = registry.decodedDescriptor(of: reference) { service = resource.serviceName }
                services[reference] = service
                return service
            }
        }
        return builder.summaries
    }
}
