import OrielStore
import OrielTelemetry

/// Adds up what a salvage cannot read of a file.
struct SalvageLosses {
    /// Losses that are told apart.
    static let limit = 1000

    let signal: Signal
    private(set) var all: [SalvageReceipt.Loss] = []
    private(set) var lostRows = 0
    private(set) var incompleteRows = 0
    /// What goes beyond the limit.
    private var others: SalvageReceipt.Loss?
    private var otherCount = 0

    init(signal: Signal) {
        self.signal = signal
    }

    /// Notes rows that are lost, or that lack a column.
    ///
    /// - Parameter times: the first and the last, in the signal's unit.
    mutating func add(_ rows: Int, column: String? = nil, times: ClosedRange<Int64>, _ reason: String) {
        guard rows > 0 else { return }
        if column == nil { lostRows += rows }
        let loss = SalvageReceipt.Loss(column: column, rows: rows, range: range(times), reason: String(reason.prefix(400)))
        if let last = all.last, last.column == column, last.reason == loss.reason {
            all[all.count - 1].rows += rows
            all[all.count - 1].range = Self.union(last.range, loss.range)
        } else if all.count < Self.limit {
            all.append(loss)
        } else {
            otherCount += 1
            others = SalvageReceipt.Loss(
                rows: (others?.rows ?? 0) + rows, range: others.map { Self.union($0.range, loss.range) } ?? loss.range,
                reason: "\(otherCount) other losses of rows or of their values")
        }
    }

    mutating func addIncomplete(_ rows: Int) { incompleteRows += rows }

    var list: [SalvageReceipt.Loss] { all + (others.map { [$0] } ?? []) }

    private static func union(_ left: TimeRange, _ right: TimeRange) -> TimeRange {
        TimeRange(start: min(left.start, right.start), end: max(left.end, right.end))
    }

    private func range(_ times: ClosedRange<Int64>) -> TimeRange {
        let (start, isBefore) = times.lowerBound.multipliedReportingOverflow(by: signal.nanosecondsPerTimeUnit)
        let (end, isBeyond) = times.upperBound.addingSaturating(1).multipliedReportingOverflow(by: signal.nanosecondsPerTimeUnit)
        return TimeRange(
            start: Timestamp(nanoseconds: isBefore ? (times.lowerBound < 0 ? .min : .max) : start),
            end: Timestamp(nanoseconds: isBeyond ? (times.upperBound < 0 ? .min : .max) : end))
    }
}
