import OrielStore
import OrielStoreConformance
import OrielTelemetry
import Synchronization

/// A store in memory that keeps what it is given and can be told to refuse or to wait.
final class TestStore: TelemetryStore {
    private let reference = ReferenceStore.Place().openReference()
    private let state = Mutex(State())

    private struct State {
        var failure: StoreError?
        var rejected: [Receipt.Rejection] = []
        var writes: [WriteSet] = []
        var isHeld = false
        var held: [CheckedContinuation<Void, Never>] = []
    }

    /// What the next appends fail with.
    var failure: StoreError? {
        get { state.withLock { $0.failure } }
        set { state.withLock { $0.failure = newValue } }
    }

    /// What the next appends report as refused.
    var rejected: [Receipt.Rejection] {
        get { state.withLock { $0.rejected } }
        set { state.withLock { $0.rejected = newValue } }
    }

    var writes: [WriteSet] { state.withLock { $0.writes } }

    var rowCount: Int { writes.reduce(0) { $0 + $1.rowCount } }

    /// Makes appends wait until ``release()``.
    func hold() { state.withLock { $0.isHeld = true } }

    var heldCount: Int { state.withLock { $0.held.count } }

    func release() {
        let held = state.withLock { state in
            state.isHeld = false
            defer { state.held.removeAll() }
            return state.held
        }
        for continuation in held { continuation.resume() }
    }

    func delete(_ deletion: Deletion) async throws(StoreError) -> DeletionStatus { try await reference.delete(deletion) }

    func deletions() async throws(StoreError) -> [DeletionStatus] { try await reference.deletions() }

    var capabilities: StoreCapabilities { reference.capabilities }

    func pin(_ selection: PinSelection, note: String) async throws(StoreError) -> Pin {
        if let failure { throw failure }
        return try await reference.pin(selection, note: note)
    }

    func unpin(_ id: UInt64) async throws(StoreError) -> Bool { try await reference.unpin(id) }

    func pins() async throws(StoreError) -> [Pin] { try await reference.pins() }

    func append(_ writeSet: WriteSet) async throws(StoreError) -> Receipt {
        await withCheckedContinuation { continuation in
            let waits = state.withLock { state in
                if state.isHeld { state.held.append(continuation) }
                return state.isHeld
            }
            if !waits { continuation.resume() }
        }
        if let failure { throw failure }
        var receipt = try await reference.append(writeSet)
        state.withLock { $0.writes.append(writeSet) }
        receipt.rejected += rejected
        return receipt
    }

    func snapshot() throws(StoreError) -> any StoreSnapshot { try reference.snapshot() }

    func changes(after position: ChangePosition?, signal: Signal, deadline: Timestamp) async throws(StoreError) -> Changes {
        try await reference.changes(after: position, signal: signal, deadline: deadline)
    }

    func retain(_ signal: Signal, from floor: Timestamp) async throws(StoreError) { try await reference.retain(signal, from: floor) }
    func flush() async throws(StoreError) { try await reference.flush() }
    func close() async throws(StoreError) { try await reference.close() }
    var statistics: StoreStatistics { reference.statistics }
}
