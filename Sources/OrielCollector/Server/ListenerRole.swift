/// What a listener may be asked for. A route belongs to one role; a listener that lacks the role answers 404.
public enum ListenerRole: String, Sendable, Hashable, CaseIterable {
    /// Telemetry coming in: OTLP and the other wire formats.
    case ingest
    /// Questions about stored telemetry.
    case query
    /// Changes to the daemon and its store.
    case admin
    /// The daemon's own metrics and health.
    case metrics
}
