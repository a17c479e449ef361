import OrielTelemetry

/// Puts encoded records into OTLP requests: grouped by scope under the resource of the process.
struct RequestBuilder {
    /// The content of an OTLP `Resource`, encoded once.
    private let resource: [UInt8]
    private let schemaURL: String
    private let scopes: ScopeTable
    /// Bytes of records from which on a request ends.
    private let limit: Int

    init(resource: Resource, scopes: ScopeTable, limit: Int) {
        var writer = WireWriter()
        writer.keyValues(1, resource.attributes)
        self.resource = writer.bytes
        schemaURL = resource.schemaURL
        self.scopes = scopes
        self.limit = limit
    }

    /// The records of some chunks as requests, in their order but for those of different scopes.
    func batches(of chunks: [RecordQueue.Chunk], signal: ExportSignal) -> [ExportBatch] {
        var batches: [ExportBatch] = []
        var groups: [UInt32: [UInt8]] = [:]
        var bytes = 0
        var count = 0
        for chunk in chunks {
            chunk.forEachRecord { scope, range in
                var writer = WireWriter(bytes: groups.removeValue(forKey: scope) ?? [])
                writer.bytesField(2, chunk.bytes.span.extracting(range))
                groups[scope] = writer.bytes
                bytes += range.count
                count += 1
                if bytes >= limit {
                    batches.append(batch(groups, signal, count))
                    groups = [:]
                    bytes = 0
                    count = 0
                }
            }
        }
        if count > 0 { batches.append(batch(groups, signal, count)) }
        return batches
    }

    /// `ResourceLogs` and `ResourceSpans` have the same fields, so have their scopes' messages.
    private func batch(_ groups: [UInt32: [UInt8]], _ signal: ExportSignal, _ count: Int) -> ExportBatch {
        let all = scopes.all
        var writer = WireWriter()
        writer.messageField(1) { writer in
            writer.bytesField(1, resource.span)
            for (number, records) in groups.sorted(by: { $0.key < $1.key }) {
                let scope = Int(number) < all.count ? all[Int(number)] : InstrumentationScope()
                writer.messageField(2) { writer in
                    writer.messageField(1) { writer in
                        if !scope.name.isEmpty { writer.stringField(1, scope.name) }
                        if !scope.version.isEmpty { writer.stringField(2, scope.version) }
                        writer.keyValues(3, scope.attributes)
                    }
                    writer.bytes.append(records.span)
                    if !scope.schemaURL.isEmpty { writer.stringField(3, scope.schemaURL) }
                }
            }
            if !schemaURL.isEmpty { writer.stringField(3, schemaURL) }
        }
        return ExportBatch(signal: signal, request: writer.bytes, itemCount: count)
    }
}
