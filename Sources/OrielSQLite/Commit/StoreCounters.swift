import OrielStore
import OrielTelemetry
import Synchronization

/// What the store counts about itself.
final class StoreCounters: Sendable {
    struct Values: Sendable {
        var appendedRows: [Signal: Int] = [:]
        var rejectedRows: [Signal: Int] = [:]
        var commits = 0
        var duplicateRequests = 0
        var redoBytes = 0
        /// Of these, redo whose rows are not in a file yet.
        var unflushedRedoBytes = 0
        /// Of each signal what is in chunks.
        var unsealed: [Signal: Unsealed] = [:]
        /// Bytes of rows that are not in a file yet.
        var memoryBytes = 0
        /// Files of the signal with most that wait for a merge, as long as merges can take them.
        var mergeDebt = 0
        var delayedAppends = 0
        var refusedAppends = 0
        var flushes = 0
        var merges = 0
        var mergedBytes = 0
        /// Samples that others of the same stream and time replaced by other values.
        var conflictingRows: [Signal: Int] = [:]
        /// How often streams that were not in use were forgotten.
        var registryExchanges = 0
        var unknownFiles = 0
        var disk: DiskStatistics?
        /// Writes that found no space.
        var fullWrites = 0
        var recovery = RecoveryReport()
        var readOnlyReason: String?
        var isWorking = false
        var maintenanceFailures = 0
        var lastMaintenanceFailure: String?
        var scrubbedBytes = 0
        var lastScrub: Timestamp?

        /// Whether a signal has so many rows that are not sealed that they are to be.
        func isSealDue(_ options: StoreOptions) -> Bool { unsealed.contains { $0.value.isFull($0.key, options) } }
    }

    /// Rows that are not sealed yet.
    struct Unsealed: Sendable {
        var chunks = 0
        var rows = 0
        var bytes = 0

        mutating func add(_ chunk: BuilderChunk) {
            chunks += 1
            rows += chunk.batch.count
            bytes += chunk.byteCount
        }

        mutating func remove(_ chunk: BuilderChunk) {
            chunks -= 1
            rows -= chunk.batch.count
            bytes -= chunk.byteCount
        }

        /// Whether it is time to seal. Many small requests would make each published record long.
        ///
        /// Samples are small and of many series: sealed as often as others, a block would hold only a few of each.
        func isFull(_ signal: Signal, _ options: StoreOptions) -> Bool {
            let isOfSamples = signal == .samples
            return rows >= options.sealRows * (isOfSamples ? 8 : 1) || bytes >= options.sealBytes || chunks >= 2048
        }
    }

    private let values = Mutex(Values())

    func update(_ body: (inout Values) -> Void) {
        values.withLock { body(&$0) }
    }

    /// Counts a step of the maintenance thread that failed.
    func noteMaintenanceFailure(_ error: any Error) {
        update { values in
            values.maintenanceFailures += 1
            values.lastMaintenanceFailure = String("\(error)".prefix(1000))
        }
    }

    /// Counts samples that others replaced by other values.
    func noteConflicts(_ signal: Signal, _ count: Int) {
        guard count > 0 else { return }
        update { $0.conflictingRows[signal, default: 0] += count }
    }

    var current: Values {
        values.withLock { $0 }
    }
}
