import OrielOTLP
public import OrielTelemetry

/// What sums that are sent count from.
public enum MetricTemporality: String, Sendable, Hashable, CaseIterable {
    /// From the start of the process: a lost request costs nothing.
    case cumulative
    /// From the request before: what functions need, whose sandboxes come and go, so that all of them add up in one series.
    case delta
}

/// Makes requests of a registry's metrics, one at a time.
public struct MetricPush: Sendable {
    private let registry: MetricRegistry
    private let resource: Resource
    private let scope: InstrumentationScope
    private let temporality: MetricTemporality
    /// What was last sent, by family and labels; for deltas.
    private var baseline = MetricBaseline()
    /// A request with deltas that was not delivered. It stays as it is, so that a receiver which did get it can tell, and none follows before it is done with.
    private var unfinished: ExportBatch?

    /// Whether the next request is one that was made before.
    var hasUnfinished: Bool { unfinished != nil }

    /// - Parameter scope: the instrumentation scope that all metrics are said to be of.
    public init(
        registry: MetricRegistry, resource: Resource, scope: InstrumentationScope = InstrumentationScope(name: "oriel"),
        temporality: MetricTemporality = .cumulative
    ) {
        self.registry = registry
        self.resource = resource
        self.scope = scope
        self.temporality = temporality
    }

    /// The request to send now; `nil` when there is nothing to tell.
    mutating func request() -> ExportBatch? {
        if let unfinished { return unfinished }
        var snapshot = registry.snapshot()
        if temporality == .delta { snapshot = baseline.delta(of: snapshot) }
        let metrics = snapshot.otlpMetrics(temporality: temporality)
        let count = metrics.reduce(0) { $0 + $1.pointCount }
        guard count > 0 else { return nil }
        let group = OTLPScopeGroup(resource: resource, scope: scope, rows: metrics)
        let batch = ExportBatch(signal: .metrics, request: OTLPEncoder.metrics([group]), itemCount: count)
        if temporality == .delta { unfinished = batch }
        return batch
    }

    /// To be called when the last request was delivered or refused.
    mutating func noteDone() {
        unfinished = nil
    }
}
