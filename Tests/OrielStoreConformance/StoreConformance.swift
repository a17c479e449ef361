import OrielStore
import OrielTelemetry

/// What any engine must do, as named checks; each takes a fresh place.
public enum StoreConformance {
    /// One promise of the seam.
    public struct Check: Sendable, CustomStringConvertible {
        public let name: String
        public let run: @Sendable (any StoreFactory) async throws -> Void

        public var description: String { name }
    }

    public static let checks: [Check] =
        writing + scanning + selecting + text + metrics + traces + catalogue + deleting + pinning + changes + partitioning + aggregating

    static func check(_ name: String, _ run: @escaping @Sendable (any StoreFactory) async throws -> Void) -> Check {
        Check(name: name) { factory in
            do {
                try await run(factory)
            } catch let failure as ConformanceFailure {
                throw ConformanceFailure("\(name): \(failure)")
            }
        }
    }

    /// The start of all checks' rows: 2023-11-14T22:13:20Z.
    static let start: Int64 = 1_700_000_000_000_000_000
    static let second: Int64 = 1_000_000_000

    static func scope(_ service: String, _ attributes: [Attribute] = [], library: String = "lib") -> StreamDescriptor {
        .scope(Resource(attributes: [Attribute("service.name", .string(service))] + attributes), InstrumentationScope(name: library))
    }

    static func series(_ name: String, _ labels: [Label] = []) -> StreamDescriptor {
        .series(unsorted: [Label(Label.metricName, name)] + labels)
    }

    /// Log records with a text each.
    static func logs(_ rows: [(time: Int64, text: String)], _ stream: StreamDescriptor = scope("cart"), attributes: [[Attribute]] = []) -> ColumnBatch {
        var batch = LogBatch()
        for (index, row) in rows.enumerated() {
            batch.streamIndexes.append(UInt32(batch.streams.intern(stream)))
            batch.times.append(row.time)
            batch.traceIDs.append(.zero)
            batch.spanIDs.append(0)
            batch.severityNumbers.append(9)
            batch.severityTexts.append("INFO")
            batch.appendBody(.string(row.text))
            batch.observedTimes.append(0)
            batch.timeOrigins.append(0)
            batch.flags.append(0)
            batch.droppedAttributesCounts.append(0)
            batch.eventNames.append("")
            batch.attributes.appendRow(index < attributes.count ? attributes[index] : [])
        }
        return batch.columnBatch
    }

    /// Float samples of one series.
    static func samples(_ rows: [(time: Int64, value: Double)], _ stream: StreamDescriptor = series("up")) -> ColumnBatch {
        var batch = SampleBatch()
        for row in rows {
            batch.streamIndexes.append(UInt32(batch.streams.intern(stream)))
            batch.times.append(row.time)
            batch.values.append(row.value)
        }
        return batch.columnBatch
    }

    /// A span for ``spans(_:)``.
    struct SpanRow {
        var trace: TraceID
        var id: UInt64 = 1
        var parent: UInt64 = 0
        var service = "cart"
        var name = "GET /"
        var time = start
        var duration = second
        var status: Int64 = 0
    }

    static func spans(_ rows: [SpanRow]) -> ColumnBatch {
        var batch = SpanBatch()
        for row in rows {
            batch.streamIndexes.append(UInt32(batch.streams.intern(scope(row.service))))
            batch.startTimes.append(row.time)
            batch.traceIDs.append(row.trace)
            batch.spanIDs.append(row.id)
            batch.parentSpanIDs.append(row.parent)
            batch.traceStates.append("")
            batch.names.append(row.name)
            batch.kinds.append(2)
            batch.durations.append(row.duration)
            batch.statusCodes.append(row.status)
            batch.statusMessages.append("")
            batch.flags.append(0)
            batch.droppedAttributesCounts.append(0)
            batch.events.appendEmpty()
            batch.droppedEventsCounts.append(0)
            batch.links.appendEmpty()
            batch.droppedLinksCounts.append(0)
            batch.attributes.appendRow([])
        }
        return batch.columnBatch
    }

    /// The bodies of log records that a plan finds, in order.
    static func texts(_ snapshot: any StoreSnapshot, _ plan: ScanPlan = ScanPlan(signal: .logs)) async throws -> [String] {
        var found: [String] = []
        let cursor = try snapshot.scan(plan)
        while let batch = try await cursor.next() {
            guard case .bytes(let bodies) = batch[.body] else { throw ConformanceFailure("no bodies in a batch") }
            for row in 0..<batch.count { found.append(bodies.string(at: row)) }
        }
        return found
    }

    /// Times and values of the samples that a plan finds, in order.
    static func values(_ snapshot: any StoreSnapshot, _ plan: ScanPlan = ScanPlan(signal: .samples, order: .streamThenTime)) async throws -> [[Double]] {
        var found: [[Double]] = []
        let cursor = try snapshot.scan(plan)
        while let batch = try await cursor.next() {
            guard case .doubles(let values) = batch[.value] else { throw ConformanceFailure("no values in a batch") }
            for row in 0..<batch.count { found.append([Double(batch.times[row]), values[row]]) }
        }
        return found
    }

    /// Runs `body` three times on the same rows: as they were appended, flushed, and after a restart.
    static func throughLife(_ factory: any StoreFactory, _ store: any TelemetryStore, _ body: (any TelemetryStore, String) async throws -> Void) async throws {
        try await body(store, "after append")
        try await store.flush()
        try await body(store, "after flush")
        try await store.close()
        let reopened = try await factory.open()
        try await body(reopened, "after restart")
        try await reopened.close()
    }

    /// Whether `body` throws an error that satisfies `isExpected`.
    static func expectError(_ what: String, _ isExpected: (StoreError) -> Bool, _ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch let error as StoreError {
            try expect(isExpected(error), "\(what): the error is: \(error)")
            return
        }
        throw ConformanceFailure("\(what): no error")
    }
}
