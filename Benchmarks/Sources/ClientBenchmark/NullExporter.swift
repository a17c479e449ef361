import Oriel

/// Takes everything and keeps nothing: what is measured is the calls, not a network.
struct NullExporter: Oriel.TelemetryExporter {
    func export(_ batch: Oriel.ExportBatch, deadline: Oriel.Timestamp) -> Oriel.ExportOutcome { .delivered() }
}

extension Oriel.DeliveryPipeline {
    /// A pipeline to nowhere, with so much room that nothing is dropped.
    static func toNowhere() throws -> Oriel.DeliveryPipeline {
        var configuration = Oriel.DeliveryConfiguration()
        configuration.queueBytes = 256 << 20
        return try Oriel.DeliveryPipeline(
            name: "benchmark", exporter: NullExporter(), resource: Oriel.Resource(attributes: []), configuration: configuration)
    }

    /// Waits until all that was emitted is delivered.
    func catchUp() { flushBlocking(deadline: Oriel.Timestamp.now.advanced(by: 60_000_000_000)) }
}
