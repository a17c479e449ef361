import OrielStore
import OrielTelemetry

extension StoreConformance {
    private static let orders: [ScanOrder] = [.time, .timeDescending, .streamThenTime]

    /// Appends rows of all signals in several requests, with flushes between some.
    private static func fill(_ store: any TelemetryStore, seed: UInt64, requests: Int = 8, rows: Int = 120) async throws {
        var generator = TelemetryGenerator(seed: seed)
        for request in 0..<requests {
            _ = try await store.append(WriteSet(batches: Signal.allCases.map { generator.batch($0, rows: rows) }))
            if request % 3 == 1 { try await store.flush() }
        }
    }

    /// Positions of all rows of a plan.
    static func positions(_ snapshot: any StoreSnapshot, _ plan: ScanPlan) async throws -> [ScanPosition] {
        var found: [ScanPosition] = []
        let cursor = try snapshot.scan(plan)
        while let batch = try await cursor.next() {
            for row in 0..<batch.count {
                guard let stream = batch.streams.id(Int(batch.streamIndexes[row])) else { throw ConformanceFailure("a row without a stream id") }
                found.append(ScanPosition(time: batch.times[row], stream: stream, ord: batch.ords.isEmpty ? 0 : batch.ords[row]))
            }
        }
        return found
    }

    static let scanning: [Check] = [
        check("rows come in the plan's order") { factory in
            let store = try await factory.open()
            try await fill(store, seed: 21)
            try await throughLife(factory, store) { store, when in
                for signal in Signal.allCases {
                    var sets: [Set<ScanPosition>] = []
                    for order in orders {
                        let found = try await positions(try store.snapshot(), ScanPlan(signal: signal, projection: .positions, order: order))
                        for (left, right) in zip(found, found.dropFirst()) {
                            try expect(left.precedes(right, in: order), "\(signal.name) by \(order) \(when): \(left) comes before \(right)")
                        }
                        sets.append(Set(found))
                    }
                    try expect(sets[0].count > 300 && sets[0] == sets[1] && sets[0] == sets[2], "\(signal.name) \(when): the orders show different rows")
                }
            }
        },
        check("rows of equal time and stream keep the order in which they were committed") { factory in
            let store = try await factory.open()
            for number in 0..<40 {
                _ = try await store.append(WriteSet(batches: [logs([(start, "\(number)a"), (start, "\(number)b")])]))
                if number == 10 || number == 25 { try await store.flush() }
            }
            let expected = (0..<40).flatMap { ["\($0)a", "\($0)b"] }
            try await throughLife(factory, store) { store, when in
                try expectEqual(try await texts(try store.snapshot()), expected, "forward \(when)")
                try expectEqual(try await texts(try store.snapshot(), ScanPlan(signal: .logs, order: .timeDescending)), expected.reversed(), "backward \(when)")
            }
        },
        check("pages lose and repeat nothing, under equal times and through flush and restart") { factory in
            let store = try await factory.open()
            try await fill(store, seed: 22, requests: 5, rows: 60)
            var cursors: [(plan: ScanPlan, expected: [RowText], found: [RowText])] = []
            for signal in Signal.allCases {
                for order in orders {
                    let plan = ScanPlan(signal: signal, order: order)
                    cursors.append((plan, try await rows(try store.snapshot(), plan), []))
                }
            }
            try await throughLife(factory, store) { store, when in
                for index in cursors.indices {
                    for page in [1, 7, 30] {
                        var plan = cursors[index].plan
                        plan.limit = page
                        let cursor = try store.snapshot().scan(plan)
                        while let batch = try await cursor.next() { cursors[index].found += batch.rowTexts }
                        cursors[index].plan.position = cursor.position
                    }
                    let expected = Array(cursors[index].expected.prefix(cursors[index].found.count))
                    try expectRows(cursors[index].found, expected, "pages of \(cursors[index].plan.signal.name) by \(cursors[index].plan.order) \(when)")
                }
                for signal in [Signal.logs, .samples] {
                    for order in orders {
                        let plan = ScanPlan(signal: signal, order: order)
                        try expectRows(
                            try await pages(store, plan, 11), try await rows(try store.snapshot(), plan), "\(signal.name) by \(order) in pages of 11 \(when)")
                    }
                }
            }
        },
        check("a limit is kept, and the first rows are the right ones") { factory in
            let store = try await factory.open()
            try await fill(store, seed: 23)
            let snapshot = try store.snapshot()
            for signal in Signal.allCases {
                for order in orders {
                    let all = try await rows(snapshot, ScanPlan(signal: signal, order: order))
                    for limit in [0, 1, 50, all.count, all.count + 1] {
                        let found = try await rows(snapshot, ScanPlan(signal: signal, order: order, limit: limit))
                        try expectRows(found, Array(all.prefix(limit)), "first \(limit) of \(signal.name) by \(order)")
                    }
                }
            }
            try await store.close()
        },
        check("a range is half open, and a millisecond belongs to it when its first nanosecond does") { factory in
            let store = try await factory.open()
            let milliseconds = start / 1_000_000
            _ = try await store.append(
                WriteSet(batches: [
                    logs((0..<5).map { (start + $0, "\($0)") }), samples((0..<5).map { (milliseconds + $0, Double($0)) }),
                ]))
            func range(_ from: Int64, _ to: Int64) -> TimeRange {
                TimeRange(start: Timestamp(nanoseconds: start + from), end: Timestamp(nanoseconds: start + to))
            }
            try await throughLife(factory, store) { store, when in
                let snapshot = try store.snapshot()
                try expectEqual(try await texts(snapshot, ScanPlan(signal: .logs, range: range(1, 3))), ["1", "2"], "log records \(when)")
                try expectEqual(try await texts(snapshot, ScanPlan(signal: .logs, range: range(3, 3))), [], "an empty range \(when)")
                let whole = try await values(snapshot, ScanPlan(signal: .samples, range: range(1_000_000, 3_000_000)))
                try expectEqual(whole.map { $0[1] }, [1, 2], "samples \(when)")
                let between = try await values(snapshot, ScanPlan(signal: .samples, range: range(1_000_001, 3_000_001)))
                try expectEqual(between.map { $0[1] }, [2, 3], "samples between milliseconds \(when)")
            }
        },
        check("a projection brings what it names and nothing else") { factory in
            let store = try await factory.open()
            try await fill(store, seed: 24, requests: 3)
            try await throughLife(factory, store) { store, when in
                let snapshot = try store.snapshot()
                for signal in Signal.allCases {
                    for id in signal.columns {
                        let cursor = try snapshot.scan(ScanPlan(signal: signal, projection: Projection(columns: [id], attributes: .none)))
                        while let batch = try await cursor.next() {
                            for other in signal.columns {
                                let isAbsent = batch[other] == .absent
                                try expect(isAbsent == (other != id), "column \(other) of \(signal.name) when \(id) is asked for \(when)")
                            }
                            try expect(batch.attributes == nil, "attributes that were not asked for \(when)")
                        }
                    }
                }
                let keys: Set<String> = ["user.id", "k"]
                let all = try snapshot.scan(ScanPlan(signal: .logs))
                var expected: [[String]] = []
                while let batch = try await all.next() {
                    guard let table = batch.attributes else { throw ConformanceFailure("no attributes \(when)") }
                    for row in 0..<batch.count { expected.append(table.attributes(of: row).filter { keys.contains($0.key) }.map { "\($0)" }.sorted()) }
                }
                let some = try snapshot.scan(ScanPlan(signal: .logs, projection: Projection(columns: [], attributes: .keys(keys))))
                var found: [[String]] = []
                while let batch = try await some.next() {
                    guard let table = batch.attributes else { throw ConformanceFailure("no attributes \(when)") }
                    for row in 0..<batch.count { found.append(table.attributes(of: row).map { "\($0)" }.sorted()) }
                }
                try expectEqual(found.count, expected.count, "rows \(when)")
                for (found, expected) in zip(found, expected) { try expectEqual(found, expected, "projected attributes \(when)") }
            }
        },
        check("a projection without streams' labels brings their ids") { factory in
            let store = try await factory.open()
            try await fill(store, seed: 25, requests: 3)
            try await throughLife(factory, store) { store, when in
                let snapshot = try store.snapshot()
                for signal in Signal.allCases {
                    for order in [ScanOrder.time, .streamThenTime] {
                        var plan = ScanPlan(signal: signal, order: order)
                        let expected = try await positions(snapshot, plan)
                        plan.projection.describesStreams = false
                        try expectEqual(try await positions(snapshot, plan), expected, "positions of \(signal.name) \(when)")
                        let cursor = try snapshot.scan(plan)
                        while let batch = try await cursor.next() {
                            let streams = batch.streams
                            try expect(
                                !streams.hasDescriptors && streams.count == streams.ids.count && Set(streams.ids).count == streams.count,
                                "a table of distinct ids of \(signal.name) \(when)")
                            try expect(streams.descriptors.count == streams.count && streams.descriptors.bytes.isEmpty, "descriptors of \(signal.name) \(when)")
                        }
                    }
                }
            }
        },
        check("a scan whose deadline has passed ends with an error") { factory in
            let store = try await factory.open()
            _ = try await store.append(WriteSet(batches: [logs([(start, "x")])]))
            let snapshot = try store.snapshot()
            try await expectError(
                "a deadline in the past",
                {
                    if case .deadlineExceeded = $0 { true } else { false }
                }
            ) {
                _ = try await rows(snapshot, ScanPlan(signal: .logs, deadline: Timestamp(nanoseconds: 1)))
            }
            try await store.close()
        },
        check("batches are bounded") { factory in
            let store = try await factory.open()
            let count = 20_000
            _ = try await store.append(WriteSet(batches: [logs((0..<count).map { (start + Int64($0 % 100), "row \($0)") })]))
            try await throughLife(factory, store) { store, when in
                for order in orders {
                    let cursor = try store.snapshot().scan(ScanPlan(signal: .logs, projection: .positions, order: order))
                    var found = 0
                    while let batch = try await cursor.next() {
                        try expect(batch.count <= 4_096, "a batch of \(batch.count) rows \(when)")
                        found += batch.count
                    }
                    try expectEqual(found, count, "rows by \(order) \(when)")
                }
            }
        },
    ]
}
