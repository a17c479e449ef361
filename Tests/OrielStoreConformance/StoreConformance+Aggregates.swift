import OrielStore
import OrielTelemetry

extension StoreConformance {
    /// All of a plan's rows in full, by a plain scan.
    private static func batches(_ snapshot: any StoreSnapshot, _ plan: ScanPlan) async throws -> [ColumnBatch] {
        var plan = plan
        plan.projection = .everything
        let cursor = try snapshot.scan(plan)
        var batches: [ColumnBatch] = []
        while let batch = try await cursor.next() { batches.append(batch) }
        return batches
    }

    static let aggregating: [Check] = [
        check("aggregates are those of the rows that a scan delivers") { factory in
            let store = try await factory.open()
            var generator = TelemetryGenerator(seed: 71)
            try await fillAll(store, &generator, requests: 6, rows: 90)
            try await throughLife(factory, store) { store, when in
                let snapshot = try store.snapshot()
                for signal in Signal.allCases {
                    let streams = try await snapshot.streams(signal, matching: [], in: .all, limit: .max).map(\.id)
                    for number in 0..<20 {
                        var plan = generator.plan(signal, streams: streams)
                        if number % 4 == 3 { plan.position = try await position(snapshot, plan, behind: 5) }
                        let aggregation = generator.aggregation(signal)
                        let expected = try ReferenceAggregation.table(try await batches(snapshot, plan), by: aggregation, signal: signal)
                        let what = "seed 71, \(when), number \(number), \(aggregation) of \(plan)"
                        try expectSameMeasures(try await snapshot.aggregate(plan, by: aggregation), expected, what)
                        let parts = try await snapshot.partitions(of: plan, count: 3)
                        var merged = AggregateTable(aggregation, signal: signal)
                        for part in parts { try merged.merge(try await snapshot.aggregate(part, by: aggregation)) }
                        try expectSameMeasures(merged, expected, "merged from \(parts.count) parts: \(what)")
                    }
                }
            }
        },
        check("counts by stream, service and hour add up") { factory in
            let store = try await factory.open()
            let hour = 3_600 * second
            var rows: [(time: Int64, text: String)] = []
            for number in 0..<600 { rows.append((start + Int64(number) * 60 * second, "row \(number)")) }
            for service in ["cart", "checkout"] { _ = try await store.append(WriteSet(batches: [logs(rows, scope(service))])) }
            try await throughLife(factory, store) { store, when in
                let snapshot = try store.snapshot()
                func counts(_ aggregation: Aggregation, _ plan: ScanPlan = ScanPlan(signal: .logs)) async throws -> [Int64] {
                    let table = try await snapshot.aggregate(plan, by: aggregation)
                    return (0..<table.count).compactMap { if case .count(let count) = table.measure(0, of: $0) { count } else { nil } }.sorted()
                }
                try expectEqual(try await counts(Aggregation()), [1_200], "all rows \(when)")
                try expectEqual(try await counts(Aggregation(keys: [.stream])), [600, 600], "rows by stream \(when)")
                try expectEqual(try await counts(Aggregation(keys: [.field(.serviceName)])), [600, 600], "rows by service \(when)")
                let hourly = Aggregation(timeBuckets: TimeBuckets(origin: Timestamp(nanoseconds: start), width: hour))
                try expectEqual(try await counts(hourly), Array(repeating: 120, count: 10), "rows by hour \(when)")
                let range = TimeRange(start: Timestamp(nanoseconds: start + hour), end: Timestamp(nanoseconds: start + 3 * hour))
                let plan = ScanPlan(signal: .logs, range: range, streamMatchers: [StreamMatcher("service.name", .equal, "cart")])
                try expectEqual(try await counts(Aggregation(keys: [.stream]), plan), [120], "two hours of one service \(when)")
                try expectEqual(try await counts(hourly, plan), [60, 60], "two hours of one service by hour \(when)")
            }
        },
        check("stale markers and replaced samples are no values, and integers sum exactly") { factory in
            let store = try await factory.open()
            let time = start / 1_000_000
            _ = try await store.append(WriteSet(batches: [samples([(time, 5), (time + 1, 7), (time + 2, .staleMarker), (time + 3, .nan)])]))
            try await store.flush()
            _ = try await store.append(WriteSet(batches: [samples([(time, 2)])]))
            _ = try await store.append(
                WriteSet(batches: [
                    logs((0..<3).map { (start + $0, "x") }, attributes: [.max, .max, .min].map { [Attribute("n", .int($0))] })
                ]))
            let value = Field.column(.value)
            try await throughLife(factory, store) { store, when in
                let snapshot = try store.snapshot()
                let table = try await snapshot.aggregate(
                    ScanPlan(signal: .samples),
                    by: Aggregation(
                        keys: [.stream],
                        measures: [.count, .valueCount(value), .minimum(value), .maximum(value), .first(value), .distribution(value, schema: 0)]))
                try expectEqual(table.count, 1, "series \(when)")
                try expectEqual((0..<5).map { table.measure($0, of: 0).value }, [.int(4), .int(3), .double(2), .double(7), .double(2)], "measures \(when)")
                guard case .distribution(let distribution) = table.measure(5, of: 0) else { throw ConformanceFailure("no distribution \(when)") }
                try expectEqual(
                    distribution.positive, [.init(index: 1, count: 1), .init(index: 3, count: 1)], "buckets of 2 and 7 \(when)")
                let sums = try await snapshot.aggregate(ScanPlan(signal: .logs), by: Aggregation(measures: [.sum(.attribute("n"))]))
                try expectEqual(sums.measure(0, of: 0).value, .int(.max - 1), "sum \(when)")
                let two = try await snapshot.aggregate(ScanPlan(signal: .logs, limit: 2), by: Aggregation(measures: [.sum(.attribute("n"))]))
                try expectEqual(two.measure(0, of: 0).value, .double(0x1p64), "sum beyond 64 bits \(when)")
            }
        },
        check("too many groups and senseless aggregations are refused, and no rows make no groups") { factory in
            let store = try await factory.open()
            _ = try await store.append(WriteSet(batches: [logs((0..<10).map { (start + $0, "\($0)") })]))
            try await throughLife(factory, store) { store, when in
                let snapshot = try store.snapshot()
                let plan = ScanPlan(signal: .logs)
                var aggregation = Aggregation(keys: [.field(.column(.body))], groupLimit: 10)
                try expectEqual(try await snapshot.aggregate(plan, by: aggregation).count, 10, "groups \(when)")
                aggregation.groupLimit = 9
                try await expectError("nine groups where there are ten \(when)", { $0 == .tooManyGroups(limit: 9) }) {
                    _ = try await snapshot.aggregate(plan, by: aggregation)
                }
                func isUnsupported(_ error: StoreError) -> Bool { if case .unsupported = error { true } else { false } }
                try await expectError("buckets without width \(when)", isUnsupported) {
                    _ = try await snapshot.aggregate(plan, by: Aggregation(timeBuckets: TimeBuckets(width: 0)))
                }
                try await expectError("a schema beyond all others \(when)", isUnsupported) {
                    _ = try await snapshot.aggregate(plan, by: Aggregation(measures: [.distribution(.time, schema: 9)]))
                }
                try expectEqual(try await snapshot.aggregate(ScanPlan(signal: .spans), by: Aggregation()).count, 0, "groups of no rows \(when)")
                try expectEqual(try await snapshot.aggregate(ScanPlan(signal: .logs, limit: 0), by: Aggregation()).count, 0, "groups of limit 0 \(when)")
                try await expectError("a deadline that has passed \(when)", { if case .deadlineExceeded = $0 { true } else { false } }) {
                    _ = try await snapshot.aggregate(ScanPlan(signal: .logs, deadline: Timestamp(nanoseconds: 1)), by: Aggregation(keys: [.stream]))
                }
            }
        },
    ]
}
