import OrielStore
import OrielTelemetry

extension StoreConformance {
    /// Appends rows of all signals in several requests, with flushes between some.
    static func fillAll(_ store: any TelemetryStore, _ generator: inout TelemetryGenerator, requests: Int, rows: Int) async throws {
        for request in 0..<requests {
            _ = try await store.append(WriteSet(batches: Signal.allCases.map { generator.batch($0, rows: rows) }))
            if request % 3 == 1 { try await store.flush() }
        }
    }

    static let partitioning: [Check] = [
        check("the parts of a plan have its rows, each once, in order") { factory in
            let store = try await factory.open()
            var generator = TelemetryGenerator(seed: 61)
            try await fillAll(store, &generator, requests: 6, rows: 90)
            try await throughLife(factory, store) { store, when in
                let snapshot = try store.snapshot()
                for signal in Signal.allCases {
                    let streams = try await snapshot.streams(signal, matching: [], in: .all, limit: .max).map(\.id)
                    for number in 0..<15 {
                        var plan = generator.plan(signal, streams: streams)
                        if number % 4 == 3 { plan.position = try await position(snapshot, plan, behind: 5) }
                        let count = generator.random.pick([1, 2, 3, 8])
                        try await comparePartitions(snapshot, plan, count, "seed 61, \(when), number \(number), \(count) parts of \(plan)")
                    }
                }
            }
        },
        check("a plan over many rows is split, and a series is whole in one part") { factory in
            let store = try await factory.open()
            var generator = TelemetryGenerator(seed: 62)
            try await fillAll(store, &generator, requests: 4, rows: 300)
            try await throughLife(factory, store) { store, when in
                let snapshot = try store.snapshot()
                for signal in Signal.allCases {
                    let parts = try await snapshot.partitions(of: ScanPlan(signal: signal, projection: .positions), count: 4)
                    try expect((2...4).contains(parts.count), "\(signal.name) \(when): \(parts.count) parts instead of about 4")
                    var seen: [StreamID: Int] = [:]
                    for (number, part) in parts.enumerated() where signal.isMetric {
                        let cursor = try snapshot.scan(part)
                        while let batch = try await cursor.next() {
                            for id in batch.streams.ids {
                                try expectEqual(seen[id, default: number], number, "part with series \(id) of \(signal.name) \(when)")
                                seen[id] = number
                            }
                        }
                    }
                }
            }
        },
    ]

    /// The place behind the first rows of a plan, where a next page begins.
    static func position(_ snapshot: any StoreSnapshot, _ plan: ScanPlan, behind count: Int) async throws -> ScanPosition? {
        var plan = plan
        plan.limit = count
        let cursor = try snapshot.scan(plan)
        while try await cursor.next() != nil {}
        return cursor.position
    }

    static func comparePartitions(_ snapshot: any StoreSnapshot, _ plan: ScanPlan, _ count: Int, _ what: String) async throws {
        let parts = try await snapshot.partitions(of: plan, count: count)
        try expect((1...max(1, count)).contains(parts.count), "\(parts.count) parts: \(what)")
        var found: [RowText] = []
        for part in parts { found += try await rows(snapshot, part) }
        let expected = try await rows(snapshot, plan)
        let isCutByOrder = plan.signal.isMetric == (plan.order == .streamThenTime)
        if isCutByOrder {
            try expectRows(found, expected, what)
        } else {
            try expectRows(found.sorted(), expected.sorted(), what)
        }
    }
}
