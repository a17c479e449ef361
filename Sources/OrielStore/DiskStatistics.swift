public import OrielTelemetry

/// What a store takes of its disk, and how long that goes well.
public struct DiskStatistics: Hashable, Sendable {
    /// Bytes that the store's files may take; `nil` for no limit but the disk.
    public var budget: Int64?
    /// Bytes of all files of the store.
    public var used: Int64 = 0
    /// Of these, what belongs to no signal's files: the redo log, temporary and unknown files, the ballast, files that are read to the end before they go.
    public var other: Int64 = 0
    /// Of these, the ballast.
    public var ballast: Int64 = 0
    /// Bytes free on the file system; `nil` when it does not say.
    public var free: Int64?
    /// Whether appends are refused for want of space.
    public var isFull = false
    /// Bytes of files that were removed before their time for want of space, by signal, since the start.
    public var dropped: [Signal: Int64] = [:]
    /// Bytes that come in a day, by signal; empty as long as that is not known.
    public var bytesPerDay: [Signal: Double] = [:]
    /// When the budget or the disk is full, if the store grows as in the last day; `nil` when it does not grow, or is not known.
    public var secondsUntilFull: Double?

    public init() {}
}
