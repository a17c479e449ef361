@testable import OrielSQLite
import OrielStore
import OrielStoreConformance
import OrielTelemetry
import Testing

@Suite("Lists of traces over many files")
struct TraceListTests {
    private static let day: Int64 = 86_400_000_000_000
    private static let start: Int64 = 1_600_000_000_000_000_000 / day * day

    private static var options: StoreOptions {
        var options = StoreOptions()
        options.appliesRetention = false
        options.maintainsItself = false
        return options
    }

    /// Traces whose spans come in any request: most within an hour, some days apart.
    private struct Source {
        var random: SplitMix64

        mutating func spans(_ count: Int) -> WriteSet {
            var batch = SpanBatch()
            let streams = ["web", "app", "db", "cache"].map { service in
                batch.streams.intern(.scope(Resource(attributes: [Attribute("service.name", .string(service))]), InstrumentationScope()))
            }
            for _ in 0..<count {
                let number = random.next() % 150
                let isFar = number % 10 == 0
                let day = isFar ? Int64(random.next() % 3) : Int64(number % 3)
                // Few distinct times, so that many are equal.
                let time = TraceListTests.start + day * TraceListTests.day + Int64(number / 3) * 60_000_000_000 + Int64(random.next() % 8) * 1_000_000_000
                batch.streamIndexes.append(UInt32(streams[Int(random.next() % 4)]))
                batch.startTimes.append(time)
                batch.traceIDs.append(number == 7 ? .zero : TraceListTests.traceID(number))
                batch.spanIDs.append(random.next() | 1)
                batch.parentSpanIDs.append(random.next() % 4 == 0 ? 0 : 1)
                batch.traceStates.append("")
                batch.names.append("span \(random.next() % 20)")
                batch.kinds.append(1)
                batch.durations.append(Int64(random.next() % 9_000_000_000))
                batch.statusCodes.append(Int64(random.next() % 3))
                batch.statusMessages.append("")
                batch.flags.append(0)
                batch.droppedAttributesCounts.append(0)
                batch.events.append([])
                batch.droppedEventsCounts.append(0)
                batch.links.append([])
                batch.droppedLinksCounts.append(0)
                batch.attributes.appendRow([Attribute("size", .int(Int64(random.next() % 50)))])
            }
            return WriteSet(batches: [batch.columnBatch])
        }

        mutating func query() -> TraceSummaryQuery {
            var query = TraceSummaryQuery(range: .all, limit: [1, 7, 20, 500][Int(random.next() % 4)])
            if random.next() % 3 == 0 {
                let from = TraceListTests.start + Int64(random.next() % UInt64(2 * TraceListTests.day))
                query.range = TimeRange(start: Timestamp(nanoseconds: from), end: Timestamp(nanoseconds: from + TraceListTests.day / 2))
            }
            if random.next() % 2 == 0 { query.streamMatchers = [StreamMatcher("service.name", .equal, "db")] }
            if random.next() % 3 == 0 { query.predicate = .compare(.attribute("size"), .less, .int(Int64(random.next() % 20)), missing: .isFalse) }
            if random.next() % 2 == 0 { query.minimumDuration = Int64(random.next() % 20) * 1_000_000_000 }
            if random.next() % 4 == 0 { query.maximumDuration = Int64(random.next() % 30) * 1_000_000_000 }
            return query
        }
    }

    private static func traceID(_ number: UInt64) -> TraceID { TraceID(high: number &* 0x9E37_79B9_7F4A_7C15, low: number) }

    private func compare(_ store: any TelemetryStore, _ model: any TelemetryStore, _ source: inout Source, _ when: String) async throws {
        let snapshot = try store.snapshot()
        let expectation = try model.snapshot()
        for _ in 0..<8 {
            var query = source.query()
            for page in 0..<3 {
                let expected = try await expectation.summaries(query)
                #expect(try await snapshot.summaries(query) == expected, "page \(page) of \(query) \(when)")
                guard let last = expected.last else { break }
                query.after = TraceSummaryQuery.Position(start: last.start, traceID: last.traceID)
            }
        }
    }

    @Test("agree with the reference for traces over files, days, memory and floors", arguments: [1, 2, 3] as [UInt64])
    func manyFiles(seed: UInt64) async throws {
        let folder = try SQLiteFolder(TraceListTests.options)
        let store = try await folder.open()
        // Equal ids of streams, so that of two roots at one time both name the same.
        let secret = try #require(try store.snapshot() as? EngineSnapshot).registry.secret
        let model = ReferenceStore.Place(streamID: { secret.id(of: $0.span) }).openReference()
        var source = Source(random: SplitMix64(seed: seed))
        for round in 0..<9 {
            let writes = source.spans(120)
            _ = try await store.append(writes)
            _ = try await model.append(writes)
            if round != 8 { try await store.flush() }
            if round % 3 == 2 { try await compare(store, model, &source, "after \(round + 1) requests, seed \(seed)") }
        }
        let files = try #require(try store.snapshot() as? EngineSnapshot).state[.spans].segments.compactMap { $0 as? Segment }
        #expect(files.count > 1)
        #expect(files.contains { $0.header.hasSummaries })
        try await compare(store, model, &source, "with rows in memory, seed \(seed)")
        let floor = Timestamp(nanoseconds: TraceListTests.start + 20 * 60_000_000_000)
        try await store.retain(.spans, from: floor)
        try await model.retain(.spans, from: floor)
        try await compare(store, model, &source, "above a floor, seed \(seed)")
        try await store.close()
    }
}
