public import OrielTelemetry

/// What can be set on an embedded store. The defaults suit a machine with 2 cores and 1 GB of memory or more.
public struct StoreOptions: Sendable {
    /// How long rows of a signal are kept; `nil` for ever.
    public var retention: [Signal: Int64] = [:]
    /// Rows further ahead of the clock than this are refused, in nanoseconds; `nil` accepts any time. Test scripts live in 1970 and 2200.
    public var futureBound: Int64? = 3_600_000_000_000
    /// Whether rows older than the retention are refused and floors move with the clock.
    public var appliesRetention = true
    /// Redo bytes at which everything is flushed to files.
    public var flushBytes = 64 << 20
    /// Nanoseconds after which everything is flushed to files.
    public var flushInterval: Int64 = 3_600_000_000_000
    /// Rows and bytes at which a builder is sealed; of samples eight times the rows. The more rows are sorted together, the fewer streams a block of them has, and the
    /// less a merge must jump among blocks.
    public var sealRows = 65_536
    public var sealBytes = 24 << 20
    /// Most bytes of requests in one group commit.
    public var groupCommitBytes = 8 << 20
    /// Size of hot.db's log at which it is checkpointed.
    public var checkpointBytes = 8 << 20
    /// Most bytes of requests that wait for a commit; beyond it appends are refused as overloaded.
    public var queueBytes = 128 << 20
    /// Most bytes of rows that are not in a file yet; beyond it appends wait until seals and flushes catch up.
    public var memoryBytes = 128 << 20
    /// Most files of a signal that wait for a merge; beyond it appends wait until merges catch up.
    public var mergeDebtFiles = 64
    /// How long an append waits for room, in nanoseconds; then it is refused as overloaded.
    public var longestAppendDelay: Int64 = 5_000_000_000
    /// How long a request key is remembered, in nanoseconds; 0 switches detection of retries off.
    public var requestKeyWindow: Int64 = 300_000_000_000
    /// Streams that requests may bring at a time, and bytes of their labels. A series with ten labels takes about 600 bytes.
    ///
    /// When there is no room for new ones, those whose rows are all in files are forgotten; only if those with rows that are in no file yet take most of the room, rows of new
    /// streams are rejected until a flush. Streams of closed files do not count.
    public var maximumStreams = 4_000_000
    public var maximumStreamBytes = 1 << 30
    /// Bytes of labels that were read from files for queries and are kept for the next; beyond it, and beyond what the streams of requests take, they are forgotten within a minute.
    public var streamCacheBytes = 64 << 20
    /// Memory that one query may use.
    public var queryMemoryBytes = 256 << 20
    /// Memory that all queries may use together. One that begins waits until there is room; one that then needs more than there is is refused as overloaded, unless it is
    /// alone.
    public var queriesMemoryBytes = 256 << 20
    /// How long reading all files once takes at least, in nanoseconds: their blobs are checked over and over. 0 switches that off.
    public var scrubPeriod: Int64 = 7 * 86_400_000_000_000
    /// Most bytes a second that are read for that.
    public var scrubBytesPerSecond = 2 << 20
    /// Bytes that the store's folder may take, all signals, the redo log, temporary and unknown files counted; `nil` for no limit but the disk. Beyond it the oldest
    /// rows go, see ``diskShares``. A merge needs room for its output within the budget, so a store keeps somewhat less; below 1 GB the redo log is a large part of it.
    public var diskBudget: Int64?
    /// Which part of the budget a signal may take while others need theirs; only the proportions count, and a signal that is not named has none. What one leaves
    /// free others use; when there is too much, the signal that is furthest above its part gives its oldest rows up first.
    public var diskShares: [Signal: Double] = StoreOptions.defaultDiskShares
    /// Bytes that appends leave free on the file system: room for a flush and a merge.
    public var freeSpaceFloor: Int64 = 128 << 20
    /// Size of the file that keeps room for the work that heals a full disk; at most a 20th of what is free when it is made, and of the budget. 0 for none.
    public var ballastBytes: Int64 = 256 << 20
    /// Whether a file system without any free space makes the store give up its oldest rows, as many as bring it above the floor again.
    public var dropsOldestWhenFull = true
    /// How often the disk is looked at, in nanoseconds; while space is short, every second if that is sooner.
    public var diskCheckInterval: Int64 = 10_000_000_000
    /// Bytes of free pages in hot.db at which an opening writes it anew, if they are most of it.
    public var hotCompactionBytes: Int64 = 64 << 20
    /// Bytes that the copies of pinned rows may take together, and at most a quarter of ``diskBudget``; beyond it no pin is made.
    public var pinnedBytes: Int64 = 4 << 30
    /// Whether a store is made in a folder that has none; otherwise opening it throws ``StoreError/noStore(path:)`` and leaves the folder as it was.
    public var createsStore = true
    /// Whether flushes, seals and merges run by themselves; tests switch it off and call ``SQLiteStore/flush()``.
    public var maintainsItself = true

    public init() {}

    /// Logs and spans 35 % each, samples 20 %, histograms 7 %, exemplars 3 %.
    public static let defaultDiskShares: [Signal: Double] = [.logs: 0.35, .spans: 0.35, .samples: 0.2, .histograms: 0.07, .exemplars: 0.03]
}
