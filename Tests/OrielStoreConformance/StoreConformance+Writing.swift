import OrielStore
import OrielTelemetry

extension StoreConformance {
    static let writing: [Check] = [
        check("an empty store answers everything with nothing") { factory in
            let store = try await factory.open()
            let snapshot = try store.snapshot()
            for signal in Signal.allCases {
                for order in [ScanOrder.time, .timeDescending, .streamThenTime] {
                    try expectEqual(try await rows(snapshot, ScanPlan(signal: signal, order: order)), [], "rows of \(signal.name)")
                }
                try expectEqual(try await snapshot.streams(signal, matching: [], in: .all, limit: 10), [], "streams")
                try expectEqual(try await snapshot.labelNames(signal, matching: [], in: .all), [], "label names")
            }
            try expectEqual(try await snapshot.families(), [], "families")
            try expectEqual(try await snapshot.traces([TraceID(high: 1, low: 1)], hint: nil).count, 0, "spans")
            try expectEqual(try await snapshot.summaries(TraceSummaryQuery(range: .all)), [], "summaries")
            _ = try await store.append(WriteSet())
            try await store.flush()
            try await store.close()
        },
        check("rows are visible when append returned, in new snapshots only") { factory in
            let store = try await factory.open()
            let empty = try store.snapshot()
            let first = try await store.append(WriteSet(batches: [logs([(start, "one")])]))
            let one = try store.snapshot()
            let second = try await store.append(WriteSet(batches: [logs([(start + 1, "two")])]))
            try expect(first.sequence < second.sequence, "sequences do not grow: \(first.sequence), \(second.sequence)")
            try expect(one.sequence >= first.sequence && one.sequence < second.sequence, "a snapshot's sequence is that of the last commit it shows")
            try await store.flush()
            try await store.retain(.logs, from: Timestamp(nanoseconds: start + 1))
            try expectEqual(try await texts(empty), [], "a snapshot from before the first append")
            try expectEqual(try await texts(one), ["one"], "a snapshot from between the appends")
            try expectEqual(try await texts(try store.snapshot()), ["two"], "a snapshot behind the floor")
            try await store.close()
        },
        check("every value of every signal comes back, flushed, merged and after a restart") { factory in
            var generator = TelemetryGenerator(seed: 11)
            let store = try await factory.open()
            var expected: [Signal: [RowText]] = [:]
            for _ in 0..<6 {
                let batches = [Signal.logs, .spans, .exemplars].map { generator.batch($0, rows: 150) }
                for batch in batches { expected[batch.signal, default: []] += batch.rowTexts }
                _ = try await store.append(WriteSet(batches: batches))
                if generator.random.oneIn(2) { try await store.flush() }
            }
            try await throughLife(factory, store) { store, when in
                for (signal, expected) in expected {
                    let found = try await rows(try store.snapshot(), ScanPlan(signal: signal))
                    try expectRows(found.sorted(), expected.sorted(), "\(signal.name) \(when)")
                }
            }
        },
        check("native histograms come back") { factory in
            let store = try await factory.open()
            var batch = HistogramBatch()
            let histogram = NativeHistogram(
                schema: 3, isFloat: false, zeroThreshold: 1e-9, zeroCount: 2, count: 9, sum: 1.5, positiveSpans: [.init(offset: -2, length: 2)],
                positiveBuckets: [3, 4])
            var custom = NativeHistogram(schema: -53, isFloat: true, count: 1.5, sum: .staleMarker)
            custom.customBounds = [0.1, 1, 10]
            for (index, value) in [histogram, custom].enumerated() {
                batch.append(value, stream: batch.streams.intern(series("h")), time: start / 1_000_000 + Int64(index))
            }
            _ = try await store.append(WriteSet(batches: [batch.columnBatch]))
            try await throughLife(factory, store) { store, when in
                try expectEqual(try await rows(try store.snapshot(), ScanPlan(signal: .histograms)), batch.columnBatch.rowTexts, "histograms \(when)")
            }
        },
        check("a request key is stored once, also after a restart") { factory in
            let store = try await factory.open()
            let writeSet = WriteSet(batches: [logs([(start, "once")])], requestKey: RequestKey(high: 1, low: 2))
            let receipt = try await store.append(writeSet)
            try expect(!receipt.isDuplicate, "the first request is taken for a retry")
            try await throughLife(factory, store) { store, when in
                let again = try await store.append(writeSet)
                try expect(again.isDuplicate, "a retry is not recognised \(when)")
                try expectEqual(again.sequence, receipt.sequence, "sequence of a retry \(when)")
                try expectEqual(try await texts(try store.snapshot()), ["once"], "rows \(when)")
                let other = WriteSet(batches: [], requestKey: RequestKey(high: 1, low: UInt64(when.count) + 100))
                try expect(try await !store.append(other).isDuplicate, "another key is taken for a retry \(when)")
            }
        },
        check("retries of a request in flight are stored once") { factory in
            let store = try await factory.open()
            let writeSet = WriteSet(batches: [logs([(start, "once")])], requestKey: RequestKey(high: 7, low: 7))
            let receipts = try await withThrowingTaskGroup(of: Receipt.self) { group in
                for _ in 0..<16 { group.addTask { try await store.append(writeSet) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            try expectEqual(receipts.filter { !$0.isDuplicate }.count, 1, "requests that were stored")
            try expectEqual(Set(receipts.map(\.sequence)).count, 1, "different sequences")
            try expectEqual(try await texts(try store.snapshot()), ["once"], "rows")
            try await store.close()
        },
        check("concurrent appends are all there") { factory in
            let store = try await factory.open()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for task in 0..<8 {
                    group.addTask {
                        for number in 0..<10 { _ = try await store.append(WriteSet(batches: [logs([(start, "\(task)-\(number)")])])) }
                    }
                }
                try await group.waitForAll()
            }
            try expectEqual(Set(try await texts(try store.snapshot())).count, 80, "rows")
            try await store.close()
        },
        check("a malformed batch is refused wholly") { factory in
            let store = try await factory.open()
            var bad = logs([(start, "bad")])
            bad[.body] = .bytes(ByteColumn())
            try await expectError("a batch with a short column", { $0 == .malformedBatch(signal: .logs) }) {
                _ = try await store.append(WriteSet(batches: [samples([(1, 1)]), bad]))
            }
            try expectEqual(try await texts(try store.snapshot()), [], "rows of a refused request")
            try expectEqual(try await values(try store.snapshot()).count, 0, "samples of a refused request")
            try await store.close()
        },
        check("a closed store says so") { factory in
            let store = try await factory.open()
            try await store.close()
            try await expectError("append", { $0 == .closed }) { _ = try await store.append(WriteSet(batches: [logs([(start, "late")])])) }
            try await expectError("flush", { $0 == .closed }) { try await store.flush() }
            try await expectError("snapshot", { $0 == .closed }) { _ = try store.snapshot() }
        },
        check("a floor hides what is before it, for good") { factory in
            let store = try await factory.open()
            let times: [Int64] = (0..<10).map { start + $0 * 86_400 * second / 4 }
            _ = try await store.append(WriteSet(batches: [logs(times.map { ($0, "\($0)") }), samples(times.map { ($0 / 1_000_000, 1) })]))
            try await store.retain(.logs, from: Timestamp(nanoseconds: times[6] + 1))
            // A floor never moves back.
            try await store.retain(.logs, from: Timestamp(nanoseconds: times[2]))
            try await throughLife(factory, store) { store, when in
                try expectEqual(try await texts(try store.snapshot()), times[7...].map { "\($0)" }, "log records \(when)")
                try expectEqual(try await values(try store.snapshot()).count, 10, "samples, whose floor did not move, \(when)")
                let before = TimeRange(start: Timestamp(nanoseconds: times[0]), end: Timestamp(nanoseconds: times[5]))
                try expectEqual(try await store.snapshot().streams(.logs, matching: [], in: before, limit: 9), [], "streams below the floor \(when)")
            }
        },
        check("statistics count what was appended") { factory in
            let store = try await factory.open()
            _ = try await store.append(WriteSet(batches: [logs([(start, "a"), (start, "b")]), samples([(1_700_000_000_000, 1)])]))
            try expectEqual(store.statistics.signals[.logs]?.appendedRows, 2, "log records")
            try expectEqual(store.statistics.signals[.samples]?.appendedRows, 1, "samples")
            try expect(store.statistics.commits > 0, "no commits are counted")
            try await store.close()
        },
    ]
}
