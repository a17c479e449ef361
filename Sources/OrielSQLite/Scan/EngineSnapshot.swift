import OrielStore
import OrielTelemetry

/// Where a snapshot learns about metric families, which lie in hot.db and not in segments.
protocol MetricFamilySource: Sendable {
    /// All families, sorted by the bytes of their names.
    func families() throws(StoreError) -> [MetricFamily]
}

/// The published record as callers see it.
struct EngineSnapshot: StoreSnapshot {
    let state: PublishedState
    let registry: StreamRegistry
    let options: StoreOptions
    let workers: ScanWorkers
    let familySource: any MetricFamilySource

    init(
        state: PublishedState, registry: StreamRegistry, options: StoreOptions, workers: ScanWorkers, familySource: any MetricFamilySource
    ) {
        self.state = state
        self.registry = registry
        self.options = options
        self.workers = workers
        self.familySource = familySource
    }

    var sequence: CommitSequence { state.sequence }

    func scan(_ plan: ScanPlan) throws(StoreError) -> any ScanCursor {
        EngineCursor(plan: plan, state: state, registry: registry, workers: workers, budget: budget(deadline: plan.deadline))
    }

    func families() async throws(StoreError) -> [MetricFamily] {
        try await workers.run(budget(deadline: nil)) { () throws(StoreError) -> [MetricFamily] in try familySource.families() }
    }

    func budget(deadline: Timestamp?) -> QueryBudget {
        QueryBudget(memoryLimit: options.queryMemoryBytes, deadline: deadline, shared: workers.memory)
    }
}
