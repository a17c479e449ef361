import OrielStore
import OrielTelemetry

/// For engines that keep pins.
extension StoreConformance {
    private static func floor(_ time: Int64) -> Timestamp { Timestamp(nanoseconds: time) }

    private static let minute = TimeRange(start: Timestamp(nanoseconds: start), end: Timestamp(nanoseconds: start + 60 * second))

    static let pinning: [Check] = [
        check("a pinned window outlives the floor, answers once, and goes when it is unpinned") { factory in
            var store = try await factory.open()
            guard store.capabilities.contains(.pins) else { return }
            let (shop, cart) = (scope("shop"), scope("cart"))
            _ = try await store.append(WriteSet(batches: [logs([(start, "a"), (start + second, "b"), (start + 90 * second, "c")], shop)]))
            _ = try await store.append(WriteSet(batches: [logs([(start, "other")], cart)]))
            try await store.flush()
            _ = try await store.append(WriteSet(batches: [logs([(start + 2 * second, "d")], shop)]))
            let pin = try await store.pin(
                PinSelection(signals: [.logs], range: minute, streamMatchers: [StreamMatcher("service.name", .equal, "shop")]), note: "incident 7")
            try expectEqual(pin.rowCount, 3, "rows of the pin")
            _ = try await store.append(WriteSet(batches: [logs([(start + 3 * second, "later")], shop)]))
            try expectEqual(try await texts(try store.snapshot()).sorted(), ["a", "b", "c", "d", "later", "other"], "rows above the floor")
            // Between two pinned rows.
            try await store.retain(.logs, from: floor(start + second + 1))
            try expectEqual(try await texts(try store.snapshot()), ["a", "b", "d", "later", "c"], "rows around the floor")
            try await store.retain(.logs, from: floor(start + 80 * second))
            for crashes in [true, false] {
                try expectEqual(try await texts(try store.snapshot()), ["a", "b", "d", "c"], "rows")
                let descending = ScanPlan(signal: .logs, order: .timeDescending, limit: 3)
                try expectEqual(try await texts(try store.snapshot(), descending), ["c", "d", "b"], "the newest rows")
                let names = try await store.snapshot().labelValues("service.name", .logs, matching: [], in: .all)
                try expectEqual(names, ["shop"], "services")
                try expectEqual(try await store.pins(), [pin], "pins")
                try await store.flush()
                if crashes { try await factory.abandon(store) } else { try await store.close() }
                store = try await factory.open()
            }
            try expect(try await store.unpin(pin.id), "the pin is known")
            try expect(try await !store.unpin(pin.id), "it is gone")
            try expectEqual(try await texts(try store.snapshot()), ["c"], "rows without a pin")
            try expectEqual(try await store.pins(), [], "pins")
            try await store.close()
            store = try await factory.open()
            try expectEqual(try await texts(try store.snapshot()), ["c"], "rows after a restart")
            let next = try await store.pin(.trace(TraceID(high: 1, low: 1)), note: "")
            try expect(next.id > pin.id, "ids of pins grow")
            try await store.close()
        },
        check("a pinned trace stays whole over signals") { factory in
            let store = try await factory.open()
            guard store.capabilities.contains(.pins) else { return }
            let (wanted, other) = (TraceID(high: 1, low: 2), TraceID(high: 1, low: 3))
            for (id, trace) in [(UInt64(1), wanted), (2, other), (3, wanted)] {
                _ = try await store.append(
                    WriteSet(batches: [spans([SpanRow(trace: trace, id: id, parent: id == 3 ? 1 : 0, time: start + Int64(id) * second)])]))
                if id < 3 { try await store.flush() }
            }
            let pin = try await store.pin(.trace(wanted), note: "slow")
            try expectEqual(pin.rowCount, 2, "spans of the pin")
            let before = try await store.snapshot().summaries(TraceSummaryQuery(range: .all, limit: 10)).filter { $0.traceID == wanted }
            // One span of the trace is above the floor, the other below.
            for time in [start + 2 * second, start + 3600 * second] {
                try await store.retain(.spans, from: floor(time))
                let snapshot = try store.snapshot()
                try expectEqual(try await snapshot.traces([wanted, other], hint: nil).count, time < start + 3600 * second ? 3 : 2, "spans")
                let listed = try await snapshot.summaries(TraceSummaryQuery(range: .all, limit: 10)).filter { $0.traceID == wanted }
                try expectEqual(listed, before, "the summary")
                let counted = try await snapshot.aggregate(
                    ScanPlan(signal: .spans, traceIDs: [wanted]), by: Aggregation(measures: [.count]))
                let scanned = try await rows(snapshot, ScanPlan(signal: .spans, traceIDs: [wanted])).count
                try expectEqual(scanned, 2, "scanned spans")
                try expectEqual(counted.count == 1 ? counted.measure(0, of: 0) : nil, .count(2), "counted spans")
            }
            try await store.close()
        },
        check("what two pins hold answers once, and stays until both are gone") { factory in
            let store = try await factory.open()
            guard store.capabilities.contains(.pins) else { return }
            let series = series("up")
            _ = try await store.append(
                WriteSet(batches: [
                    logs([(start, "a"), (start + second, "b"), (start + 2 * second, "c")]),
                    samples([(start / 1_000_000, 1), (start / 1_000_000 + 1000, 2)], series),
                ]))
            func window(_ from: Int64, _ to: Int64) -> PinSelection {
                PinSelection(
                    signals: [.logs, .samples], range: TimeRange(start: Timestamp(nanoseconds: start + from * second), end: floor(start + to * second)))
            }
            let older = try await store.pin(window(0, 2), note: "first")
            let newer = try await store.pin(window(1, 3), note: "second")
            for signal in [Signal.logs, .samples] { try await store.retain(signal, from: floor(start + 3600 * second)) }
            try expectEqual(try await texts(try store.snapshot()), ["a", "b", "c"], "rows of both")
            try expectEqual(try await values(try store.snapshot()).count, 2, "samples of both")
            _ = try await store.unpin(older.id)
            try expectEqual(try await texts(try store.snapshot()), ["b", "c"], "rows of the second")
            try expectEqual(try await values(try store.snapshot()).map { $0[1] }, [2], "samples of the second")
            _ = try await store.unpin(newer.id)
            try expectEqual(try await texts(try store.snapshot()), [], "rows of none")
            try await store.close()
        },
        check("deletions take pinned rows, physically too") { factory in
            let store = try await factory.open()
            guard store.capabilities.contains(.pins) else { return }
            _ = try await store.append(WriteSet(batches: [logs([(start, "kept"), (start + second, "secret")])]))
            let pin = try await store.pin(PinSelection(signals: [.logs]), note: "")
            try await store.retain(.logs, from: floor(start + 3600 * second))
            let deletion = Deletion(
                signals: [.logs], range: TimeRange(start: Timestamp(nanoseconds: start + second), end: Timestamp(nanoseconds: start + 2 * second)))
            _ = try await store.delete(deletion)
            try expectEqual(try await texts(try store.snapshot()), ["kept"], "rows")
            let deadline = Timestamp.now.advanced(by: 60 * second)
            while try await store.deletions().contains(where: { $0.completed == nil }), Timestamp.now < deadline {
                // Redo goes with the next commits, or when nothing happens.
                try await store.flush()
                await Task.yield()
            }
            try expect(try await store.deletions().allSatisfy { $0.completed != nil }, "the deletion is complete")
            try expectEqual(try await store.pins().map(\.rowCount), [1], "rows of the pin")
            try await throughLife(factory, store) { store, when in
                try expectEqual(try await texts(try store.snapshot()), ["kept"], "rows \(when)")
                try expectEqual(try await store.pins().map(\.id), [pin.id], "pins \(when)")
            }
        },
    ]
}
