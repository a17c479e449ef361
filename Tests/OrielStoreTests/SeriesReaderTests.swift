import OrielStore
import OrielStoreConformance
import OrielTelemetry
import Testing

@Suite("Float and histogram samples together")
struct SeriesReaderTests {
    private struct Sample: Hashable {
        var stream: StreamID
        var time: Int64
        var isHistogram: Bool
    }

    @Test("come in the order of stream and time, a histogram in place of a float", arguments: 1...20 as ClosedRange<UInt64>)
    func order(seed: UInt64) async throws {
        var random = SplitMix64(seed: seed)
        let store = ReferenceStore.Place().openReference()
        let labels = (0..<6).map { StreamDescriptor.series(unsorted: [Label("__name__", "load"), Label("host", "\($0)")]) }
        for _ in 0..<4 {
            var floats = SampleBatch()
            var histograms = HistogramBatch()
            for (index, descriptor) in labels.enumerated() {
                for time in 0..<40 as Range<Int64> {
                    // Series of floats only, of histograms only, and of both.
                    if index != 1, random.next() % 8 == 0 {
                        floats.streamIndexes.append(UInt32(floats.streams.intern(descriptor)))
                        floats.times.append(time)
                        floats.values.append(Double(time))
                    }
                    if index != 2, random.next() % 8 == 0 {
                        var histogram = NativeHistogram()
                        histogram.count = Double(time)
                        histograms.append(histogram, stream: histograms.streams.intern(descriptor), time: time)
                    }
                }
            }
            _ = try await store.append(WriteSet(batches: [floats.columnBatch, histograms.columnBatch]))
        }
        let snapshot = try store.snapshot()
        var expected: [Sample] = []
        var floats: Set<Sample> = []
        for signal in [Signal.histograms, .samples] {
            let cursor = try snapshot.scan(ScanPlan(signal: signal, order: .streamThenTime))
            while let batch = try await cursor.next() {
                for row in 0..<batch.count {
                    let stream = try #require(batch.streams.id(Int(batch.streamIndexes[row])))
                    let sample = Sample(stream: stream, time: batch.times[row], isHistogram: signal == .histograms)
                    if signal == .histograms { expected.append(sample) } else { floats.insert(sample) }
                }
            }
        }
        let taken = Set(expected.map { Sample(stream: $0.stream, time: $0.time, isHistogram: false) })
        let replaced = floats.intersection(taken).count
        expected += floats.subtracting(taken)
        expected.sort { $0.stream == $1.stream ? $0.time < $1.time : $0.stream < $1.stream }

        var found: [Sample] = []
        var reader = try SeriesReader(snapshot, ScanPlan(signal: .samples))
        while let run = try await reader.next() {
            #expect(!run.rows.isEmpty, "seed \(seed)")
            for row in run.rows {
                let stream = try #require(run.batch.streams.id(Int(run.batch.streamIndexes[row])))
                found.append(Sample(stream: stream, time: run.batch.times[row], isHistogram: run.batch.signal == .histograms))
            }
        }
        #expect(found == expected, "seed \(seed)")
        #expect(reader.replacedFloats == replaced && replaced > 0, "seed \(seed)")
        try await store.close()
    }
}
