public import OrielTelemetry

/// How far a salvage has come.
public struct SalvageProgress: Sendable, Hashable {
    /// Damaged files that are done, and all that are to be done. Both are 0 while files are read to find the damage.
    public var files: Int
    public var totalFiles: Int
    /// Files that were read and checked for damage.
    public var checkedFiles: Int

    public init(files: Int, totalFiles: Int, checkedFiles: Int) {
        self.files = files
        self.totalFiles = totalFiles
        self.checkedFiles = checkedFiles
    }
}

/// What became of one damaged file: what is readable of it is in another file now, the damaged one is put aside.
public struct SalvageReceipt: Sendable, Hashable {
    /// Rows, or values of rows, that could not be read.
    public struct Loss: Sendable, Hashable {
        /// The column whose values these rows lack now; `nil` when the rows themselves are lost.
        public var column: String?
        public var rows: Int
        /// The rows lie in these times; of rows whose times do not read either, those of the block or the file.
        public var range: TimeRange
        /// What does not read.
        public var reason: String

        public init(column: String? = nil, rows: Int, range: TimeRange, reason: String) {
            self.column = column
            self.rows = rows
            self.range = range
            self.reason = reason
        }
    }

    public var signal: Signal
    /// The damaged file, below the store's folder.
    public var file: String
    /// The file that is in its place, below the store's folder.
    public var replacement: String
    /// Where the damaged file is kept, below the store's folder. Neither retention nor deletions reach it there.
    public var kept: String
    /// Rows of the replacement, and of these the rows that lack values.
    public var savedRows: Int
    public var incompleteRows: Int
    public var lostRows: Int
    /// What is lost, in the order of the file; what one file loses in very many places is summed up at the end.
    public var losses: [Loss] = []
    /// What was damaged and made anew, so that nothing is lost of it: indexes, filters, summaries.
    public var remade: [String] = []

    public init(signal: Signal, file: String, replacement: String, kept: String, savedRows: Int, incompleteRows: Int, lostRows: Int) {
        self.signal = signal
        self.file = file
        self.replacement = replacement
        self.kept = kept
        self.savedRows = savedRows
        self.incompleteRows = incompleteRows
        self.lostRows = lostRows
    }
}

/// What a salvage did.
public struct SalvageReport: Sendable, Hashable {
    public var folder: String
    /// Files that were read and checked for damage, and their bytes.
    public var checkedFiles = 0
    public var checkedBytes = 0
    /// By damaged file that was replaced.
    public var receipts: [SalvageReceipt] = []
    /// Damaged files that stay as they are, and why.
    public var failures: [StoreExamination.Problem] = []

    public init(folder: String) {
        self.folder = folder
    }
}
