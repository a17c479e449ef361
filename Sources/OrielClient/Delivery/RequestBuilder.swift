import OrielTelemetry

/// Puts encoded records into OTLP requests: grouped by scope under the resource of the process.
struct RequestBuilder: Sendable {
    /// The content of an OTLP `Resource`, encoded once.
    private let resource: [UInt8]
    private let schemaURL: String
    private let scopes: ScopeTable
    /// Bytes of records from which on a request ends.
    private let limit: Int

    init(resource: Resource, scopes: ScopeTable, limit: Int) {
        var writer = WireWriter()
        writer.keyValues(1, resource.attributes)
        if resource.droppedAttributesCount > 0 { writer.varintField(2, UInt64(resource.droppedAttributesCount)) }
        for reference in resource.entityReferences { writer.bytesField(3, reference.span) }
        self.resource = writer.bytes
        schemaURL = resource.schemaURL
        self.scopes = scopes
        self.limit = limit
    }

    /// Begins a request for records of a kind.
    func assembly(_ signal: ExportSignal) -> RequestAssembly { RequestAssembly(signal: signal, builder: self, limit: limit) }

    /// `ResourceLogs` and `ResourceSpans` have the same fields, so have their scopes' messages.
    fileprivate func batch(_ groups: [RequestAssembly.Group], _ signal: ExportSignal, _ count: Int) -> ExportBatch {
        let all = scopes.all
        var writer = WireWriter()
        writer.bytes.reserveCapacity(groups.reduce(resource.count + 64) { $0 + $1.records.count + 64 })
        writer.messageField(1) { writer in
            writer.bytesField(1, resource.span)
            for group in groups {
                let scope = Int(group.scope) < all.count ? all[Int(group.scope)] : InstrumentationScope()
                writer.messageField(2) { writer in
                    writer.messageField(1) { writer in
                        if !scope.name.isEmpty { writer.stringField(1, scope.name) }
                        if !scope.version.isEmpty { writer.stringField(2, scope.version) }
                        writer.keyValues(3, scope.attributes)
                        if scope.droppedAttributesCount > 0 { writer.varintField(4, UInt64(scope.droppedAttributesCount)) }
                    }
                    writer.bytes.append(group.records.span)
                    if !scope.schemaURL.isEmpty { writer.stringField(3, scope.schemaURL) }
                }
            }
            if !schemaURL.isEmpty { writer.stringField(3, schemaURL) }
        }
        return ExportBatch(signal: signal, request: writer.bytes, itemCount: count)
    }
}

/// Requests in the making: takes one chunk after the other, so that a chunk's memory can be given back before the next one is copied.
struct RequestAssembly {
    /// The records of a scope, each as field 2 of the scope's message.
    fileprivate struct Group {
        let scope: UInt32
        var records: [UInt8] = []
    }

    private let signal: ExportSignal
    private let builder: RequestBuilder
    private let limit: Int
    private var groups: [Group] = []
    private var places: [UInt32: Int] = [:]
    private var bytes = 0
    private var count = 0

    fileprivate init(signal: ExportSignal, builder: RequestBuilder, limit: Int) {
        self.signal = signal
        self.builder = builder
        self.limit = limit
    }

    /// Adds the records of a chunk, in their order but for those of different scopes.
    ///
    /// - Returns: the requests that are full.
    mutating func add(_ chunk: borrowing RecordQueue.Chunk) -> [ExportBatch] {
        var full: [ExportBatch] = []
        let content = chunk.bytes.span
        // Neighbours mostly are of one scope.
        var last: (scope: UInt32, place: Int)?
        chunk.forEachRecord { scope, range in
            let place: Int
            if let last, last.scope == scope {
                place = last.place
            } else {
                place = self.place(scope)
                last = (scope, place)
            }
            // Taken out and put back, so that there is one owner while it grows.
            var writer = WireWriter()
            swap(&writer.bytes, &groups[place].records)
            writer.bytesField(2, content.extracting(range))
            swap(&writer.bytes, &groups[place].records)
            bytes += range.count
            count += 1
            if bytes >= limit, let batch = finish() {
                full.append(batch)
                last = nil
            }
        }
        return full
    }

    /// The request of what is left; `nil` when nothing is. The next record begins another one.
    mutating func finish() -> ExportBatch? {
        guard count > 0 else { return nil }
        let batch = builder.batch(groups, signal, count)
        groups = []
        places = [:]
        bytes = 0
        count = 0
        return batch
    }

    private mutating func place(_ scope: UInt32) -> Int {
        if let known = places[scope] { return known }
        groups.append(Group(scope: scope))
        places[scope] = groups.count - 1
        return groups.count - 1
    }
}
