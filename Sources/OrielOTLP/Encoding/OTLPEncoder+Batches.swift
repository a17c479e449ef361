public import OrielTelemetry

extension OTLPEncoder {
    /// The spans of a batch as an `ExportTraceServiceRequest`, in the batch's order within each stream.
    public static func traces(_ batch: SpanBatch, format: OTLPFormat = .protobuf) -> [UInt8] {
        write(batch.streams, batch.streamIndexes, root: .tracesData, format: format) { $0.span(batch.span(at: $1)) }
    }

    /// The records of a batch as an `ExportLogsServiceRequest`, in the batch's order within each stream.
    public static func logs(_ batch: LogBatch, format: OTLPFormat = .protobuf) -> [UInt8] {
        write(batch.streams, batch.streamIndexes, root: .logsData, format: format) { $0.logRecord(batch.record(at: $1)) }
    }

    /// The samples of a batch as an `ExportMetricsServiceRequest`: one gauge a metric name, the labels as attributes of its points.
    ///
    /// The way from OTLP metrics to series drops what OTLP knows of a metric's kind, so a sample comes back as what a store has: a number
    /// of a name and labels. Stale markers become points
    /// without a recorded value.
    public static func metrics(_ batch: SampleBatch, format: OTLPFormat = .protobuf) -> [UInt8] {
        var order: [String] = []
        var points: [String: [OTLPNumberPoint]] = [:]
        let streams = (0..<batch.streams.count).map { labels(of: $0, in: batch.streams) }
        for row in 0..<batch.count {
            let labels = streams[Int(batch.streamIndexes[row])]
            let name = labels.first { $0.name == Label.metricName }?.value ?? ""
            let isStale = batch.values[row].isStaleMarker
            let point = OTLPNumberPoint(
                attributes: labels.filter { $0.name != Label.metricName }.map { Attribute($0.name, .string($0.value)) },
                time: Timestamp(milliseconds: batch.times[row]), value: isStale ? nil : .double(batch.values[row]),
                flags: isStale ? OTLPPointFlags.noRecordedValue : 0)
            if points[name] == nil { order.append(name) }
            points[name, default: []].append(point)
        }
        let metrics = order.map { OTLPMetric(name: $0, points: .gauge(points[$0] ?? [])) }
        return self.metrics([OTLPScopeGroup(resource: Resource(), scope: InstrumentationScope(), rows: metrics)], format: format)
    }

    private static func labels(of stream: Int, in table: StreamTable) -> [Label] {
        do {
            if case .series(let labels) = try table.decoded(stream) { return labels }
        } catch {
            // A table holds only what a decoder or a checked file put there; the sample is then written without labels.
        }
        return []
    }

    private static func write(
        _ streams: StreamTable, _ streamIndexes: [UInt32], root: OTLPMessage, format: OTLPFormat, _ write: (inout WireWriter, Int) -> Void
    ) -> [UInt8] {
        var rows = [[Int]](repeating: [], count: streams.count)
        for (row, stream) in streamIndexes.enumerated() { rows[Int(stream)].append(row) }
        var writer = WireWriter()
        for stream in 0..<streams.count where !rows[stream].isEmpty {
            let (resource, scope) = identity(of: stream, in: streams)
            writer.resourceGroup(resource) { writer in
                writer.scopeGroup(scope) { writer in
                    for row in rows[stream] { writer.messageField(2) { write(&$0, row) } }
                }
            }
        }
        return finish(writer, root: root, format: format)
    }

    private static func identity(of stream: Int, in table: StreamTable) -> (Resource, InstrumentationScope) {
        do {
            if case .scope(let resource, let scope) = try table.decoded(stream) { return (resource, scope) }
        } catch {
            // A table holds only what a decoder or a checked file put there; the rows are then written without a resource.
        }
        return (Resource(), InstrumentationScope())
    }
}
