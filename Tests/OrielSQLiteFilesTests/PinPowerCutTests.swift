import OrielStore
import OrielTelemetry
import Synchronization
import Testing

@testable import OrielSQLite

/// Cuts the power while pins are made, given up and written anew: each is there wholly or not at all, and no row of it answers twice.
struct PinPowerCutTests {
    private let options = StoreRows.options
    private static let day: Int64 = 86_400_000_000_000

    /// The rows of one request.
    private func selection(_ number: Int) -> PinSelection {
        let start = 20_000 * Self.day + Int64(number * 1000)
        return PinSelection(
            signals: [.logs, .samples],
            range: TimeRange(start: Timestamp(nanoseconds: start - Int64(number * 1000)), end: Timestamp(nanoseconds: start + 1_000)))
    }

    private func prepare(_ root: String, _ layer: RecordingFileLayer, _ points: CrashPoints = CrashPoints()) async throws -> SQLiteStore {
        let store = try await SQLiteStore.open(folder: root, options: options, files: layer, crashPoints: points)
        for number in 0..<4 {
            _ = try await store.append(StoreRows.request(number))
            if number == 1 { try await store.flush() }
        }
        return store
    }

    private let floor = Timestamp(nanoseconds: 20_001 * PinPowerCutTests.day)

    /// The requests of which log records are there, in whole; `nil` when a row comes twice or a part is missing.
    private func requests(_ store: SQLiteStore) async throws -> Set<Int>? {
        let logs = try await StoreRows.contents(of: store).logs
        let numbers = Set(logs.map { $0 / 1000 })
        return logs == numbers.sorted().flatMap { StoreRows.expected($0) } ? numbers : nil
    }

    /// Looks over two starts at what an image has, with the floor above all rows.
    private func check(_ image: String, allowed: [Set<Int>], _ note: String) async throws {
        var first: Set<Int>?
        for attempt in 1...2 {
            let store = try await SQLiteStore.open(folder: image, options: options)
            if attempt == 1 {
                for signal in [Signal.logs, .samples] { try await store.retain(signal, from: floor) }
                try await store.flush()
            }
            let found = try await requests(store)
            #expect(found.map { allowed.contains($0) } ?? false, "\(note), start \(attempt): \(String(describing: found)) of \(allowed)")
            if attempt == 2 { #expect(found == first, "\(note): the second start differs") }
            first = found
            #expect(store.statistics.recovery.isEmpty, "\(note): \(store.statistics.recovery)")
            #expect(try await store.pins().allSatisfy { $0.rowCount > 0 }, "\(note): a pin without rows")
            // What is not in use is gone.
            let rows = try store.core.withAppDatabase { try AppDatabase.pinFiles($0) }
            let names = try POSIXFileLayer().exists(image + "/data/pins") ? POSIXFileLayer().list(image + "/data/pins") : []
            #expect(Set(names) == Set(rows.map { "\($0.id).seg" }), "\(note): \(names)")
            #expect(rows.allSatisfy { $0.state == .live }, "\(note)")
            try await store.stop(flushing: false)
        }
    }

    @Test func aPinIsWholeOrNotThereAfterAnyOperation() async throws {
        let folder = try TemporaryFolder()
        let root = try folder.folder("live")
        let layer = RecordingFileLayer(root: root)
        let store = try await prepare(root, layer)
        var marks = [layer.operations.count]
        let first = try await store.pin(selection(0), note: "first")
        marks.append(layer.operations.count)
        // Holds what the first holds too.
        _ = try await store.pin(selection(1), note: "second")
        marks.append(layer.operations.count)
        #expect(try await store.unpin(first.id))
        marks.append(layer.operations.count)
        try await store.stop(flushing: false)
        let states: [Set<Int>] = [[], [0], [0, 1], [0, 1]]
        let operations = layer.operations
        for count in stride(from: marks[0], through: marks[3], by: powerCutStep(3)) {
            let image = try folder.folder("image")
            try PowerCut.image(of: Array(operations.prefix(count)), after: count, seed: UInt64(count), into: image)
            let done = marks.lastIndex { $0 <= count } ?? 0
            try await check(image, allowed: Array(states[done...min(done + 1, 3)]), "after \(count) of \(marks)")
        }
    }

    @Test(arguments: [CrashPoint.pinRenamed, .pinCommitted], 1...3)
    func crashPoints(_ point: CrashPoint, _ time: Int) async throws {
        let folder = try TemporaryFolder()
        let root = try folder.folder("live")
        let layer = RecordingFileLayer(root: root)
        let count = Atomic(0)
        let points = CrashPoints { reached in
            if reached == point, count.add(1, ordering: .relaxed).newValue == time { layer.cutPower() }
        }
        let store = try await prepare(root, layer, points)
        do {
            let first = try await store.pin(selection(0), note: "first")
            _ = try await store.pin(selection(1), note: "second")
            _ = try await store.unpin(first.id)
        } catch {
            #expect(layer.isCut, "\(error)")
        }
        #expect(layer.isCut, "the point is never reached")
        do {
            try await store.stop(flushing: false)
        } catch {
            // The layer is dead; the threads are gone all the same.
        }
        let states: [Set<Int>] = [[], [0], [0, 1], [0, 1]]
        for seed in 0..<2 as Range<UInt64> {
            let image = try folder.folder("image")
            try PowerCut.image(of: layer.operations, after: layer.operations.count, seed: seed, into: image)
            try await check(image, allowed: [states[point == .pinRenamed ? time - 1 : time]], "\(point) \(time), seed \(seed)")
        }
    }

    @Test func pinsSurviveALostHotDatabaseAndALostAppDatabase() async throws {
        let folder = try TemporaryFolder()
        let root = try folder.folder("live")
        var store = try await prepare(root, RecordingFileLayer(root: root))
        _ = try await store.pin(selection(1), note: "incident")
        for signal in [Signal.logs, .samples] { try await store.retain(signal, from: floor) }
        try await store.close()
        let files = POSIXFileLayer()
        for name in try files.list(root) where name.hasPrefix("hot-") { try files.unlink(root + "/" + name) }
        store = try await SQLiteStore.open(folder: root, options: options)
        #expect(try await requests(store) == [0, 1])
        #expect(try await store.pins().map(\.note) == ["incident"])
        try await store.close()

        for name in try files.list(root) where name.hasPrefix("app.db") { try files.unlink(root + "/" + name) }
        store = try await SQLiteStore.open(folder: root, options: options)
        #expect(try await requests(store) == [0, 1])
        #expect(try await store.pins().allSatisfy { $0.note == "found without its record" })
        #expect(!store.statistics.recovery.losses.isEmpty)
        for pin in try await store.pins() { _ = try await store.unpin(pin.id) }
        #expect(try await requests(store) == [])
        try await store.close()
        #expect(try files.list(root + "/data/pins") == [])
    }

    @Test func aBackupHasThePins() async throws {
        let folder = try TemporaryFolder()
        let root = try folder.folder("live")
        var store = try await prepare(root, RecordingFileLayer(root: root))
        let pin = try await store.pin(selection(1), note: "incident")
        for signal in [Signal.logs, .samples] { try await store.retain(signal, from: floor) }
        try await store.flush()
        _ = try await store.backup(to: folder.path + "/backup")
        _ = try await store.unpin(pin.id)
        try await store.close()
        _ = try await Restore.run(folder.path + "/backup", to: folder.path + "/restored")
        store = try await SQLiteStore.open(folder: folder.path + "/restored", options: options)
        #expect(try await requests(store) == [0, 1])
        #expect(try await store.pins() == [pin])
        #expect(store.statistics.recovery.isEmpty)
        try await store.close()
    }

    @Test func pinsAreBounded() async throws {
        let folder = try TemporaryFolder()
        var options = options
        options.pinnedBytes = 100_000
        let store = try await SQLiteStore.open(folder: folder.path, options: options)
        for number in 0..<4 { _ = try await store.append(StoreRows.request(number)) }
        _ = try await store.pin(PinSelection(signals: [.logs], range: selection(1).range), note: "")
        await #expect(throws: StoreError.self) { _ = try await store.pin(PinSelection(signals: [.logs]), note: "") }
        #expect(try await store.pins().count == 1)
        #expect(try POSIXFileLayer().list(folder.path + "/data/pins").count == 1)
        try await store.close()
    }
}
