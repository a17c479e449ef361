public import OrielTelemetry

/// Which rows are to be deleted: those of some signals that pass all of this, and that were committed before the deletion.
public struct Deletion: Hashable, Sendable {
    public var signals: Set<Signal>
    public var range: TimeRange
    /// All must match a row's stream.
    public var streamMatchers: [StreamMatcher]
    /// Only rows with one of these trace ids, when given (spans, log records, exemplars).
    public var traceIDs: Set<TraceID>?
    /// What a signal's rows lack is missing in the predicate's sense.
    public var predicate: Predicate

    public init(
        signals: Set<Signal>, range: TimeRange = .all, streamMatchers: [StreamMatcher] = [], traceIDs: Set<TraceID>? = nil, predicate: Predicate = .all
    ) {
        self.signals = signals
        self.range = range
        self.streamMatchers = streamMatchers
        self.traceIDs = traceIDs
        self.predicate = predicate
    }
}

/// How far a deletion has come. Queries miss its rows from the moment on that ``TelemetryStore/delete(_:)`` returned.
public struct DeletionStatus: Hashable, Sendable {
    /// The number of its commit.
    public var sequence: CommitSequence
    public var deletion: Deletion
    /// When it was asked for.
    public var time: Timestamp
    /// When the last of its rows was gone from the files; `nil` while some may be there.
    public var completed: Timestamp?
    /// Files that may still hold rows of it, and their bytes: what is left to do.
    public var remainingFiles: Int
    public var remainingBytes: Int

    public init(
        sequence: CommitSequence, deletion: Deletion, time: Timestamp, completed: Timestamp? = nil, remainingFiles: Int = 0, remainingBytes: Int = 0
    ) {
        self.sequence = sequence
        self.deletion = deletion
        self.time = time
        self.completed = completed
        self.remainingFiles = remainingFiles
        self.remainingBytes = remainingBytes
    }
}
