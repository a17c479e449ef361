import OrielStore
import OrielTelemetry

extension StoreConformance {
    static let deleting: [Check] = [
        check("a deletion takes exactly what passes, of what was there, for ever") { factory in
            let store = try await factory.open()
            let shop = scope("shop")
            let cart = scope("cart")
            _ = try await store.append(WriteSet(batches: [logs([(start, "one"), (start + 1, "two"), (start + 2, "three")], shop)]))
            _ = try await store.append(WriteSet(batches: [logs([(start + 1, "kept"), (start + 3, "four")], cart)]))
            try await store.flush()
            _ = try await store.append(WriteSet(batches: [logs([(start + 1, "five"), (start + 9, "late")], shop)]))
            let before = try store.snapshot()
            let status = try await store.delete(
                Deletion(
                    signals: [.logs], range: TimeRange(start: Timestamp(nanoseconds: start + 1), end: Timestamp(nanoseconds: start + 9)),
                    streamMatchers: [StreamMatcher("service.name", .equal, "shop")]))
            try expect(status.sequence > before.sequence, "a deletion is a commit: \(status.sequence) behind \(before.sequence)")
            try expectEqual(try await texts(before).count, 7, "rows of a snapshot from before")
            // The same row again is a new one.
            _ = try await store.append(WriteSet(batches: [logs([(start + 1, "again")], shop)]))
            try await throughLife(factory, store) { store, when in
                try expectEqual(try await texts(try store.snapshot()).sorted(), ["again", "four", "kept", "late", "one"], "rows \(when)")
                let known = try await store.deletions()
                try expectEqual(known.map(\.sequence), [status.sequence], "deletions \(when)")
                try expectEqual(known.map(\.deletion), [status.deletion], "what they say \(when)")
            }
        },
        check("a deletion by trace ids and by predicate, over signals") { factory in
            var generator = TelemetryGenerator(seed: 21)
            let store = try await factory.open()
            var batches: [ColumnBatch] = []
            for _ in 0..<3 {
                let more = [Signal.spans, .logs, .exemplars].map { generator.batch($0, rows: 80) }
                _ = try await store.append(WriteSet(batches: more))
                batches += more
                try await store.flush()
            }
            let id = generator.traceIDs.first { !$0.isZero } ?? TraceID(high: 0, low: 1)
            _ = try await store.delete(Deletion(signals: [.spans, .logs, .exemplars], traceIDs: [id]))
            try await throughLife(factory, store) { store, when in
                for signal in [Signal.spans, .logs, .exemplars] {
                    var left: [RowText] = []
                    for batch in batches where batch.signal == signal {
                        guard case .traceIDs(let ids) = batch[.traceID] else { continue }
                        left += zip(ids, batch.rowTexts).filter { $0.0 != id }.map(\.1)
                    }
                    try expectRows(try await rows(try store.snapshot(), ScanPlan(signal: signal)).sorted(), left.sorted(), "\(signal.name) \(when)")
                }
                try expectEqual(try await store.snapshot().traces([id], hint: nil).count, 0, "spans of the trace \(when)")
            }
        },
        check("streams whose rows are all deleted are gone") { factory in
            let store = try await factory.open()
            let (up, down) = (series("up", [Label("job", "a")]), series("up", [Label("job", "b")]))
            _ = try await store.append(WriteSet(batches: [samples([(1_700_000_000_000, 1), (1_700_000_060_000, 2)], up)]))
            _ = try await store.append(WriteSet(batches: [samples([(1_700_000_000_000, 3)], down)]))
            _ = try await store.delete(Deletion(signals: [.samples, .histograms, .exemplars], streamMatchers: [StreamMatcher("job", .equal, "a")]))
            try await throughLife(factory, store) { store, when in
                let snapshot = try store.snapshot()
                try expectEqual(try await snapshot.labelValues("job", .samples, matching: [], in: .all), ["b"], "values \(when)")
                try expectEqual(try await snapshot.streams(.samples, matching: [], in: .all, limit: 9).count, 1, "streams \(when)")
                try expectEqual(try await rows(snapshot, ScanPlan(signal: .samples)).count, 1, "rows \(when)")
            }
        },
    ]
}
