public import OrielTelemetry

/// How far a backup or a restore has come.
public struct BackupProgress: Sendable, Hashable {
    public var files: Int
    public var bytes: Int64
    /// Of the whole; known from the first report on.
    public var totalFiles: Int
    public var totalBytes: Int64

    public init(files: Int, bytes: Int64, totalFiles: Int, totalBytes: Int64) {
        self.files = files
        self.bytes = bytes
        self.totalFiles = totalFiles
        self.totalBytes = totalBytes
    }
}

/// A backup that is complete, checked and on the disk.
public struct BackupReport: Sendable, Hashable {
    /// Everything that was acknowledged before this moment is in it.
    public var taken: Timestamp
    /// The last commit in it.
    public var sequence: CommitSequence
    public var files = 0
    public var bytes: Int64 = 0
    /// Files that were copied now, and that share their bytes with the store's by hard links made now. All others were there from earlier backups.
    public var copiedFiles = 0
    public var copiedBytes: Int64 = 0
    public var linkedFiles = 0
    public var linkedBytes: Int64 = 0
    /// Files of the store that are known to be damaged; they are in the backup as they are.
    public var damagedFiles: [String] = []
    /// What did not go well and leaves the backup complete, such as an old file that could not be removed.
    public var warnings: [String] = []

    public init(taken: Timestamp, sequence: CommitSequence) {
        self.taken = taken
        self.sequence = sequence
    }
}

/// A store that can be copied, examined and salvaged while it goes on.
public protocol StoreAdministration: Sendable {
    /// Brings the folder `target`, an absolute path on the store's machine, to what the store holds now; it is made when missing. Files that are there from an
    /// earlier backup stay. Until the new backup is complete the earlier one remains usable.
    ///
    /// - Parameter progress: called from another thread, now and then.
    /// - Throws: ``StoreError/unusable(path:reason:)`` when the folder holds something else, another backup into it is running, or a file cannot be written.
    func backup(to target: String, progress: @escaping @Sendable (BackupProgress) -> Void) async throws(StoreError) -> BackupReport

    /// Looks at everything the store has: sizes, cardinality, damage.
    ///
    /// - Parameter readsAll: whether every blob is read and checked, which takes as long as reading the whole store.
    func examine(readsAll: Bool) async throws(StoreError) -> StoreExamination

    /// Reads all files, and writes what is readable of each damaged one into a new file that takes its place. The damaged files are kept aside in `data/unknown`.
    /// A file that cannot be replaced stays as it is, and the report says why.
    ///
    /// - Parameter progress: called from another thread, now and then.
    func salvage(progress: @escaping @Sendable (SalvageProgress) -> Void) async throws(StoreError) -> SalvageReport
}
