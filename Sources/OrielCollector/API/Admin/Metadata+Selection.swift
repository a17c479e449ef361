import Logging
import OrielStore
import OrielTelemetry

extension Logger.Metadata {
    /// Notes which rows are meant, for a line of the audit.
    mutating func add(signals: Set<Signal>, range: TimeRange, filter: String) {
        self["signals"] = "\(signals.sorted().map(\.name).joined(separator: ","))"
        if range.start != TimeRange.all.start { self["start"] = "\(range.start.rfc3339)" }
        if range.end != TimeRange.all.end { self["end"] = "\(range.end.rfc3339)" }
        self["filter"] = "\(filter)"
    }
}
