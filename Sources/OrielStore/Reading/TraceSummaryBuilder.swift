public import OrielTelemetry

/// Sums up traces from their spans.
///
/// Of several roots the first one in the order (time, stream, ord) names the trace.
public struct TraceSummaryBuilder: Sendable {
    /// A root's place in the order of time.
    private struct Root {
        var start: Int64
        var rank: UInt32
        var ord: UInt64

        func precedes(_ other: Root) -> Bool {
            if start != other.start { return start < other.start }
            return rank == other.rank ? ord < other.ord : rank < other.rank
        }
    }

    private struct Trace {
        var summary: TraceSummary
        var root: Root?
        var services: Set<String> = []
    }

    /// What ``add(_:service:)`` looks at.
    public static let projection = Projection(columns: [.traceID, .parentSpanID, .name, .duration, .statusCode], attributes: .none)
    /// Most names in ``TraceSummary/services``.
    public static let maximumServices = 32

    private var traces: [TraceID: Trace] = [:]

    public init() {}

    /// Adds spans.
    ///
    /// - Parameters:
    ///   - ranks: For each row a number that orders streams by their ids; `nil` when all batches come in the order of time.
    ///   - service: The service name of an element of `streamIndexes`, empty when it has none.
    public mutating func add(_ batch: ColumnBatch, ranks: [UInt32]? = nil, service: (UInt32) -> String) {
        guard case .traceIDs(let ids) = batch[.traceID], case .identifiers(let parents) = batch[.parentSpanID], case .bytes(let names) = batch[.name],
            case .integers(let durations) = batch[.duration], case .integers(let statuses) = batch[.statusCode]
        else { return }
        for row in 0..<batch.count {
            let start = batch.times[row]
            let service = service(batch.streamIndexes[row])
            var trace = traces[ids[row]] ?? Trace(summary: TraceSummary(traceID: ids[row]))
            trace.summary.start = min(trace.summary.start, start)
            trace.summary.end = max(trace.summary.end, start.addingSaturating(durations[row]))
            trace.summary.spanCount += 1
            // OTLP's STATUS_CODE_ERROR.
            if statuses[row] == 2 { trace.summary.errorCount += 1 }
            if parents[row] == 0 {
                let root = Root(start: start, rank: ranks?[row] ?? 0, ord: ranks == nil ? 0 : batch.ords[row])
                if trace.root.map(root.precedes) ?? true {
                    trace.root = root
                    trace.summary.rootService = service
                    trace.summary.rootName = names.string(at: row)
                }
            }
            if !service.isEmpty { trace.services.insert(service) }
            traces[ids[row]] = trace
        }
    }

    /// The traces in no particular order.
    public var summaries: [TraceSummary] {
        traces.values.map { trace in
            var summary = trace.summary
            let sorted = trace.services.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            summary.services = Array(sorted.prefix(TraceSummaryBuilder.maximumServices))
            return summary
        }
    }
}
