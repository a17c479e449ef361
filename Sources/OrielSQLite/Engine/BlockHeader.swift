import OrielStore
import OrielTelemetry

/// What is resident of a block: enough to decide whether a scan needs it.
struct BlockHeader: Hashable, Sendable {
    /// Index within the container.
    var index: Int
    var rowCount: Int
    /// Rows lie in these slots (inclusive), all of one day.
    var firstSlot: Slot
    var lastSlot: Slot
    var low: CommitSequence
    var high: CommitSequence
    /// In the signal's time unit, inclusive.
    var minimumTime: Int64
    var maximumTime: Int64
    /// Smallest and largest stream ordinal of the container, inclusive. Ordinals are in the order of stream ids.
    var firstStream: UInt32
    var lastStream: UInt32
    /// Whether its rows come behind those of the block before it in row order, so that a merge can read one after the other.
    var followsPrevious = false
}
