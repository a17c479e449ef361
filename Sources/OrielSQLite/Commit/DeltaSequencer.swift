import OrielStore
import OrielTelemetry

/// Turns metric points of delta temporality into absolute samples, in commit order.
///
/// For each series it holds the sum so far and the time of the last sample. A point adds to the sum and makes a sample at max(last time + 1 ms, the point's end).
/// A series that begins, or begins anew after it expired, first gets a sample of 0 at the start of the point's interval, so that `rate` sees the first increment. A
/// series without points for ``expiry`` gets a stale marker and is forgotten. The samples go into the redo log, so that a replay never adds.
struct DeltaSequencer: Sendable {
    /// Milliseconds of the wall clock without a point after which a series ends.
    static let expiry: Int64 = 5 * 60 * 1000

    private struct Sum: Sendable {
        var value: Double
        /// Time of the latest sample.
        var time: Int64
        /// When a point last arrived, by the wall clock, in milliseconds.
        var touched: Int64
    }

    private struct HistogramSum: Sendable {
        var histogram: NativeHistogram
        var time: Int64
        var touched: Int64
    }

    private var sums: [StreamReference: Sum] = [:]
    private var histogramSums: [StreamReference: HistogramSum] = [:]

    init() {}

    var isEmpty: Bool { sums.isEmpty && histogramSums.isEmpty }

    /// Absolute samples for the points of one request.
    ///
    /// - Parameters:
    ///   - deltas: in the engine's form: `streamIndexes` are references.
    ///   - now: the wall clock in milliseconds.
    mutating func absolute(_ deltas: DeltaBatch, now: Int64) -> (samples: SampleBatch, histograms: HistogramBatch) {
        var samples = SampleBatch()
        for row in 0..<deltas.samples.count {
            let reference = deltas.samples.streamIndexes[row]
            let end = deltas.samples.times[row]
            let start = deltas.sampleStartTimes[row]
            let value = deltas.samples.values[row]
            var sum: Sum
            if let known = sums[reference] {
                sum = known
            } else {
                let zero = DeltaSequencer.zeroTime(start: start, end: end)
                samples.appendAbsolute(reference, zero, 0)
                sum = Sum(value: 0, time: zero, touched: now)
            }
            sum.touched = now
            sum.time = max(sum.time.addingSaturating(1), end)
            if value.isStaleMarker {
                samples.appendAbsolute(reference, sum.time, value)
                sums[reference] = nil
                continue
            }
            sum.value += value
            samples.appendAbsolute(reference, sum.time, sum.value)
            sums[reference] = sum
        }
        var histograms = HistogramBatch()
        for row in 0..<deltas.histograms.count {
            let reference = deltas.histograms.streamIndexes[row]
            let end = deltas.histograms.times[row]
            // The decoder wrote these bytes itself; a row that cannot be read adds nothing.
            guard let increment = DeltaSequencer.histogram(deltas.histograms, row) else { continue }
            if increment.sum.isStaleMarker {
                let time = max((histogramSums[reference]?.time ?? .min).addingSaturating(1), end)
                histograms.append(increment, stream: Int(reference), time: time)
                histogramSums[reference] = nil
                continue
            }
            var sum: HistogramSum
            if let known = histogramSums[reference] {
                sum = known
            } else {
                let zero = DeltaSequencer.zeroTime(start: deltas.histogramStartTimes[row], end: end)
                var empty = NativeHistogram(schema: increment.schema, isFloat: increment.isFloat, zeroThreshold: increment.zeroThreshold)
                empty.customBounds = increment.customBounds
                histograms.append(empty, stream: Int(reference), time: zero)
                sum = HistogramSum(histogram: empty, time: zero, touched: now)
            }
            sum.histogram = sum.histogram.adding(increment)
            sum.time = max(sum.time.addingSaturating(1), end)
            sum.touched = now
            histograms.append(sum.histogram, stream: Int(reference), time: sum.time)
            histogramSums[reference] = sum
        }
        return (samples, histograms)
    }

    /// Stale markers for series that had no point for ``expiry``; they are forgotten.
    mutating func expire(now: Int64) -> (samples: SampleBatch, histograms: HistogramBatch) {
        var samples = SampleBatch()
        var histograms = HistogramBatch()
        for (reference, sum) in sums where now.subtractingSaturating(sum.touched) >= DeltaSequencer.expiry {
            samples.appendAbsolute(reference, sum.time.addingSaturating(1), .staleMarker)
            sums[reference] = nil
        }
        for (reference, sum) in histogramSums where now.subtractingSaturating(sum.touched) >= DeltaSequencer.expiry {
            histograms.append(NativeHistogram(sum: .staleMarker), stream: Int(reference), time: sum.time.addingSaturating(1))
            histogramSums[reference] = nil
        }
        return (samples, histograms)
    }

    /// Where the zero sample before a first point lies: at the interval's start, or 1 ms before its end when the start is unknown or not before it.
    private static func zeroTime(start: Int64, end: Int64) -> Int64 {
        start > 0 && start < end ? start : end.subtractingSaturating(1)
    }

    private static func histogram(_ batch: HistogramBatch, _ row: Int) -> NativeHistogram? {
        do {
            return try batch.histogram(at: row)
        } catch {
            return nil
        }
    }
}

extension SampleBatch {
    fileprivate mutating func appendAbsolute(_ reference: StreamReference, _ time: Int64, _ value: Double) {
        streamIndexes.append(reference)
        times.append(time)
        values.append(value)
    }
}
