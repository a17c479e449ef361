/// When the requests of one connection are due at a given rate.
///
/// The times follow from the rate alone, not from when earlier requests were answered: a latency that counts from them includes the wait that a slow
/// answer causes for those behind it.
struct RequestPace: Sendable {
    private let start: ContinuousClock.Instant
    private let rowsPerSecond: Double
    private var rows = 0

    /// - Parameters:
    ///   - start: When the first request is due.
    ///   - rowsPerSecond: Of this connection; more than 0.
    init(start: ContinuousClock.Instant, rowsPerSecond: Double) {
        self.start = start
        self.rowsPerSecond = rowsPerSecond
    }

    /// When the next request, of so many rows, is due.
    mutating func next(rows count: Int) -> ContinuousClock.Instant {
        let due = start + .seconds(Double(rows) / rowsPerSecond)
        rows += count
        return due
    }
}
