import OrielClient
import OrielTelemetry

/// What a scrape reads.
struct ScrapeSource: Sendable {
    let registry: MetricRegistry
    /// What `target_info` tells.
    let resource: Resource

    func snapshot() -> MetricSnapshot {
        var snapshot = registry.snapshot()
        snapshot.addTargetInfo(of: resource)
        return snapshot
    }
}
