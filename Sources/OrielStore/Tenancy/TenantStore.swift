public import OrielTelemetry

/// A store as one tenant sees it: what it appends is the tenant's, and what it reads is the tenant's only.
///
/// Whoever serves a tenant holds this in place of the store, so that no route has a condition of its own to forget. Only the type, unit and help text of metrics are
/// shared: a store keeps them once per name. A tenant sees those of the names that it has series of.
public struct TenantStore: TelemetryStore {
    private let base: any TelemetryStore
    private let tenant: String

    /// - Parameter tenant: a name without what could be spelled in two ways, such as ``Tenancy/isValid(_:)`` accepts.
    public init(_ base: any TelemetryStore, tenant: String) {
        self.base = base
        self.tenant = tenant
    }

    public func append(_ writeSet: WriteSet) async throws(StoreError) -> Receipt {
        var stamped = writeSet
        for index in stamped.batches.indices {
            let batch = stamped.batches[index]
            (stamped.batches[index].streams, stamped.batches[index].streamIndexes) = try stamp(batch.streams, batch.streamIndexes, batch.signal)
        }
        let deltas = stamped.deltas
        (stamped.deltas.samples.streams, stamped.deltas.samples.streamIndexes) =
            try stamp(deltas.samples.streams, deltas.samples.streamIndexes, .samples)
        (stamped.deltas.histograms.streams, stamped.deltas.histograms.streamIndexes) =
            try stamp(deltas.histograms.streams, deltas.histograms.streamIndexes, .histograms)
        if let key = stamped.requestKey {
            // The same bytes from another tenant are another request.
            let name = ByteHash.hash(Array(tenant.utf8).span)
            stamped.requestKey = RequestKey(high: key.high &+ name, low: key.low ^ name)
        }
        return try await base.append(stamped)
    }

    /// Two streams that differ only in what they said about their tenant become one.
    private func stamp(_ streams: StreamTable, _ indexes: [UInt32], _ signal: Signal) throws(StoreError) -> (StreamTable, [UInt32]) {
        var stamped = StreamTable()
        var moved: [UInt32] = []
        moved.reserveCapacity(streams.count)
        for index in 0..<streams.count {
            let descriptor: StreamDescriptor
            do {
                descriptor = try streams.decoded(index)
            } catch {
                throw .malformedBatch(signal: signal)
            }
            moved.append(UInt32(stamped.intern(Tenancy.stamp(descriptor, tenant: tenant))))
        }
        var result = indexes
        for row in result.indices {
            guard Int(result[row]) < moved.count else { throw .malformedBatch(signal: signal) }
            result[row] = moved[Int(result[row])]
        }
        return (stamped, result)
    }

    public func snapshot() throws(StoreError) -> any StoreSnapshot {
        TenantSnapshot(base: try base.snapshot(), tenant: tenant)
    }

    public func changes(after position: ChangePosition?, signal: Signal, deadline: Timestamp) async throws(StoreError) -> Changes {
        var changes = try await base.changes(after: position, signal: signal, deadline: deadline)
        while true {
            changes.batches = changes.batches.compactMap { batch in
                let own = batch.rows(of: tenant)
                return own.count > 0 ? own : nil
            }
            // Other tenants' commits are no reason to wake; the start of a tail is.
            if position == nil || !changes.batches.isEmpty || changes.hasGap || Timestamp.now >= deadline || Task.isCancelled { return changes }
            changes = try await base.changes(after: changes.position, signal: signal, deadline: deadline)
        }
    }

    public func retain(_ signal: Signal, from floor: Timestamp) async throws(StoreError) { throw .unsupported("a tenant does not set retention") }

    /// Signals whose streams say their tenant in different ways cannot be deleted by one deletion.
    public func delete(_ deletion: Deletion) async throws(StoreError) -> DeletionStatus {
        let own = Set(deletion.signals.map { Tenancy.matcher($0, tenant: tenant) })
        guard own.count <= 1 else { throw .unsupported("a tenant's deletion of metrics together with logs or spans") }
        var narrowed = deletion
        narrowed.streamMatchers += own
        return try await base.delete(narrowed)
    }

    public func deletions() async throws(StoreError) -> [DeletionStatus] {
        try await base.deletions().filter { status in
            status.deletion.signals.allSatisfy { status.deletion.streamMatchers.contains(Tenancy.matcher($0, tenant: tenant)) }
        }
    }

    public var capabilities: StoreCapabilities { base.capabilities }

    /// Signals whose streams say their tenant in different ways cannot be kept by one pin.
    public func pin(_ selection: PinSelection, note: String) async throws(StoreError) -> Pin {
        let own = Set(selection.signals.map { Tenancy.matcher($0, tenant: tenant) })
        guard own.count <= 1 else { throw .unsupported("a tenant's pin of metrics together with logs or spans") }
        var narrowed = selection
        narrowed.streamMatchers += own
        return try await base.pin(narrowed, note: note)
    }

    public func unpin(_ id: UInt64) async throws(StoreError) -> Bool {
        guard try await pins().contains(where: { $0.id == id }) else { return false }
        return try await base.unpin(id)
    }

    public func pins() async throws(StoreError) -> [Pin] {
        try await base.pins().filter { pin in
            pin.selection.signals.allSatisfy { pin.selection.streamMatchers.contains(Tenancy.matcher($0, tenant: tenant)) }
        }
    }

    public func flush() async throws(StoreError) { throw .unsupported("a tenant does not flush") }
    public func close() async throws(StoreError) { throw .unsupported("a tenant does not close the store") }

    /// Nothing: counts are of all tenants together.
    public var statistics: StoreStatistics { StoreStatistics() }
}

/// A moment of a store as one tenant sees it.
private struct TenantSnapshot: StoreSnapshot {
    let base: any StoreSnapshot
    let tenant: String

    var sequence: CommitSequence { base.sequence }

    private func adding(_ matchers: [StreamMatcher], _ signal: Signal) -> [StreamMatcher] {
        matchers + [Tenancy.matcher(signal, tenant: tenant)]
    }

    private func narrowed(_ plan: ScanPlan) -> ScanPlan {
        var plan = plan
        plan.streamMatchers = adding(plan.streamMatchers, plan.signal)
        return plan
    }

    func scan(_ plan: ScanPlan) throws(StoreError) -> any ScanCursor {
        try base.scan(narrowed(plan))
    }

    func aggregate(_ plan: ScanPlan, by aggregation: Aggregation) async throws(StoreError) -> AggregateTable {
        try await base.aggregate(narrowed(plan), by: aggregation)
    }

    func partitions(of plan: ScanPlan, count: Int) async throws(StoreError) -> [ScanPlan] {
        try await base.partitions(of: narrowed(plan), count: count)
    }

    func streamIDs(_ signal: Signal, matching matchers: [StreamMatcher], in range: TimeRange, limit: Int) async throws(StoreError) -> [StreamID] {
        try await base.streamIDs(signal, matching: adding(matchers, signal), in: range, limit: limit)
    }

    func streamList(of ids: [StreamID]) async throws(StoreError) -> StreamList {
        try await base.streamList(of: ids)
    }

    func labelNames(_ signal: Signal, matching matchers: [StreamMatcher], in range: TimeRange) async throws(StoreError) -> [String] {
        try await base.labelNames(signal, matching: adding(matchers, signal), in: range)
    }

    func labelValues(_ name: String, _ signal: Signal, matching matchers: [StreamMatcher], in range: TimeRange) async throws(StoreError) -> [String] {
        try await base.labelValues(name, signal, matching: adding(matchers, signal), in: range)
    }

    func families() async throws(StoreError) -> [MetricFamily] {
        var names: Set<String> = []
        for signal in [Signal.samples, .histograms] {
            names.formUnion(try await labelValues(Label.metricName, signal, matching: [], in: .all))
        }
        return try await base.families().filter { family in
            names.contains(family.name) || Self.suffixes.contains { names.contains(family.name + $0) }
        }
    }

    /// What the names of series have behind the name of their family.
    private static let suffixes = ["_bucket", "_sum", "_count", "_gsum", "_gcount", "_total", "_info", "_created"]

    func traces(_ ids: [TraceID], hint: TimeRange?) async throws(StoreError) -> ColumnBatch {
        // Tenants may share a trace; each sees its own spans.
        try await base.traces(ids, hint: hint).rows(of: tenant)
    }

    func summaries(_ query: TraceSummaryQuery) async throws(StoreError) -> [TraceSummary] {
        var query = query
        query.visibleStreams = adding(query.visibleStreams, .spans)
        return try await base.summaries(query)
    }
}

extension ColumnBatch {
    /// The rows of a tenant's streams. The streams of others are in the result's table no more.
    fileprivate func rows(of tenant: String) -> ColumnBatch {
        let matcher = Tenancy.matcher(signal, tenant: tenant)
        let isOwn = (0..<streams.count).map { index in
            do {
                return matcher.matches(try streams.decoded(index))
            } catch {
                // A descriptor that cannot be read is nobody's.
                return false
            }
        }
        if isOwn.allSatisfy({ $0 }) { return self }
        var own = ColumnBatch(signal: signal)
        for row in 0..<count where isOwn[Int(streamIndexes[row])] { own.appendRow(row, of: self) }
        return own
    }
}
