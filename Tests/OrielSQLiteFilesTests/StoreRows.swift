import OrielStore
import OrielTelemetry

@testable import OrielSQLite

/// Small requests, and what a store holds of them.
enum StoreRows {
    /// A request with `count` log records and as many samples, told apart by `number`.
    ///
    /// - Parameter noise: Bytes of text in each log record that hardly compress.
    static func request(_ number: Int, count: Int = 2, day: Int64 = 20_000, noise: Int = 0, key: RequestKey? = nil) -> WriteSet {
        var logs = LogBatch()
        let stream = logs.streams.intern(
            .scope(Resource(attributes: [Attribute("service.name", .string("service \(number % 3)"))]), InstrumentationScope(name: "test")))
        var samples = SampleBatch()
        let series = samples.streams.intern(.series(unsorted: [Label("__name__", "requests"), Label("job", "\(number % 5)")]))
        for row in 0..<count {
            let id = number * 1000 + row
            logs.streamIndexes.append(UInt32(stream))
            logs.times.append(day * 86_400_000_000_000 + Int64(id))
            logs.traceIDs.append(TraceID(high: 0, low: UInt64(id + 1)))
            logs.spanIDs.append(UInt64(id))
            logs.severityNumbers.append(9)
            logs.severityTexts.append("INFO")
            logs.bodyTypes.append(Int64(AttributeType.string.rawValue))
            logs.bodies.append("row \(id)")
            logs.observedTimes.append(0)
            logs.timeOrigins.append(0)
            logs.flags.append(0)
            logs.droppedAttributesCounts.append(0)
            logs.eventNames.append("")
            var attributes = [Attribute("id", .int(Int64(id))), Attribute("name", .string("n\(id)"))]
            if noise > 0 {
                var letters: [UInt8] = []
                while letters.count < noise {
                    // 16 letters of 4 bits at a time, of one word.
                    var bits = UInt64.random(in: 0...UInt64.max)
                    for _ in 0..<16 {
                        letters.append(UInt8(ascii: "a") + UInt8(bits & 15))
                        bits >>= 4
                    }
                }
                attributes.append(Attribute("noise", .string(String(decoding: letters, as: UTF8.self))))
            }
            logs.attributes.appendRow(attributes)
            samples.streamIndexes.append(UInt32(series))
            samples.times.append(day * 86_400_000 + Int64(id))
            samples.values.append(Double(id))
        }
        return WriteSet(batches: [logs.columnBatch, samples.columnBatch], requestKey: key)
    }

    /// The rows of request `number` as `contents(of:)` lists them.
    static func expected(_ number: Int, count: Int = 2) -> [Int] {
        (0..<count).map { number * 1000 + $0 }
    }

    /// Options for tests: any time, nothing by itself.
    static var options: StoreOptions {
        var options = StoreOptions()
        options.futureBound = nil
        options.appliesRetention = false
        options.maintainsItself = false
        return options
    }

    /// The ids of all log records and of all samples, sorted; each row's parts are checked against each other.
    static func contents(of store: SQLiteStore) async throws -> (logs: [Int], samples: [Int]) {
        let snapshot = try store.snapshot()
        var logs: [Int] = []
        let logCursor = try snapshot.scan(ScanPlan(signal: .logs))
        while let batch = try await logCursor.next() {
            guard let rows = LogBatch(batch) else { throw Mismatch(description: "not a batch of logs") }
            for row in 0..<rows.count {
                let id = Int(rows.spanIDs[row])
                guard rows.bodies.string(at: row) == "row \(id)", rows.attributes.value(of: "id", row: row) == .int(Int64(id)),
                    rows.attributes.value(of: "name", row: row) == .string("n\(id)"), rows.times[row] % 86_400_000_000_000 == Int64(id),
                    rows.traceIDs[row].low == UInt64(id + 1),
                    case .scope(let resource, _) = try rows.streams.decoded(Int(rows.streamIndexes[row])),
                    resource.serviceName == "service \(id / 1000 % 3)"
                else {
                    throw Mismatch(description: "log record \(id) is not what was appended")
                }
                logs.append(id)
            }
        }
        var samples: [Int] = []
        let sampleCursor = try snapshot.scan(ScanPlan(signal: .samples, order: .streamThenTime))
        while let batch = try await sampleCursor.next() {
            guard let rows = SampleBatch(batch) else { throw Mismatch(description: "not a batch of samples") }
            for row in 0..<rows.count {
                let id = Int(rows.values[row])
                guard rows.times[row] % 86_400_000 == Int64(id),
                    case .series(let labels) = try rows.streams.decoded(Int(rows.streamIndexes[row])),
                    labels.contains(Label("job", "\(id / 1000 % 5)"))
                else {
                    throw Mismatch(description: "sample \(id) is not what was appended")
                }
                samples.append(id)
            }
        }
        return (logs.sorted(), samples.sorted())
    }

    struct Mismatch: Error, CustomStringConvertible {
        var description: String
    }
}
