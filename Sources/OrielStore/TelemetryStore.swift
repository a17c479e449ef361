public import OrielTelemetry

/// What every engine promises.
///
/// - ``append(_:)`` returns after the rows are on disk, wholly or not at all.
/// - A ``StoreSnapshot`` shows one moment of all signals; rows are visible when their append returned.
/// - Memory, files and threads are bounded whatever the input.
public protocol TelemetryStore: Sendable {
    /// Stores a request. Returns when it is durable.
    ///
    /// A request whose key was seen within the store's window is not stored again; it gets the first one's receipt.
    /// - Throws: ``StoreError``.
    func append(_ writeSet: WriteSet) async throws(StoreError) -> Receipt

    /// The present moment, immutable.
    func snapshot() throws(StoreError) -> any StoreSnapshot

    /// Rows in commit order after a position, for tails: waits until there are some, until `deadline` passes (an empty batch list), or throws ``StoreError/closed``.
    ///
    /// - Parameter position: where the last call ended; `nil` starts at the present.
    func changes(after position: ChangePosition?, signal: Signal, deadline: Timestamp) async throws(StoreError) -> Changes

    /// Moves the floor of a signal: rows before it are gone, at once for queries and soon on disk. A floor never moves back.
    func retain(_ signal: Signal, from floor: Timestamp) async throws(StoreError)

    /// Deletes rows: at once for queries, and soon on disk.
    ///
    /// - Returns: Where the deletion stands, when it is durable. ``CommitSequence`` of it is its name from then on.
    /// - Throws: ``StoreError/unsupported(_:)`` when too many deletions are under way, and what ``append(_:)`` throws.
    func delete(_ deletion: Deletion) async throws(StoreError) -> DeletionStatus

    /// The deletions that are under way, and the last that are complete, oldest first.
    func deletions() async throws(StoreError) -> [DeletionStatus]

    /// What this engine can do beyond what every engine must; nothing unless it says otherwise.
    var capabilities: StoreCapabilities { get }

    /// Keeps rows from expiring: what the selection finds at this moment is copied, and answers from the copy once the floor has passed it. Rows that are appended
    /// later are not in the pin.
    ///
    /// - Parameter note: why, at most 1000 bytes of UTF-8.
    /// - Returns: The pin, when it is durable.
    /// - Throws: ``StoreError/unsupported(_:)`` when the engine has no pins or they take as much as they may, and what ``append(_:)`` throws.
    func pin(_ selection: PinSelection, note: String) async throws(StoreError) -> Pin

    /// Gives a pin up: its rows below the floor that no other pin holds are gone, at once for queries and soon on disk.
    ///
    /// - Returns: Whether there was such a pin.
    func unpin(_ id: UInt64) async throws(StoreError) -> Bool

    /// All pins, oldest first.
    func pins() async throws(StoreError) -> [Pin]

    /// Writes everything to segment files and waits until merges are quiescent; for tests, benchmarks and a clean stop.
    func flush() async throws(StoreError)

    /// Flushes and releases the folder. Later calls throw ``StoreError/closed``.
    func close() async throws(StoreError)

    /// Counts and sizes at this moment.
    var statistics: StoreStatistics { get }
}

/// How far a reader of ``TelemetryStore/changes(after:signal:deadline:)`` has come.
public struct ChangePosition: Hashable, Sendable {
    public var sequence: CommitSequence

    public init(sequence: CommitSequence) {
        self.sequence = sequence
    }
}

/// Rows that were committed after a position.
public struct Changes: Sendable {
    /// In commit order.
    public var batches: [ColumnBatch]
    /// Where to go on.
    public var position: ChangePosition
    /// Whether rows between the asked position and the first of these are no longer known in commit order: a tail missed some.
    public var hasGap: Bool

    public init(batches: [ColumnBatch], position: ChangePosition, hasGap: Bool) {
        self.batches = batches
        self.position = position
        self.hasGap = hasGap
    }
}

/// Counts and sizes that a store publishes about itself. Counters start at 0 with the process.
public struct StoreStatistics: Sendable {
    /// Of one signal.
    public struct SignalStatistics: Sendable {
        public var appendedRows = 0
        public var rejectedRows = 0
        /// Rows in files and in memory.
        public var rows = 0
        public var segments = 0
        public var segmentBytes = 0
        /// Rows that are only in memory and in the redo log.
        public var unflushedRows = 0
        /// Samples that another one of the same stream and time with another value replaced, when rows were sealed or merged.
        public var conflictingRows = 0
        public var floor = Timestamp(nanoseconds: .min)

        public init() {}
    }

    public var signals: [Signal: SignalStatistics] = [:]
    public var commits = 0
    public var duplicateRequests = 0
    public var streams = 0
    public var redoBytes = 0
    /// Bytes of rows that are in memory only, and in the redo log.
    public var memoryBytes = 0
    /// Appends that waited for room, and of these those that were refused as overloaded.
    public var delayedAppends = 0
    public var refusedAppends = 0
    /// Files of the signal with most that wait for a merge.
    public var mergeDebt = 0
    public var flushes = 0
    public var merges = 0
    public var mergedBytes = 0
    /// Files that are known to be damaged, wholly or in part. Queries answer with the rest of them; they are not merged.
    public var quarantinedFiles = 0
    /// Damaged blocks of files that can be read otherwise, as far as reads have met them.
    public var damagedBlocks = 0
    /// What was found damaged last, in words.
    public var lastDamage: String?
    /// Steps of flushing, merging and expiring that failed. Rows stay where they are, and the step is tried again.
    public var maintenanceFailures = 0
    /// What the last of these failed with.
    public var lastMaintenanceFailure: String?
    /// Bytes of files that were read again to check them.
    public var scrubbedBytes = 0
    /// When all files had been read once more.
    public var lastScrub: Timestamp?
    public var unknownFiles = 0
    /// Bytes of the copies that pins keep.
    public var pinnedBytes = 0
    /// What the disk holds and has left; `nil` as long as the store has not looked, or when it does not look.
    public var disk: DiskStatistics?
    /// What the opening of the store lost or put aside.
    public var recovery = RecoveryReport()
    public var isReadOnly = false
    /// Whether a flush or merge is running or due.
    public var hasPendingWork = false

    public init() {}
}
