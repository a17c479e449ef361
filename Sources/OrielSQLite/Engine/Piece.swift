import OrielStore
import OrielTelemetry

/// All rows of one day that were committed in an interval: what a segment lists, and what recovery and merges reckon in.
struct Piece: Hashable, Sendable {
    var day: Day
    /// First commit of the interval.
    var low: CommitSequence
    /// Last commit of the interval.
    var high: CommitSequence

    /// Whether this piece's interval contains another one's of the same day.
    func contains(_ other: Piece) -> Bool {
        day == other.day && low <= other.low && other.high <= high
    }
}

/// What the manifest and a segment's own header say about a segment file.
struct SegmentDescription: Hashable, Sendable {
    /// Grows with every file of the store, for ever.
    var fileID: UInt64
    var signal: Signal
    /// 0 for a flush; its file lies in `new`. From 1 on the file lies in the folder of its only day.
    var level: Int
    /// None for a file of a pin, which lies in a folder of its own.
    var pieces: [Piece]
    /// File ids that this one was merged from.
    var inputs: [UInt64]
    var rowCount: Int
    /// In the signal's time unit; meaningless when there are no rows.
    var minimumTime: Int64
    var maximumTime: Int64
    var byteCount: Int
    /// Deletions up to this one were applied when the file was written, so that they need not be asked about its rows any more.
    var appliedDeletions = CommitSequence.zero

    /// The path below the data folder.
    var path: String {
        // What a pin holds is no part of what was committed in an interval.
        if pieces.isEmpty { return PinFiles.path(fileID) }
        let folder = level == 0 ? "new" : (pieces.first?.day.folderName ?? "new")
        return "data/\(signal.name)/\(folder)/\(fileID).seg"
    }
}
