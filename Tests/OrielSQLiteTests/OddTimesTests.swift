@testable import OrielSQLite
import OrielStore
import OrielStoreConformance
import OrielTelemetry
import Synchronization
import Testing

/// Late, early and odd data, and clocks that are set.
@Suite("Odd times")
struct OddTimesTests {
    private static let day: Int64 = 86_400_000_000_000
    private static let hour: Int64 = 3_600_000_000_000

    private static var options: StoreOptions {
        var options = StoreOptions()
        options.maintainsItself = false
        options.retention = Dictionary(uniqueKeysWithValues: Signal.allCases.map { ($0, 30 * day) })
        return options
    }

    /// Log records, numbered by their span ids, and samples whose values are these numbers, at the same moments.
    private func rows(_ times: [Int64], from first: Int = 0) -> WriteSet {
        var logs = LogBatch()
        var samples = SampleBatch()
        for (index, time) in times.enumerated() {
            logs.streamIndexes.append(
                UInt32(logs.streams.intern(.scope(Resource(attributes: [Attribute("service.name", .string("shop"))]), InstrumentationScope()))))
            logs.times.append(time)
            logs.traceIDs.append(.zero)
            logs.spanIDs.append(UInt64(first + index))
            logs.severityNumbers.append(9)
            logs.severityTexts.append("INFO")
            logs.appendBody(.string("row \(first + index)"))
            logs.observedTimes.append(0)
            logs.timeOrigins.append(0)
            logs.flags.append(0)
            logs.droppedAttributesCounts.append(0)
            logs.eventNames.append("")
            logs.attributes.appendRow([])
            let name = "series \(first + index)"
            samples.streamIndexes.append(UInt32(samples.streams.intern(.series(unsorted: [Label(Label.metricName, name)]))))
            samples.times.append(time / 1_000_000)
            samples.values.append(Double(first + index))
        }
        return WriteSet(batches: [logs.columnBatch, samples.columnBatch])
    }

    /// The numbers of all rows of a signal in a range, in the order of their times.
    private func numbers(_ store: any TelemetryStore, _ signal: Signal, _ range: TimeRange = .all) async throws -> [Int] {
        let cursor = try store.snapshot().scan(ScanPlan(signal: signal, range: range))
        var found: [Int] = []
        var last = Int64.min
        while let batch = try await cursor.next() {
            #expect(
                batch.times.allSatisfy { time in
                    defer { last = time }; return time >= last
                }, "rows out of order")
            switch (batch[.spanID], batch[.value]) {
            case (.identifiers(let ids), _): found += ids.map { Int($0) }
            case (_, .doubles(let values)): found += values.map { Int($0) }
            default: Issue.record("neither log records nor samples")
            }
        }
        return found
    }

    @Test("rows of any age within retention are taken, others are refused by reason, each by itself")
    func ages() async throws {
        let folder = try SQLiteFolder(OddTimesTests.options)
        let store = try await folder.open()
        let now = Timestamp.now.nanoseconds
        let (day, hour) = (OddTimesTests.day, OddTimesTests.hour)
        let taken = [now - 30 * day + hour, now - 29 * day, now - day, now - hour, now, now + hour / 2, now + hour - hour / 60]
        let early = [now - 30 * day - hour, now - 400 * day, 0, -day, Int64.min]
        let late = [now + hour + hour / 60, now + 400 * day, Int64.max]
        let receipt = try await store.append(rows(taken + early + late))
        for signal in [Signal.logs, .samples] {
            let rejected = Dictionary(uniqueKeysWithValues: receipt.rejected.filter { $0.signal == signal }.map { ($0.reason, $0.count) })
            #expect(rejected == [.beforeRetention: early.count, .tooFarInFuture: late.count], "\(signal.name)")
        }
        #expect(store.statistics.signals[.logs]?.rejectedRows == early.count + late.count)
        for _ in 0..<2 {
            for signal in [Signal.logs, .samples] { #expect(try await numbers(store, signal) == Array(taken.indices), "\(signal.name)") }
            try await store.flush()
        }
        try await store.close()
    }

    @Test("without bounds any time that nanoseconds can express is taken")
    func extremes() async throws {
        var options = OddTimesTests.options
        options.appliesRetention = false
        options.futureBound = nil
        let folder = try SQLiteFolder(options)
        var store = try await folder.open()
        let year = 365 * OddTimesTests.day
        let times = [Int64.min + 2_000_000, -200 * year, -1, 0, 1, 200 * year, Int64.max - 2_000_000]
        // One at a time, so that each has a file that merges may take.
        for (number, time) in times.enumerated() {
            #expect(try await store.append(rows([time], from: number)).rejected.isEmpty, "\(time)")
            try await store.flush()
        }
        for _ in 0..<2 {
            for signal in [Signal.logs, .samples] {
                #expect(try await numbers(store, signal).sorted() == Array(times.indices), "\(signal.name)")
            }
            try await store.close()
            store = try await folder.open()
        }
        try await store.close()
    }

    @Test("rows on both sides of days and slots are each on theirs, through flushes and merges")
    func borders() async throws {
        let folder = try SQLiteFolder(OddTimesTests.options)
        let store = try await folder.open()
        let midnight = (Timestamp.now.nanoseconds / OddTimesTests.day - 3) * OddTimesTests.day
        var times: [Int64] = []
        for border in [midnight, midnight + OddTimesTests.hour / 4, midnight + 2 * OddTimesTests.hour, midnight + OddTimesTests.day] {
            times += [border - 1_000_000, border, border + 1_000_000]
        }
        for (number, time) in times.enumerated().shuffled() {
            _ = try await store.append(rows([time], from: number))
            if number % 2 == 0 { try await store.flush() }
        }
        for when in ["before", "after"] {
            for signal in [Signal.logs, .samples] {
                #expect(try await numbers(store, signal) == Array(times.indices), "\(signal.name) \(when) the last flush")
                for (number, time) in times.enumerated() {
                    let range = TimeRange(start: Timestamp(nanoseconds: time), end: Timestamp(nanoseconds: time + 1_000_000))
                    #expect(try await numbers(store, signal, range) == [number], "\(signal.name) \(when) the last flush")
                }
            }
            try await store.flush()
        }
        try await store.close()
    }

    @Test("a backfill of 30 days in random order ends with every row once and few files")
    func backfill() async throws {
        let folder = try SQLiteFolder(OddTimesTests.options)
        let store = try await folder.open()
        let start = Timestamp.now.nanoseconds - 30 * OddTimesTests.day + OddTimesTests.hour
        var random = SplitMix64(seed: 30)
        let count = 6_000
        var times = (0..<count).map { start + Int64($0) * (29 * OddTimesTests.day / Int64(count)) }
        let order = times.indices.shuffled(using: &random)
        times = order.map { times[$0] }
        var number = 0
        while number < count {
            let end = min(count, number + 1 + random.below(120))
            _ = try await store.append(rows(Array(times[number..<end]), from: number))
            number = end
            if random.oneIn(2) { try await store.flush() }
        }
        for _ in 0..<3 { try await store.flush() }
        let expected = times.indices.sorted { times[$0] < times[$1] }
        for signal in [Signal.logs, .samples] {
            #expect(try await numbers(store, signal) == expected, "\(signal.name)")
            let paths = try FolderScan(folder.path, files: POSIXFileLayer()).segments.keys.filter { $0.hasPrefix("data/\(signal.name)/") }
            let perFolder = Dictionary(grouping: paths) { $0.parentDirectory }.mapValues(\.count)
            #expect(perFolder.values.allSatisfy { $0 <= 8 }, "\(signal.name): \(perFolder)")
        }
        try await store.close()
    }

    @Test("late rows below the floor are refused, and those that wait in memory when it moves are gone")
    func belowTheFloor() async throws {
        let folder = try SQLiteFolder(OddTimesTests.options)
        var store = try await folder.open()
        let now = Timestamp.now.nanoseconds
        _ = try await store.append(rows([now - 5 * OddTimesTests.day, now - OddTimesTests.day]))
        for signal in [Signal.logs, .samples] { try await store.retain(signal, from: Timestamp(nanoseconds: now - 2 * OddTimesTests.day)) }
        let receipt = try await store.append(rows([now - 4 * OddTimesTests.day, now], from: 2))
        #expect(receipt.rejected.allSatisfy { $0.reason == .beforeRetention && $0.count == 1 } && receipt.rejected.count == 2)
        // A floor never moves back.
        try await store.retain(.logs, from: Timestamp(nanoseconds: 0))
        for _ in 0..<3 {
            for signal in [Signal.logs, .samples] { #expect(try await numbers(store, signal) == [1, 3], "\(signal.name)") }
            try await store.close()
            store = try await folder.open()
        }
        try await store.close()
    }

    @Test("request keys are forgotten after their window also when the clock was set back")
    func keysAndClock() {
        var seen = SeenRequests(window: 300)
        func key(_ number: UInt64) -> RequestKey { RequestKey(high: 0, low: number) }
        for number in 0..<3 as Range<UInt64> {
            seen.insert(key(number), Receipt(sequence: CommitSequence(rawValue: number)), time: Timestamp(nanoseconds: 10_000))
        }
        // Set back a little: a retry is still a retry.
        #expect(seen.expire(now: Timestamp(nanoseconds: 9_900)) == nil)
        #expect(seen.receipt(key(1), now: Timestamp(nanoseconds: 9_900)) != nil)
        // Set back far: nothing is kept for ever.
        #expect(seen.expire(now: Timestamp(nanoseconds: 500)) == CommitSequence(rawValue: 2))
        #expect(seen.receipt(key(1), now: Timestamp(nanoseconds: 500)) == nil)
    }

    @Test("nothing expires for an hour after the clock has leapt ahead, and everything goes on after it was set back")
    func leaps() {
        let clock = SteadyClock()
        var watch = ClockWatch(steady: { clock.time })
        var now: Int64 = 1_700_000_000_000_000_000
        func pass(_ nanoseconds: Int64, leap: Int64 = 0) -> Int64 {
            clock.advance(nanoseconds)
            now += nanoseconds + leap
            return watch.note(Timestamp(nanoseconds: now))
        }
        #expect(pass(0) == 0 && pass(OddTimesTests.hour) == 0 && !watch.isDoubtful)
        // Adjusted a little.
        #expect(pass(1_000_000_000, leap: 60_000_000_000) > 0 && !watch.isDoubtful)
        #expect(pass(1_000_000_000, leap: 3650 * OddTimesTests.day) > ClockWatch.largestLeap && watch.isDoubtful)
        #expect(pass(60_000_000_000) == 0 && watch.isDoubtful)
        #expect(pass(1_000_000_000, leap: -3650 * OddTimesTests.day) < 0 && !watch.isDoubtful)
        // Nobody sets it back: it is right.
        #expect(pass(1_000_000_000, leap: 2 * OddTimesTests.day) > 0 && watch.isDoubtful)
        #expect(pass(OddTimesTests.hour) == 0 && !watch.isDoubtful)
    }

    private final class SteadyClock: Sendable {
        private let value = Mutex<Int64>(0)

        var time: Int64 { value.withLock { $0 } }

        func advance(_ nanoseconds: Int64) { value.withLock { $0 += nanoseconds } }
    }
}
