import OrielStore
import OrielTelemetry

extension StoreConformance {
    static let catalogue: [Check] = [
        check("streams, label names and values of a range") { factory in
            let store = try await factory.open()
            let time: Int64 = 1_700_000_000_000
            let hour: Int64 = 3_600_000
            for number in 0..<6 {
                let stream = series("up", [Label("instance", "host-\(number)"), Label(number < 3 ? "zone" : "rack", "r\(number)")])
                _ = try await store.append(WriteSet(batches: [samples([(time + Int64(number) * hour, 1)], stream)]))
                if number % 2 == 0 { try await store.flush() }
            }
            _ = try await store.append(WriteSet(batches: [logs([(start, "a")], scope("cart", [Attribute("pod", "p")]))]))
            func range(_ from: Int64, _ to: Int64) -> TimeRange {
                TimeRange(start: Timestamp(milliseconds: time + from * hour), end: Timestamp(milliseconds: time + to * hour))
            }
            try await throughLife(factory, store) { store, when in
                let snapshot = try store.snapshot()
                let all = try await snapshot.streams(.samples, matching: [], in: .all, limit: 100)
                try expectEqual(all.count, 6, "streams \(when)")
                try expectEqual(all.map(\.id), all.map(\.id).sorted(), "order of streams \(when)")
                try expectEqual(try await snapshot.streams(.samples, matching: [], in: .all, limit: 2), Array(all.prefix(2)), "first streams \(when)")
                try expectEqual(try await snapshot.streams(.samples, matching: [], in: range(1, 3), limit: 100).count, 2, "streams of a range \(when)")
                let names = try await snapshot.labelNames(.samples, matching: [], in: .all)
                try expectEqual(names, ["__name__", "instance", "rack", "zone"], "names \(when)")
                try expectEqual(
                    try await snapshot.labelNames(.samples, matching: [], in: range(0, 3)), ["__name__", "instance", "zone"], "names of a range \(when)")
                try expectEqual(
                    try await snapshot.labelValues("instance", .samples, matching: [], in: range(4, 9)), ["host-4", "host-5"], "values of a range \(when)")
                let matcher = StreamMatcher("zone", .equal, "r1")
                try expectEqual(try await snapshot.labelValues("instance", .samples, matching: [matcher], in: .all), ["host-1"], "matched values \(when)")
                try expectEqual(try await snapshot.labelValues("absent", .samples, matching: [], in: .all), [], "values of an unknown name \(when)")
                try expectEqual(
                    try await snapshot.labelNames(.logs, matching: [], in: .all), ["otel.scope.name", "pod", "service.name"], "names of log records \(when)")
            }
        },
        check("the last word about a metric family stays") { factory in
            let store = try await factory.open()
            _ = try await store.append(
                WriteSet(families: [MetricFamily(name: "b", kind: .gauge, unit: "s", help: "old"), MetricFamily(name: "a", kind: .counter)]))
            _ = try await store.append(WriteSet(families: [MetricFamily(name: "b", kind: .histogram, unit: "ms", help: "new")]))
            let expected = [MetricFamily(name: "a", kind: .counter), MetricFamily(name: "b", kind: .histogram, unit: "ms", help: "new")]
            try await throughLife(factory, store) { store, when in
                try expectEqual(try await store.snapshot().families(), expected, when)
            }
        },
    ]

    static let changes: [Check] = [
        check("changes come in commit order from where the reader was") { factory in
            let store = try await factory.open()
            _ = try await store.append(WriteSet(batches: [logs([(start, "before")])]))
            let past = Timestamp(nanoseconds: 1)
            let present = try await store.changes(after: nil, signal: .logs, deadline: past)
            try expectEqual(present.batches.rowTexts, [], "rows before the present")
            // Later rows have earlier times: commit order is not time order.
            for number in 0..<5 { _ = try await store.append(WriteSet(batches: [logs([(start - Int64(number), "\(number)")]), samples([(1, 1)])])) }
            func bodies(_ changes: Changes) throws -> [String] {
                try changes.batches.flatMap { batch in
                    guard let logs = LogBatch(batch) else { throw ConformanceFailure("a batch of \(batch.signal.name)") }
                    try expect(batch.streams.count > 0 && batch.ords.count == batch.count, "changes without streams or ords")
                    return (0..<logs.count).map { logs.bodies.string(at: $0) }
                }
            }
            var found: [String] = []
            var position = present.position
            while found.count < 5 {
                let changes = try await store.changes(after: position, signal: .logs, deadline: past)
                try expect(!changes.batches.isEmpty, "only \(found) of five changes")
                try expect(!changes.hasGap, "a gap where there is none")
                try expect(position.sequence < changes.position.sequence, "the position does not move")
                found += try bodies(changes)
                position = changes.position
            }
            try expectEqual(found, ["0", "1", "2", "3", "4"], "changes")
            let none = try await store.changes(after: position, signal: .logs, deadline: past)
            try expectEqual(none.batches.count, 0, "changes at the end")
            try await store.close()
        },
        check("a reader that waits is woken by a commit") { factory in
            let store = try await factory.open()
            let present = try await store.changes(after: nil, signal: .logs, deadline: Timestamp(nanoseconds: 1))
            async let waiting = store.changes(after: present.position, signal: .logs, deadline: Timestamp.now.advanced(by: 30 * second))
            _ = try await store.append(WriteSet(batches: [samples([(1, 1)])]))
            _ = try await store.append(WriteSet(batches: [logs([(start, "news")])]))
            let changes = try await waiting
            try expectEqual(changes.batches.reduce(0) { $0 + $1.count }, 1, "rows that the reader was woken with")
            try await store.close()
        },
    ]
}
