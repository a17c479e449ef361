import OrielStore
import OrielTelemetry

/// Chooses which files go when the disk or the budget is too small: the oldest of the signal that is furthest above its share.
struct DiskBudget: Sendable {
    /// A file that may go.
    struct File: Equatable, Sendable {
        /// The time of its last row.
        var end: Timestamp
        var byteCount: Int64
    }

    /// By signal; only the proportions count.
    var shares: [Signal: Double]

    /// The floors under which enough files lie.
    ///
    /// - Parameters:
    ///   - files: By signal, those that are to stay so far.
    ///   - allowed: Bytes that the shares divide.
    ///   - excess: Bytes that must go.
    ///   - latest: No floor moves above it, so that what comes now is not refused as expired.
    func floors(_ files: [Signal: [File]], allowed: Int64, excess: Int64, latest: Timestamp) -> [Signal: Timestamp] {
        var floors: [Signal: Timestamp] = [:]
        var excess = excess
        let whole = shares.values.reduce(0) { $0 + max(0, $1) }
        // Oldest last, so that the next one is taken from the end.
        var remaining = files.mapValues { $0.sorted { ($1.end, $1.byteCount) < ($0.end, $0.byteCount) } }
        var used = files.mapValues { $0.reduce(Int64(0)) { $0 + $1.byteCount } }
        let share = { (signal: Signal) -> Int64 in
            whole > 0 ? Int64(Double(max(0, allowed)) * max(0, shares[signal] ?? 0) / whole) : 0
        }
        while excess > 0 {
            let candidates = Signal.allCases.filter { signal in remaining[signal]?.last.map { $0.end < latest } ?? false }
            guard let signal = candidates.max(by: { used[$0, default: 0] - share($0) < used[$1, default: 0] - share($1) }),
                let file = remaining[signal]?.popLast()
            else { break }
            used[signal, default: 0] -= file.byteCount
            excess -= file.byteCount
            floors[signal] = Timestamp(nanoseconds: file.end.nanoseconds.addingSaturating(1))
            // What ends with it goes with it.
            while let next = remaining[signal]?.last, next.end <= file.end {
                remaining[signal]?.removeLast()
                used[signal, default: 0] -= next.byteCount
                excess -= next.byteCount
            }
        }
        return floors
    }
}
