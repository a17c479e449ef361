import OrielStore
import OrielTelemetry
import Testing

@testable import OrielSQLite

struct DeltaSequencerTests {
    private let now = Timestamp(nanoseconds: 1_000_000_000_000_000)

    private func points(_ rows: [(stream: UInt32, start: Int64, end: Int64, value: Double)]) -> DeltaRows {
        var batch = SampleBatch()
        batch.streamIndexes = rows.map(\.stream)
        batch.times = rows.map(\.end)
        batch.values = rows.map(\.value)
        var columns = batch.columnBatch
        columns.streams = StreamTable()
        return DeltaRows(batch: columns, startTimes: rows.map(\.start))
    }

    private func rows(_ batch: ColumnBatch) -> [[Double]] {
        guard let samples = SampleBatch(batch) else { return [] }
        return (0..<samples.count).map { [Double(samples.streamIndexes[$0]), Double(samples.times[$0]), samples.values[$0]] }
    }

    @Test func pointsAreSummedPerStream() {
        var sequencer = DeltaSequencer()
        let first = sequencer.sequence(points([(0, 100, 200, 3), (1, 0, 200, 7), (0, 200, 300, 4)]), now: now)
        #expect(rows(first.batch) == [[0, 100, 0], [0, 200, 3], [1, 199, 0], [1, 200, 7], [0, 300, 7]])
        #expect(first.rejected == 0)
        let second = sequencer.sequence(points([(0, 250, 350, 1), (0, 300, 300, 2), (0, 300, 400, 1)]), now: now)
        // The first overlaps; the second has no length and gets the next free time.
        #expect(second.rejected == 1)
        #expect(rows(second.batch) == [[0, 301, 9], [0, 400, 10]])
    }

    @Test func aPointOfUnknownOrNoLengthBeginsRightBeforeItsEnd() {
        var sequencer = DeltaSequencer()
        let sums = sequencer.sequence(points([(0, 0, 200, 3), (0, 0, 300, 4), (1, 200, 200, 5), (2, 0, .min, 6)]), now: now)
        #expect(rows(sums.batch) == [[0, 199, 0], [0, 200, 3], [0, 300, 7], [1, 199, 0], [1, 200, 5], [2, Double(Int64.min), 6]])
        let silent = Timestamp(nanoseconds: now.nanoseconds + 16 * 60_000_000_000)
        _ = sequencer.expire(now: silent)
        let anew = sequencer.sequence(points([(0, 0, 900, 2)]), now: silent)
        #expect(rows(anew.batch) == [[0, 899, 0], [0, 900, 2]])
    }

    @Test func silentStreamsEndWithAMarkerAndStartAnew() {
        var sequencer = DeltaSequencer()
        _ = sequencer.sequence(points([(0, 100, 200, 3)]), now: now)
        let later = Timestamp(nanoseconds: now.nanoseconds + 16 * 60_000_000_000)
        let markers = sequencer.expire(now: later)
        #expect(markers.count == 1)
        let marker = markers.first.flatMap { SampleBatch($0) }
        #expect(marker?.times == [201] && marker?.values.first?.isStaleMarker == true)
        let anew = sequencer.sequence(points([(0, 500, 600, 2)]), now: later)
        #expect(rows(anew.batch) == [[0, 500, 0], [0, 600, 2]])
    }

    @Test func histogramsAddUpOverSchemas() throws {
        var sum = NativeHistogram(
            schema: 1, zeroThreshold: 0, zeroCount: 1, count: 6, sum: 10, positiveSpans: [.init(offset: 1, length: 3)], positiveBuckets: [1, 2, 2])
        let finer = NativeHistogram(
            schema: 2, zeroThreshold: 0, zeroCount: 2, count: 5, sum: 4, positiveSpans: [.init(offset: 1, length: 2), .init(offset: 3, length: 1)],
            positiveBuckets: [1, 1, 1])
        let isAdded = sum.add(finer)
        #expect(isAdded)
        // Indexes 1, 2 and 6 of schema 2 are 1, 1 and 3 of schema 1.
        #expect(sum.schema == 1 && sum.count == 11 && sum.sum == 14 && sum.zeroCount == 3)
        #expect(sum.positiveSpans == [.init(offset: 1, length: 3)] && sum.positiveBuckets == [3, 2, 3])
        var custom = NativeHistogram(schema: -53, count: 1, positiveSpans: [.init(offset: 0, length: 1)], positiveBuckets: [1], customBounds: [1, 2])
        let other = NativeHistogram(schema: -53, count: 1, positiveSpans: [.init(offset: 0, length: 1)], positiveBuckets: [1], customBounds: [1, 3])
        let unchanged = custom
        let couldAdd = custom.add(other)
        #expect(!couldAdd && custom == unchanged)
    }

    @Test func sumsSurviveRestartsWithAndWithoutAFlush() async throws {
        let folder = try TemporaryFolder()
        func request(_ start: Int64, _ end: Int64, _ value: Double) -> WriteSet {
            var samples = SampleBatch()
            let series = samples.streams.intern(.series(unsorted: [Label("__name__", "jobs_total")]))
            samples.streamIndexes = [UInt32(series)]
            samples.times = [end]
            samples.values = [value]
            var deltas = DeltaBatch()
            deltas.samples = samples
            deltas.sampleStartTimes = [start]
            return WriteSet(deltas: deltas)
        }
        for (index, isFlushed) in [false, true, false].enumerated() {
            let store = try await SQLiteStore.open(folder: folder.path, options: StoreRows.options)
            let start = 1000 + Int64(index) * 100
            let receipt = try await store.append(request(start, start + 100, 5))
            #expect(receipt.rejected.isEmpty)
            let overlapping = try await store.append(request(start, start + 100, 5))
            #expect(overlapping.rejected == [.init(signal: .samples, reason: .overlappingDelta, count: 1)])
            if isFlushed {
                try await store.flush()
            }
            try await store.stop(flushing: false)
        }
        let store = try await SQLiteStore.open(folder: folder.path, options: StoreRows.options)
        let cursor = try store.snapshot().scan(ScanPlan(signal: .samples))
        var found: [[Double]] = []
        while let batch = try await cursor.next() {
            let samples = try #require(SampleBatch(batch))
            for row in 0..<samples.count {
                found.append([Double(samples.times[row]), samples.values[row]])
            }
        }
        #expect(found == [[1000, 0], [1100, 5], [1200, 10], [1300, 15]])
        try await store.close()
    }
}
