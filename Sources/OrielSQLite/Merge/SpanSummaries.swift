import OrielStore
import OrielTelemetry

/// Sums up the traces of a file of spans that is being written, by the rows as they come, in any order.
struct SpanSummaries {
    /// Of the file to be written.
    private let streams: StreamOrdinals
    private let registry: StreamRegistry
    private(set) var builder = TraceSummaryBuilder()
    private var services: [StreamReference: String] = [:]

    init(streams: StreamOrdinals, registry: StreamRegistry) {
        self.streams = streams
        self.registry = registry
    }

    /// - Parameter batch: with the process's stream references and what `TraceSummaryBuilder.projection` names.
    mutating func add(_ batch: ColumnBatch) {
        for reference in StreamOrdinals.distinct(CollectionOfOne(batch.streamIndexes)) where services[reference] == nil {
            services[reference] = serviceName(of: reference)
        }
        let services = services
        // Blocks come in any order, so the order of the rows is told.
        builder.add(batch, ranks: streams.ordinals(of: batch.streamIndexes)) { services[$0] ?? "" }
    }

    private func serviceName(of reference: StreamReference) -> String {
        do {
            if case .scope(let resource, _) = try StreamDescriptor(encoded: registry.descriptor(of: reference).span) { return resource.serviceName }
            return ""
        } catch {
            // Bytes that are no descriptor name no service; the stream itself stays readable.
            return ""
        }
    }
}
