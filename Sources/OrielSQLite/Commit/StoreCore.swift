import OrielStore
import OrielTelemetry
import OrielThreads
import Synchronization

/// What the threads of one open store share.
final class StoreCore: Sendable {
    let folder: String
    let options: StoreOptions
    let files: any FileLayer
    let fileSystem: SQLiteFileSystem
    let identity: StoreIdentity
    let families = FamilyTable()
    let recent = RecentRows(byteLimit: 8 << 20)
    let counters = StoreCounters()
    let damage = DamageReport()
    let crashPoints: CrashPoints
    let freeSpace = FreeSpace()
    let ballast: Ballast
    let compressors = CompressorPool()
    let commits: BoundedQueue<CommitWork>
    let gate = ChangeGate()
    let backups = BackupGate()
    /// Wakes the maintenance thread.
    let maintenanceSignal = ThreadSignal()
    private let published: Mutex<PublishedState>
    /// One connection to app.db at a time; it locks the file.
    private let appDatabase = Mutex<Void>(())

    init(
        folder: String, options: StoreOptions, files: any FileLayer, identity: StoreIdentity, crashPoints: CrashPoints,
        fileSystem: SQLiteFileSystem, ballast: Ballast? = nil
    ) {
        self.folder = folder
        self.options = options
        self.files = files
        self.fileSystem = fileSystem
        self.identity = identity
        self.crashPoints = crashPoints
        self.ballast = ballast ?? Ballast(folder, files: files)
        commits = BoundedQueue(capacity: options.queueBytes)
        published = Mutex(PublishedState(registry: StoreCore.emptyRegistry(identity, options)))
    }

    private static func emptyRegistry(_ identity: StoreIdentity, _ options: StoreOptions) -> StreamRegistry {
        StreamRegistry(secret: identity.secret, limit: StreamRegistry.Limit(count: options.maximumStreams, byteCount: options.maximumStreamBytes))
    }

    /// A registry that knows no streams.
    func emptyRegistry() -> StreamRegistry { StoreCore.emptyRegistry(identity, options) }

    /// The registry of the present record. Who reads rows takes that of the record which has them.
    var registry: StreamRegistry { state.registry }

    /// The present record.
    var state: PublishedState {
        published.withLock { $0 }
    }

    /// Replaces the record. Only the commit thread does.
    func publish(_ state: PublishedState) {
        published.withLock { $0 = state }
    }

    /// Opens app.db for `body` and closes it again. Waits while another thread has it open.
    func withAppDatabase<Value>(_ body: (Connection) throws -> Value) throws -> Value {
        let (folder, fileSystem) = (folder, fileSystem)
        return try appDatabase.withLock { _ in
            let connection = try AppDatabase.open(folder, fileSystem: fileSystem)
            let value: Value
            do {
                value = try body(connection)
            } catch {
                try connection.close()
                throw error
            }
            try connection.close()
            return value
        }
    }

    /// Bytes that are to be free before an append is taken: the floor, and what the ballast gave up, which is for the work that heals.
    var freeSpaceNeeded: Int64 {
        options.freeSpaceFloor.addingSaturating(ballast.owed)
    }

    /// Why an append is refused when `free` bytes are free.
    func diskFull(_ free: Int64) -> StoreError {
        .diskFull(freeBytes: Int(free), neededBytes: Int(freeSpaceNeeded), retryAfterSeconds: 30)
    }

    /// Lets the commit thread do `work` between two commits and waits for it. Must not be called from that thread.
    func perform<Value: Sendable>(_ work: @escaping @Sendable (Committer) throws -> Value) throws -> Value {
        let box = ResultBox<Value>()
        do {
            try commits.put(.perform { committer in box.set(Result { try work(committer) }) }, weight: 0)
        } catch {
            throw StoreError.closed
        }
        return try box.wait()
    }

    private final class ResultBox<Value: Sendable>: Sendable {
        private let result = Mutex<Result<Value, any Error>?>(nil)
        private let signal = ThreadSignal()

        func set(_ value: Result<Value, any Error>) {
            result.withLock { $0 = value }
            signal.notify()
        }

        func wait() throws -> Value {
            while true {
                let ticket = signal.ticket
                if let value = result.withLock({ $0 }) {
                    return try value.get()
                }
                signal.wait(after: ticket)
            }
        }
    }
}
