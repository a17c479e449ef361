import OrielStore
import OrielTelemetry
import Testing

@testable import OrielSQLite

struct DiskBudgetTests {
    private func files(_ count: Int, bytes: Int64, from day: Int64 = 0) -> [DiskBudget.File] {
        (0..<Int64(count)).map { .init(end: Timestamp(nanoseconds: (day + $0) * 100), byteCount: bytes) }
    }

    private let budget = DiskBudget(shares: [.logs: 0.5, .spans: 0.5])
    private let late = Timestamp(nanoseconds: 1_000_000)

    @Test func theSignalFurthestAboveItsSharePaysFirst() {
        let floors = budget.floors([.logs: files(8, bytes: 10), .spans: files(4, bytes: 10)], allowed: 100, excess: 20, latest: late)
        #expect(floors == [.logs: Timestamp(nanoseconds: 101)])
    }

    @Test func bothPayWhenBothAreAbove() {
        let floors = budget.floors([.logs: files(8, bytes: 10), .spans: files(8, bytes: 10)], allowed: 100, excess: 60, latest: late)
        #expect(floors == [.logs: Timestamp(nanoseconds: 201), .spans: Timestamp(nanoseconds: 201)])
    }

    @Test func whatOneLeavesFreeOthersUse() {
        #expect(budget.floors([.logs: files(10, bytes: 10)], allowed: 100, excess: 0, latest: late).isEmpty)
    }

    @Test func aSignalWithoutAShareGoesFirst() {
        let floors = budget.floors([.samples: files(4, bytes: 10), .logs: files(6, bytes: 10)], allowed: 90, excess: 10, latest: late)
        #expect(floors == [.samples: Timestamp(nanoseconds: 1)])
    }

    @Test func noFloorPassesTheLatest() {
        let floors = budget.floors([.logs: files(5, bytes: 10)], allowed: 0, excess: 50, latest: Timestamp(nanoseconds: 200))
        #expect(floors == [.logs: Timestamp(nanoseconds: 101)])
    }

    @Test func filesThatEndTogetherGoTogether() {
        let twins = files(2, bytes: 10) + files(2, bytes: 10)
        let floors = budget.floors([.logs: twins], allowed: 25, excess: 15, latest: late)
        #expect(floors == [.logs: Timestamp(nanoseconds: 1)])
    }

    @Test func growthTellsWhenItIsFull() {
        var record = GrowthRecord()
        let hour: Int64 = 3_600_000_000_000
        func point(_ hours: Int64, _ written: Int64, used: Int64) -> GrowthRecord.Point {
            .init(time: Timestamp(nanoseconds: hours * hour), written: [.logs: written], used: used)
        }
        record.note(point(0, 0, used: 1000))
        #expect(record.secondsUntilFull(room: 10, at: point(0, 0, used: 1000)) == nil)
        // A hundred bytes come in an hour, half of which go again.
        for hours in 1...30 as ClosedRange<Int64> { record.note(point(hours, 100 * hours, used: 1000 + 50 * hours)) }
        let last = point(30, 3000, used: 2500)
        #expect(record.bytesPerDay(at: last) == [.logs: 2400])
        #expect(record.secondsUntilFull(room: 100, at: last) == 7200)
        #expect(record.secondsUntilFull(room: 0, at: last) == 0)
        // What only stays does not fill anything.
        #expect(record.secondsUntilFull(room: 100, at: point(30, 3000, used: 1300)) == nil)
    }

    @Test func aStoreKeepsWithinItsBudget() async throws {
        let folder = try TemporaryFolder()
        var options = StoreRows.options
        options.maintainsItself = true
        options.diskCheckInterval = 10_000_000
        options.ballastBytes = 0
        options.diskBudget = 6 << 20
        let store = try await SQLiteStore.open(folder: folder.path, options: options)
        for day in 0..<8 as Range<Int64> {
            for number in 0..<25 { _ = try await store.append(StoreRows.request(Int(day) * 25 + number, day: 20_000 + day, noise: 20_000)) }
            try await store.flush()
        }
        // hot.db keeps the pages of its redo, and takes its part of so small a budget.
        func isWithin(_ statistics: StoreStatistics) -> Bool {
            guard let disk = statistics.disk, !disk.dropped.isEmpty else { return false }
            let bytes = statistics.signals.values.reduce(0) { $0 + Int64($1.segmentBytes) }
            return bytes <= max((6 << 20) - disk.other, 3 << 20)
        }
        let deadline = Timestamp(nanoseconds: Timestamp.now.nanoseconds + 20_000_000_000)
        while !isWithin(store.statistics), Timestamp.now < deadline { try await Task.sleep(for: .milliseconds(5)) }
        #expect(isWithin(store.statistics))
        let disk = try #require(store.statistics.disk)
        #expect(disk.dropped.keys.sorted() == [.logs])
        let found = try await StoreRows.contents(of: store)
        let all = (0..<200).flatMap { StoreRows.expected($0) }
        #expect(!found.logs.isEmpty && found.logs.count < all.count && found.logs == Array(all.suffix(found.logs.count)))
        // Samples take nearly nothing, so they stay.
        #expect(found.samples == all)
        #expect(store.statistics.signals[.logs]?.floor ?? .now > Timestamp(nanoseconds: 0))
        try await store.close()
    }
}
