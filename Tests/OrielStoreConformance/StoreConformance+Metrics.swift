import OrielStore
import OrielTelemetry

extension StoreConformance {
    static let metrics: [Check] = [
        check("of samples with equal stream and time the last one stays") { factory in
            let time: Int64 = 1_700_000_000_000
            let store = try await factory.open()
            _ = try await store.append(WriteSet(batches: [samples([(time, 1), (time, 2), (time + 1, 10)])]))
            try expectEqual(try await values(try store.snapshot()), [[Double(time), 2], [Double(time + 1), 10]], "within a request")
            try await store.flush()
            _ = try await store.append(WriteSet(batches: [samples([(time, 3)])]))
            try expectEqual(try await values(try store.snapshot()), [[Double(time), 3], [Double(time + 1), 10]], "over a flushed sample")
            try await store.flush()
            _ = try await store.append(WriteSet(batches: [samples([(time, .staleMarker)])]))
            _ = try await store.append(WriteSet(batches: [samples([(time, 4)])]))
            try await throughLife(factory, store) { store, when in
                for order in [ScanOrder.time, .timeDescending, .streamThenTime] {
                    let found = try await values(try store.snapshot(), ScanPlan(signal: .samples, order: order))
                    try expectEqual(Set(found), [[Double(time), 4], [Double(time + 1), 10]], "by \(order) \(when)")
                    try expectEqual(found.count, 2, "number of samples by \(order) \(when)")
                }
            }
        },
        check("a predicate does not bring back a replaced sample") { factory in
            let time: Int64 = 1_700_000_000_000
            let store = try await factory.open()
            _ = try await store.append(WriteSet(batches: [samples([(time, 100)])]))
            try await store.flush()
            _ = try await store.append(WriteSet(batches: [samples([(time, 1), (time + 1, 200)])]))
            let plan = ScanPlan(signal: .samples, predicate: .compare(.column(.value), .greater, .int(50), missing: .unknown), limit: 1)
            try await throughLife(factory, store) { store, when in
                try expectEqual(try await values(try store.snapshot(), plan), [[Double(time + 1), 200]], when)
            }
        },
        check("a stream comes contiguous, its samples by time") { factory in
            let time: Int64 = 1_700_000_000_000
            let store = try await factory.open()
            for hour in [3, 1, 2, 0, 30] {
                for host in 0..<5 {
                    let stream = series("up", [Label("instance", "host-\(host)")])
                    _ = try await store.append(WriteSet(batches: [samples([(time + Int64(hour) * 3_600_000, Double(hour))], stream)]))
                }
                if hour == 2 { try await store.flush() }
            }
            try await throughLife(factory, store) { store, when in
                let found = try await values(try store.snapshot()).map { $0[1] }
                try expectEqual(found, Array(repeating: [0, 1, 2, 3, 30], count: 5).flatMap { $0 }, when)
            }
        },
        check("delta points are summed in commit order") { factory in
            let time: Int64 = 1_700_000_000_000
            let store = try await factory.open()
            func deltas(_ rows: [(start: Int64, end: Int64, value: Double)]) -> WriteSet {
                var writeSet = WriteSet()
                for row in rows {
                    writeSet.deltas.samples.streamIndexes.append(UInt32(writeSet.deltas.samples.streams.intern(series("requests_total"))))
                    writeSet.deltas.samples.times.append(row.end)
                    writeSet.deltas.samples.values.append(row.value)
                    writeSet.deltas.sampleStartTimes.append(row.start)
                }
                return writeSet
            }
            _ = try await store.append(deltas([(time, time + 1_000, 5), (time + 1_000, time + 2_000, 2)]))
            let receipt = try await store.append(deltas([(time + 1_500, time + 2_500, 100), (time + 2_000, time + 3_000, 3)]))
            try expectEqual(
                receipt.rejected, [Receipt.Rejection(signal: .samples, reason: .overlappingDelta, count: 1)], "rejections of a point that overlaps the sum")
            let expected = [[Double(time), 0], [Double(time + 1_000), 5], [Double(time + 2_000), 7], [Double(time + 3_000), 10]]
            try expectEqual(try await values(try store.snapshot()), expected, "sums")
            try await store.flush()
            try await store.close()
            let reopened = try await factory.open()
            try expectEqual(try await values(try reopened.snapshot()), expected, "sums after a restart")
            _ = try await reopened.append(deltas([(time + 3_000, time + 4_000, 1)]))
            try expectEqual(try await values(try reopened.snapshot()).last, [Double(time + 4_000), 11], "a sum that went on after a restart")
            try await reopened.close()
        },
    ]
}
