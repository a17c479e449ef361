import OrielStore
import OrielTelemetry

extension StoreConformance {
    private static func trace(_ number: UInt64) -> TraceID { TraceID(high: 9, low: number) }

    static let traces: [Check] = [
        check("a trace is whole, whatever its spans' streams, days and files") { factory in
            let store = try await factory.open()
            let day = 86_400 * second
            let rows = (0..<6).map { number in
                SpanRow(trace: trace(1), id: UInt64(number + 1), service: "s\(number % 3)", name: "span \(number)", time: start + Int64(number) * day)
            }
            for row in rows {
                _ = try await store.append(WriteSet(batches: [spans([row, SpanRow(trace: trace(2), name: "other", time: row.time)])]))
                if row.id % 2 == 0 { try await store.flush() }
            }
            try await throughLife(factory, store) { store, when in
                let snapshot = try store.snapshot()
                let near = TimeRange(start: Timestamp(nanoseconds: start), end: Timestamp(nanoseconds: start + 1))
                for hint in [nil, near] {
                    let found = try await snapshot.traces([trace(1), trace(7)], hint: hint)
                    try expectRows(found.rowTexts.sorted(), spans(rows).rowTexts.sorted(), "spans \(when)")
                }
                try expectEqual(try await snapshot.traces([trace(1), trace(2)], hint: nil).count, 12, "spans of both traces \(when)")
                try expectEqual(try await snapshot.traces([], hint: nil).count, 0, "spans of no trace \(when)")
            }
        },
        check("a summary counts all spans of a trace, also those beyond the range and in other files") { factory in
            let store = try await factory.open()
            let query = SpanRow(
                trace: trace(1), id: 2, parent: 1, service: "db", name: "query", time: start + second, duration: 100, status: 2)
            _ = try await store.append(WriteSet(batches: [spans([query])]))
            try await store.flush()
            _ = try await store.append(
                WriteSet(batches: [spans([SpanRow(trace: trace(1), id: 1, service: "web", name: "GET /", time: start, duration: 3 * second)])]))
            try await store.flush()
            let late = SpanRow(trace: trace(1), id: 3, parent: 1, service: "cache", name: "get", time: start + 7_200 * second, duration: 5)
            _ = try await store.append(WriteSet(batches: [spans([late])]))
            let expected = TraceSummary(
                traceID: trace(1), rootService: "web", rootName: "GET /", start: start, end: start + 7_200 * second + 5, spanCount: 3, errorCount: 1,
                services: ["cache", "db", "web"])
            let range = TimeRange(start: Timestamp(nanoseconds: start + 1), end: Timestamp(nanoseconds: start + 2 * second))
            try await throughLife(factory, store) { store, when in
                let snapshot = try store.snapshot()
                try expectEqual(try await snapshot.summaries(TraceSummaryQuery(range: .all)), [expected], when)
                try expectEqual(try await snapshot.summaries(TraceSummaryQuery(range: range)), [expected], "with one span in the range \(when)")
                let later = TimeRange(start: Timestamp(nanoseconds: start + 2 * second), end: Timestamp(nanoseconds: start + 3 * second))
                try expectEqual(try await snapshot.summaries(TraceSummaryQuery(range: later)), [], "with no span in the range \(when)")
            }
        },
        check("spans of streams that a query must not see make no trace pass and count in no summary") { factory in
            let store = try await factory.open()
            let own = SpanRow(trace: trace(1), id: 1, service: "web", name: "GET /", time: start + second, duration: 10)
            let root = SpanRow(trace: trace(1), id: 2, service: "db", name: "hidden root", time: start, duration: 9 * second, status: 2)
            let other = SpanRow(trace: trace(2), id: 3, service: "db", name: "hidden", time: start + 2 * second)
            _ = try await store.append(WriteSet(batches: [spans([own, root, other])]))
            let expected = TraceSummary(
                traceID: trace(1), rootService: "web", rootName: "GET /", start: start + second, end: start + second + 10, spanCount: 1, errorCount: 0,
                services: ["web"])
            var query = TraceSummaryQuery(range: .all)
            query.visibleStreams = [StreamMatcher("service.name", .equal, "web")]
            let visible = query
            try await throughLife(factory, store) { store, when in
                let snapshot = try store.snapshot()
                try expectEqual(try await snapshot.summaries(visible), [expected], when)
                var longer = visible
                longer.minimumDuration = second
                try expectEqual(try await snapshot.summaries(longer), [], "longer than what is seen of it \(when)")
            }
        },
        check("summaries are listed newest first and filtered by at least one span") { factory in
            let store = try await factory.open()
            for number in 0..<30 {
                let time = start + Int64(number / 2) * second
                let trace = trace(UInt64(number))
                let root = SpanRow(trace: trace, id: 1, service: number % 3 == 0 ? "web" : "app", time: time, duration: Int64(number) * 1_000)
                let status: Int64 = number % 4 == 0 ? 2 : 1
                let child = SpanRow(
                    trace: trace, id: 2, parent: 1, service: "db", name: "q\(number % 5)", time: time + 10, duration: 5, status: status)
                _ = try await store.append(WriteSet(batches: [spans([child, root])]))
                if number % 7 == 0 { try await store.flush() }
            }
            try await throughLife(factory, store) { store, when in
                let snapshot = try store.snapshot()
                func list(_ query: TraceSummaryQuery) async throws -> [UInt64] { try await snapshot.summaries(query).map(\.traceID.low) }
                let newest = (0..<30).reversed().map { UInt64($0) }
                try expectEqual(try await list(TraceSummaryQuery(range: .all, limit: 100)), newest, "all \(when)")
                try expectEqual(try await list(TraceSummaryQuery(range: .all, limit: 4)), Array(newest.prefix(4)), "first page \(when)")
                var paged: [UInt64] = []
                var query = TraceSummaryQuery(range: .all, limit: 7)
                while true {
                    let page = try await snapshot.summaries(query)
                    guard let last = page.last else { break }
                    paged += page.map(\.traceID.low)
                    query.after = TraceSummaryQuery.Position(start: last.start, traceID: last.traceID)
                }
                try expectEqual(paged, newest, "in pages \(when)")
                query = TraceSummaryQuery(range: .all, streamMatchers: [StreamMatcher("service.name", .equal, "web")], limit: 100)
                try expectEqual(try await list(query), newest.filter { $0 % 3 == 0 }, "by service \(when)")
                query = TraceSummaryQuery(range: .all, predicate: .compare(.column(.statusCode), .equal, .int(2), missing: .unknown), limit: 100)
                try expectEqual(try await list(query), newest.filter { $0 % 4 == 0 }, "by error \(when)")
                query.streamMatchers = [StreamMatcher("service.name", .equal, "web")]
                try expectEqual(try await list(query), [], "no single span passes both \(when)")
                query = TraceSummaryQuery(range: .all, minimumDuration: 5_000, maximumDuration: 9_000, limit: 100)
                try expectEqual(try await list(query), [9, 8, 7, 6, 5], "by duration \(when)")
            }
        },
    ]
}
