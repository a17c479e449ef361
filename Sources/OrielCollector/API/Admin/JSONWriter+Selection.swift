import OrielStore
import OrielTelemetry

extension JSONWriter {
    /// The members that say which rows are meant: `signals`, `start`, `end` (null without such a bound) and `filter`.
    mutating func selection(signals: Set<Signal>, range: TimeRange, filter: String) {
        member("signals", texts: signals.sorted().map(\.name))
        time("start", range.start == TimeRange.all.start ? nil : range.start)
        time("end", range.end == TimeRange.all.end ? nil : range.end)
        member("filter", filter)
    }
}
