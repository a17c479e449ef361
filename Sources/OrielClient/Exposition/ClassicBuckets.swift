#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A histogram as the text formats can write it: cumulative counts under upper bounds, the last one infinite.
///
/// The text formats have no exponential histograms. Such a one is written with the powers of two between its least and its greatest value
/// as bounds (coarser powers once its scale is below zero). Every bucket of a scale from zero on lies within one such octave, so the
/// counts are exact, the bounds stay when the scale changes, and the number of lines follows the logarithm of the range.
struct ClassicBuckets {
    private(set) var buckets: [(bound: Double, cumulative: UInt64, exemplar: Exemplar?)] = []

    init(_ histogram: MetricSnapshot.Histogram) {
        var cumulative: UInt64 = 0
        buckets.reserveCapacity(histogram.counts.count)
        for (index, count) in histogram.counts.enumerated() {
            cumulative &+= count
            let bound = index < histogram.bounds.count ? histogram.bounds[index] : .infinity
            let exemplar = index < histogram.exemplars.count ? histogram.exemplars[index] : nil
            buckets.append((bound, cumulative, exemplar))
        }
    }

    init(_ histogram: MetricSnapshot.ExponentialHistogram) {
        var cumulative: UInt64 = 0
        // From the greatest magnitude up to zero. A bucket's bound nearer to zero belongs to the next octave, so for values below zero
        // exactly at a power of two the line may count one octave less; positive ones are exact.
        for (octave, count) in Self.octaves(histogram.negativeOffset, histogram.negativeCounts, scale: histogram.scale).reversed() {
            cumulative &+= count
            append(-Self.bound(below: octave, scale: histogram.scale), cumulative)
        }
        cumulative &+= histogram.zeroCount
        if histogram.zeroCount > 0 || !histogram.negativeCounts.isEmpty { append(0, cumulative) }
        for (octave, count) in Self.octaves(histogram.positiveOffset, histogram.positiveCounts, scale: histogram.scale) {
            cumulative &+= count
            append(Self.bound(below: octave + 1, scale: histogram.scale), cumulative)
        }
        buckets.append((.infinity, cumulative, nil))
        for exemplar in histogram.exemplars {
            if let place = buckets.firstIndex(where: { exemplar.value <= $0.bound }) { buckets[place].exemplar = exemplar }
        }
    }

    private mutating func append(_ bound: Double, _ cumulative: UInt64) {
        // The ends of the double's range: what is beyond is in the infinite bucket.
        guard bound.isFinite else { return }
        if let last = buckets.last, last.bound >= bound {
            buckets[buckets.count - 1].cumulative = cumulative
        } else {
            buckets.append((bound, cumulative, nil))
        }
    }

    /// The counts by octave, or, at a scale below zero, by bucket; each from the first to the last one.
    private static func octaves(_ offset: Int, _ counts: [UInt64], scale: Int) -> [(octave: Int, count: UInt64)] {
        guard !counts.isEmpty else { return [] }
        let shift = max(scale, 0)
        let first = offset >> shift
        let last = (offset + counts.count - 1) >> shift
        var sums = [UInt64](repeating: 0, count: last - first + 1)
        for (index, count) in counts.enumerated() { sums[((offset + index) >> shift) - first] &+= count }
        return sums.enumerated().map { (first + $0.offset, $0.element) }
    }

    private static func bound(below octave: Int, scale: Int) -> Double {
        exp2(Double(octave) * Double(1 << max(-scale, 0)))
    }
}
