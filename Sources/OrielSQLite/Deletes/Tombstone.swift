import OrielStore
import OrielTelemetry

/// A deletion as the store keeps it: it applies to all rows of commits up to its own.
struct Tombstone: Hashable, Sendable {
    var sequence: CommitSequence
    /// When it was asked for.
    var time: Timestamp
    var deletion: Deletion

    /// Most deletions under way at a time: each is asked of each block that it may touch.
    static let limit = 256
}
