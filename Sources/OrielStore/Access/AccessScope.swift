/// What a token lets its bearer do.
public enum AccessScope: String, Sendable, Hashable, CaseIterable, Comparable {
    /// Send telemetry.
    case ingest
    /// Ask about stored telemetry.
    case query
    /// Read the daemon's own metrics.
    case metrics
    /// Change the daemon and its store.
    case admin

    public static func < (left: AccessScope, right: AccessScope) -> Bool {
        left.rawValue < right.rawValue
    }
}
