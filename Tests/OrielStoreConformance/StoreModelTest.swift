import OrielStore
import OrielTelemetry
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Random appends, flushes, floors and restarts, each step compared with a ``ReferenceStore``: every order, cursors of all page sizes, streams, labels, traces and summaries.
public struct StoreModelTest {
    private let factory: any StoreFactory
    private let seed: UInt64
    private var generator: TelemetryGenerator
    private let ids = StreamIDTable()
    private let reference: ReferenceStore
    private var store: any TelemetryStore
    private var history: [String] = []
    /// A scan that is carried on through whatever happens to the store's files.
    private var openScans: [OpenScan] = []
    /// Pins by their ids in the store and in the reference.
    private var pins: [(id: UInt64, reference: UInt64)] = []
    private var lastRequest: (writeSet: WriteSet, receipt: Receipt)?

    private struct OpenScan {
        var plan: ScanPlan
        var page: Int
        var found: [RowText]
        var expected: [RowText]
    }

    /// How much longer than in the normal run: `ORIEL_TEST_ROUNDS`, 1 by default.
    public static let rounds = number("ORIEL_TEST_ROUNDS") ?? 1
    /// Added to all seeds: `ORIEL_TEST_SEED`, 0 by default.
    public static let firstSeed = number("ORIEL_TEST_SEED").map { UInt64($0) } ?? 0

    private static func number(_ variable: String) -> Int? {
        // Nothing sets variables while tests run, so the text stays where it is.
        guard let text = unsafe getenv(variable) else { return nil }
        return Int(unsafe String(cString: text)).map { max(0, $0) }
    }

    /// - Parameter factory: A fresh place.
    public init(seed: UInt64, factory: any StoreFactory) async throws {
        self.seed = seed
        self.factory = factory
        generator = TelemetryGenerator(seed: seed)
        let ids = ids
        reference = ReferenceStore.Place(streamID: { ids[$0] }).openReference()
        store = try await factory.open()
    }

    /// Takes some steps and compares after each. The error of a failure names the seed and all steps up to it.
    public mutating func run(steps: Int) async throws {
        do {
            for _ in 0..<steps {
                try await step()
                try await compare()
            }
            while !openScans.isEmpty { try await carryOn(0, toEnd: true) }
            try await store.close()
        } catch {
            throw ConformanceFailure("seed \(seed) after \(history.joined(separator: ", ")): \(error)")
        }
    }

    private mutating func step() async throws {
        switch generator.random.below(store.capabilities.contains(.pins) ? 23 : 21) {
        case 0..<3:
            history.append("flush")
            try await store.flush()
        case 3:
            let crashes = generator.random.oneIn(2)
            history.append(crashes ? "crash" : "restart")
            if crashes { try await factory.abandon(store) } else { try await store.close() }
            store = try await factory.open()
        case 4:
            let signal = generator.random.pick(Signal.allCases)
            let floor = Timestamp(nanoseconds: generator.start + Int64(generator.random.below(100)) * 60_000_000_000 - 86_400_000_000_000)
            history.append("floor of \(signal.name) at \(floor.nanoseconds)")
            try await store.retain(signal, from: floor)
            try await reference.retain(signal, from: floor)
            // What a cursor has not reached yet may be gone now.
            openScans = []
        case 5:
            guard let lastRequest else { return }
            history.append("retry")
            let receipt = try await store.append(lastRequest.writeSet)
            try expect(receipt.isDuplicate, "a retried request was stored again")
            try expectEqual(receipt.sequence, lastRequest.receipt.sequence, "sequence of a retried request")
        case 20:
            let deletion = generator.deletion()
            history.append("deletion of \(deletion)")
            _ = try await store.delete(deletion)
            _ = try await reference.delete(deletion)
            // What a cursor has not reached yet may be gone now.
            openScans = []
        case 21:
            var selection = PinSelection(signals: [generator.random.pick(Signal.allCases)], range: generator.range())
            if generator.random.oneIn(2) { selection.signals.insert(generator.random.pick(Signal.allCases)) }
            if generator.random.oneIn(3) { selection.traceIDs = Set(generator.traceIDs.prefix(3)) }
            history.append("pin of \(selection)")
            let pin = try await store.pin(selection, note: "step \(history.count)")
            let expected = try await reference.pin(selection, note: pin.note)
            try expectEqual(pin.rowCount, expected.rowCount, "rows of a pin")
            pins.append((pin.id, expected.id))
        case 22:
            guard !pins.isEmpty else { return }
            let pin = pins.remove(at: generator.random.below(pins.count))
            history.append("unpin \(pin.id)")
            try expect(try await store.unpin(pin.id), "a pin is unknown")
            _ = try await reference.unpin(pin.reference)
            // What a cursor has not reached yet may be gone now.
            openScans = []
        case 6:
            history.append("concurrent appends")
            // Requests of different signals, so that row numbers do not depend on who comes first.
            let store = store
            let sets = Signal.allCases.map { WriteSet(batches: [generator.batch($0, rows: 20)]) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writeSet in sets { group.addTask { _ = try await store.append(writeSet) } }
                try await group.waitForAll()
            }
            for writeSet in sets { try await appendToReference(writeSet) }
        default:
            var writeSet = generator.writeSet(rows: generator.random.oneIn(10) ? 800 : 40)
            if generator.random.oneIn(2) { writeSet.requestKey = RequestKey(high: generator.random.next(), low: generator.random.next()) }
            if generator.random.oneIn(4) {
                writeSet.families = [MetricFamily(name: generator.random.pick(["up", "b"]), kind: .counter, help: "help \(generator.random.below(9))")]
            }
            history.append("append \(writeSet.rowCount)")
            let receipt = try await store.append(writeSet)
            // Rows below the floor may be refused or kept out of sight.
            let others = receipt.rejected.filter { $0.reason != .beforeRetention }
            try expect(others.isEmpty && !receipt.isDuplicate, "a new request was refused or taken for a retry: \(receipt)")
            if writeSet.requestKey != nil { lastRequest = (writeSet, receipt) }
            try await appendToReference(writeSet)
        }
    }

    private func appendToReference(_ writeSet: WriteSet) async throws {
        try await ids.learn(from: store)
        _ = try await reference.append(writeSet)
    }

    private mutating func compare() async throws {
        let snapshot = try store.snapshot()
        let model = try reference.snapshot()
        for signal in Signal.allCases {
            let streams = ids.all
            let plan = generator.plan(signal, streams: streams)
            let expected = try await rows(model, plan)
            try expectRows(try await rows(snapshot, plan), expected, "\(plan)")
            let page = generator.random.pick([1, 3, 17, 200])
            if expected.count <= 400 || page > 3 {
                try expectRows(try await pages(store, plan, page), expected, "in pages of \(page): \(plan)")
            }
            if plan.limit == nil, openScans.count < 4 { openScans.append(OpenScan(plan: plan, page: page, found: [], expected: expected)) }
            try await compareStreams(snapshot, model, signal)
            let aggregation = generator.aggregation(signal)
            try expectSameMeasures(
                try await snapshot.aggregate(plan, by: aggregation), try await model.aggregate(plan, by: aggregation), ordsMatch: false,
                "\(aggregation) of \(plan)")
        }
        try expectEqual(try await snapshot.families(), try await model.families(), "families")
        try await compareTraces(snapshot, model)
        if !openScans.isEmpty { try await carryOn(generator.random.below(openScans.count), toEnd: false) }
    }

    /// The next page of an open scan, on a new snapshot; what was appended since is not looked for, but nothing old may be missed or come twice.
    private mutating func carryOn(_ index: Int, toEnd: Bool) async throws {
        repeat {
            var plan = openScans[index].plan
            plan.limit = openScans[index].page
            let cursor = try store.snapshot().scan(plan)
            var count = 0
            while let batch = try await cursor.next() {
                count += batch.count
                openScans[index].found += batch.rowTexts
            }
            openScans[index].plan.position = cursor.position ?? plan.position
            if count < openScans[index].page {
                // Rows that came since may stand between the old ones; samples may have been replaced.
                if openScans[index].plan.signal.hasOrds {
                    var missing: [RowText: Int] = [:]
                    for row in openScans[index].expected { missing[row, default: 0] += 1 }
                    for row in openScans[index].found { missing[row, default: 0] -= 1 }
                    if let row = missing.first(where: { $0.value > 0 }) {
                        throw ConformanceFailure("a scan in pages of \(openScans[index].page) missed \(row.key) of \(openScans[index].plan)")
                    }
                }
                openScans.remove(at: index)
                return
            }
        } while toEnd
    }

    private mutating func compareStreams(_ snapshot: any StoreSnapshot, _ model: any StoreSnapshot, _ signal: Signal) async throws {
        let range = generator.range()
        let matchers = generator.random.oneIn(2) ? [] : generator.matchers(signal)
        let limit = generator.random.oneIn(3) ? 2 : 1_000
        // By their bytes, since a NaN in a resource would not equal itself.
        func streams(_ snapshot: any StoreSnapshot) async throws -> [String] {
            try await snapshot.streams(signal, matching: matchers, in: range, limit: limit).map { "\($0.id) \($0.descriptor.encoded)" }
        }
        try expectEqual(
            try await streams(snapshot), try await streams(model), "streams of \(signal.name) with \(matchers) in \(range)")
        try expectEqual(
            try await snapshot.labelNames(signal, matching: matchers, in: range), try await model.labelNames(signal, matching: matchers, in: range),
            "label names of \(signal.name) with \(matchers) in \(range)")
        let name = generator.random.pick(["service.name", "job", "zone", "host.id", "otel.scope.version"])
        try expectEqual(
            try await snapshot.labelValues(name, signal, matching: matchers, in: range),
            try await model.labelValues(name, signal, matching: matchers, in: range), "values of \(name), \(signal.name) with \(matchers) in \(range)")
    }

    private mutating func compareTraces(_ snapshot: any StoreSnapshot, _ model: any StoreSnapshot) async throws {
        let ids = (0..<generator.random.below(4)).map { _ in generator.random.pick(generator.traceIDs) }
        try expectEqual(
            try await snapshot.traces(ids, hint: nil).rowTexts.sorted(), try await model.traces(ids, hint: nil).rowTexts.sorted(), "spans of \(ids)")
        var query = TraceSummaryQuery(range: generator.range(), limit: generator.random.pick([1, 5, 100]))
        if generator.random.oneIn(3) { query.predicate = generator.predicate(.spans) }
        if generator.random.oneIn(3) { query.streamMatchers = generator.matchers(.spans) }
        if generator.random.oneIn(3) { query.minimumDuration = Int64(generator.random.below(100)) * 1_000_000_000_000 }
        if generator.random.oneIn(5) { query.maximumDuration = Int64(generator.random.below(100)) * 1_000_000_000_000 }
        let expected = try await model.summaries(query)
        try expectEqual(try await snapshot.summaries(query), expected, "summaries of \(query)")
        if let last = expected.last {
            query.after = TraceSummaryQuery.Position(start: last.start, traceID: last.traceID)
            try expectEqual(try await snapshot.summaries(query), try await model.summaries(query), "next page of summaries of \(query)")
        }
    }
}

/// All rows of a plan, printed, with the bounds on batches checked.
func rows(_ snapshot: any StoreSnapshot, _ plan: ScanPlan) async throws -> [RowText] {
    var found: [RowText] = []
    let cursor = try snapshot.scan(plan)
    while let batch = try await cursor.next() {
        try expect(batch.count > 0, "an empty batch")
        try expect(batch.hasConsistentCounts && batch.streams.ids.count == batch.streams.count, "a malformed batch")
        try expect(batch.signal == plan.signal, "a batch of another signal")
        try expectEqual(batch.ords.count, plan.signal.hasOrds ? batch.count : 0, "number of ords")
        found += batch.rowTexts
    }
    return found
}

/// All rows of a plan in pages, each from a snapshot of its own and a position that went through text.
func pages(_ store: any TelemetryStore, _ plan: ScanPlan, _ page: Int) async throws -> [RowText] {
    var found: [RowText] = []
    var plan = plan
    let limit = plan.limit ?? .max
    while found.count < limit {
        plan.limit = min(page, limit - found.count)
        let cursor = try store.snapshot().scan(plan)
        var count = 0
        while let batch = try await cursor.next() {
            count += batch.count
            found += batch.rowTexts
        }
        try expect(count <= page, "a page of \(count) rows where \(page) are the limit")
        if count < plan.limit ?? 0 { break }
        guard let position = cursor.position else { throw ConformanceFailure("no position after rows were delivered") }
        plan.position = ScanPosition("\(position)")
        try expectEqual(plan.position, position, "a position read from its text")
    }
    return found
}

/// Stream ids as an engine assigned them, by descriptor.
final class StreamIDTable: Sendable {
    private let ids = Mutex<[[UInt8]: StreamID]>([:])

    /// The id that was learnt, else one that no engine assigns.
    subscript(descriptor: [UInt8]) -> StreamID {
        ids.withLock { $0[descriptor] } ?? StreamID(high: .max, low: ByteHash.hash(descriptor.span))
    }

    var all: [StreamID] { ids.withLock { $0.values.sorted() } }

    /// Asks a store for all its streams.
    func learn(from store: any TelemetryStore) async throws {
        let snapshot = try store.snapshot()
        for signal in Signal.allCases {
            for stream in try await snapshot.streams(signal, matching: [], in: .all, limit: .max) {
                ids.withLock { $0[stream.descriptor.encoded] = stream.id }
            }
        }
    }
}
