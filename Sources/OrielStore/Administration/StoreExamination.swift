public import OrielTelemetry

/// What an examination of a store finds.
public struct StoreExamination: Sendable {
    /// Something that is not as it should be.
    public struct Problem: Sendable, Hashable {
        /// A path, or a part of the store.
        public var place: String
        public var reason: String

        public init(place: String, reason: String) {
            self.place = place
            self.reason = reason
        }
    }

    /// Part of the bytes of a signal's files.
    public struct Share: Sendable, Hashable {
        public var signal: Signal
        public var name: String
        public var bytes: Int
        public var rows: Int

        public init(signal: Signal, name: String, bytes: Int, rows: Int) {
            self.signal = signal
            self.name = name
            self.bytes = bytes
            self.rows = rows
        }
    }

    /// How many different things a name has.
    public struct Cardinality: Sendable, Hashable {
        public var name: String
        public var count: Int

        public init(name: String, count: Int) {
            self.name = name
            self.count = count
        }
    }

    /// A file that is none of the store's.
    public struct UnknownFile: Sendable, Hashable {
        public var name: String
        public var bytes: Int64

        public init(name: String, bytes: Int64) {
            self.name = name
            self.bytes = bytes
        }
    }

    public var folder: String
    public var statistics: StoreStatistics
    /// Bytes that may still be written; `nil` when the system does not say.
    public var freeBytes: Int64?
    /// Files of which every blob was read, and their bytes; 0 when that was not asked for.
    public var checkedFiles = 0
    public var checkedBytes = 0
    public var problems: [Problem] = []
    /// By service, largest first: a block's bytes are shared out by rows.
    public var services: [Share] = []
    /// By column, largest first: an attribute's key as `attribute:KEY`, others by their names. Rows are those of blocks that have the column.
    public var columns: [Share] = []
    /// Streams of each metric, most first.
    public var metrics: [Cardinality] = []
    /// Different values of each label of metrics, most first.
    public var labels: [Cardinality] = []
    /// What lies in `data/unknown`.
    public var unknownFiles: [UnknownFile] = []

    public init(folder: String, statistics: StoreStatistics) {
        self.folder = folder
        self.statistics = statistics
    }

    /// Whether nothing is wrong.
    public var isHealthy: Bool { problems.isEmpty }
}
