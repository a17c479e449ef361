import OrielTelemetry

/// Why a spill folder cannot be used.
struct SpillError: Error, Sendable, CustomStringConvertible {
    let path: String
    let reason: String

    var description: String { "telemetry cannot be kept in \(path): \(reason)" }
}

/// Requests that could not be delivered, in files, a request each: they survive a restart of the service.
struct SpillFolder: Sendable {
    enum Writing: Sendable {
        case written
        /// There is no room within the limit.
        case full
        case failed(String)
    }

    /// Items in the folder.
    private(set) var itemCounts: [ExportSignal: UInt64] = [:]
    /// Items that earlier processes had left.
    private(set) var recoveredCounts: [ExportSignal: UInt64] = [:]

    init(_ path: String, limit: Int) throws(SpillError) {
        throw SpillError(path: path, reason: "not built yet")
    }

    var isEmpty: Bool { true }

    mutating func write(_ batch: ExportBatch) -> Writing { .failed("not built yet") }

    /// The oldest request.
    mutating func next() -> ExportBatch? { nil }

    /// Removes what ``next()`` gave.
    mutating func remove() {}
}
