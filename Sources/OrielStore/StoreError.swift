public import OrielTelemetry

/// What a store cannot do, and why.
public enum StoreError: Error, Hashable, Sendable {
    /// Appends are refused for now: too much is waiting. Worth retrying after the delay.
    case overloaded(retryAfterSeconds: Int)
    /// The file system has less free space than the store keeps; queries go on. Worth retrying after the delay.
    case diskFull(freeBytes: Int, neededBytes: Int, retryAfterSeconds: Int)
    /// A commit failed; nothing is accepted until a restart. The text says what failed.
    case readOnly(reason: String)
    /// The store was closed or is closing.
    case closed
    /// Another process has the folder open.
    case locked(path: String, processID: Int?)
    /// There is no store in the folder, and none was to be made.
    case noStore(path: String)
    /// The folder was written by a newer version; it was left untouched.
    case newerFormat(path: String, found: Int, supported: Int)
    /// The folder, or a file in it, cannot be used.
    case unusable(path: String, reason: String)
    /// A part of a file is not as it was written. Queries answer without it; what needs all of the file does not.
    case damaged(path: String, reason: String)
    /// A batch whose columns have different lengths or that lacks a column: a mistake of the caller.
    case malformedBatch(signal: Signal)
    /// A plan that this engine cannot run; the text names the part.
    case unsupported(String)
    /// The query needs more memory than it may use.
    case memoryBudgetExceeded(limitBytes: Int)
    /// The aggregation has more groups than it may have.
    case tooManyGroups(limit: Int)
    /// The query took longer than it may.
    case deadlineExceeded(seconds: Double)
    /// The task that asked was cancelled.
    case cancelled
    /// A position of another kind of order or another store.
    case invalidPosition(String)
}

extension StoreError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .overloaded(let seconds): "the store is behind with its work; retry in \(seconds) s"
        case .diskFull(let free, let needed, let seconds):
            "the disk is full: \(free) bytes are free, \(needed) must stay free; retry in \(seconds) s"
        case .readOnly(let reason): "the store takes no data until it is restarted: \(reason)"
        case .closed: "the store is closed"
        case .locked(let path, let processID):
            "the data folder \(path) is in use by \(processID.map { "process \($0)" } ?? "another process")"
        case .noStore(let path): "there is no store in \(path)"
        case .newerFormat(let path, let found, let supported):
            "\(path) has format \(found), written by a newer version; this one reads up to \(supported)"
        case .unusable(let path, let reason): "\(path) cannot be used: \(reason)"
        case .damaged(let path, let reason): "\(path) is damaged: \(reason)"
        case .malformedBatch(let signal): "a batch of \(signal.name) with columns of different lengths"
        case .unsupported(let part): "this store cannot do that: \(part)"
        case .memoryBudgetExceeded(let limit): "the query needs more than its \(limit) bytes of memory; narrow the time range or the filter"
        case .tooManyGroups(let limit):
            "the query has more than \(limit) groups; group by fewer or by others, widen the time buckets or narrow the filter"
        case .deadlineExceeded(let seconds): "the query took longer than \(seconds) s; narrow the time range or the filter"
        case .cancelled: "the query was cancelled"
        case .invalidPosition(let reason): "not a position of this query: \(reason)"
        }
    }
}
