import OrielStore
import OrielTelemetry
import Synchronization

/// A scan in progress. Each ``next()`` runs on a thread of the pool; between calls no thread is held.
final class EngineCursor: ScanCursor {
    private struct Progress {
        var merge: ScanMerge?
        var position: ScanPosition?
        var failure: StoreError?
    }

    private let plan: ScanPlan
    private let state: PublishedState
    private let registry: StreamRegistry
    private let workers: ScanWorkers
    private let budget: QueryBudget
    private let progress: Mutex<Progress>

    init(plan: ScanPlan, state: PublishedState, registry: StreamRegistry, workers: ScanWorkers, budget: QueryBudget) {
        self.plan = plan
        self.state = state
        self.registry = registry
        self.workers = workers
        self.budget = budget
        progress = Mutex(Progress(merge: nil, position: plan.position, failure: nil))
    }

    func next() async throws(StoreError) -> ColumnBatch? {
        try await workers.run(budget) { [self] () throws(StoreError) -> ColumnBatch? in try advance() }
    }

    var position: ScanPosition? { progress.withLock { $0.position } }

    private func advance() throws(StoreError) -> ColumnBatch? {
        let result: Result<ColumnBatch?, StoreError> = progress.withLock { progress in
            if let failure = progress.failure { return .failure(failure) }
            do throws(StoreError) {
                if progress.merge == nil {
                    progress.merge = try ScanMerge(plan: plan, state: state, registry: registry, budget: budget, workers: workers)
                }
                let batch = try progress.merge?.nextBatch()
                progress.position = progress.merge?.position
                return .success(batch)
            } catch {
                progress.merge?.close()
                progress.failure = error
                return .failure(error)
            }
        }
        return try result.get().map { registry.resolve($0, withDescriptors: plan.projection.describesStreams) }
    }
}
