public import OrielTelemetry
import Synchronization

/// A distribution of values. From ``MetricRegistry/histogram(_:labels:help:unit:buckets:)``.
///
/// All calls are safe from any thread. Recording into classic buckets costs a search among the bounds and two atomic operations; into
/// exponential ones a logarithm and a lock that threads do not share once they have been seen to collide.
public final class Histogram: Sendable {
    /// The upper bounds of classic buckets without infinity.
    private let bounds: [Double]
    /// One word for each bucket, then one for the bits of the sum.
    private let words: StripedWords
    private let exponential: ExponentialCells
    private let exemplars = AtomicLazyReference<ExemplarStore>()
    private let sampler: ExemplarSampler
    private let faults: RegistryFaults
    private let removed = Atomic<Bool>(false)
    /// The name of the family, empty when the histogram is not exported.
    let family: String

    /// The most exemplars that an exponential histogram keeps; a classic one keeps one a bucket.
    private static let exponentialExemplars = 16

    /// - Parameter buckets: valid ones, see ``HistogramBuckets/fault``.
    init(family: String, buckets: HistogramBuckets, faults: RegistryFaults, spans: SpanSource? = nil) {
        self.family = family
        self.faults = faults
        switch buckets {
        case .explicit(let bounds):
            self.bounds = bounds
            exponential = ExponentialCells(nil)
        case .exponential(let maximumBuckets, let maximumScale):
            bounds = []
            exponential = ExponentialCells(ExponentialState(capacity: maximumBuckets, scale: maximumScale))
        }
        words = StripedWords(count: bounds.count + 2)
        sampler = ExemplarSampler(places: exponential.isUsed ? Self.exponentialExemplars : bounds.count + 1, source: spans)
    }

    /// Counts `value`. An infinity or NaN is ignored and counted by the registry, since it would spoil the sum for ever.
    public func record(_ value: Double) {
        guard let (place, number) = count(value) else { return }
        if sampler.isDue(at: place, number: number) { keepExemplar(value, at: place) }
    }

    /// Counts a whole number, as ``record(_:)-(Double)``.
    public func record(_ value: Int) { record(Double(value)) }

    /// Counts `value`, and keeps it as the exemplar of its bucket.
    /// - Parameter time: now, to a few milliseconds, if not given.
    public func record(_ value: Double, traceID: TraceID, spanID: SpanID, at time: Timestamp? = nil) {
        guard let (place, _) = count(value) else { return }
        putExemplar(value, SpanReference(traceID: traceID, spanID: spanID), at: place, time)
    }

    @inline(never)
    private func keepExemplar(_ value: Double, at place: Int) {
        guard let span = sampler.look(at: place) else { return }
        putExemplar(value, span, at: place, nil)
    }

    private func putExemplar(_ value: Double, _ span: SpanReference, at place: Int, _ time: Timestamp?) {
        let store =
            exemplars.load()
            ?? exemplars.storeIfNil(ExemplarStore(count: exponential.isUsed ? Self.exponentialExemplars : bounds.count + 1))
        store.put(Exemplar(traceID: span.traceID, spanID: span.spanID, value: value, time: time ?? .recent), at: place)
    }

    /// Counts a value, and tells the place for its exemplar and how many were counted near it before; nil for a value that is not counted.
    @inline(__always)
    private func count(_ value: Double) -> (place: Int, number: UInt64)? {
        guard value.isFinite else {
            faults.ignored.wrappingAdd(1, ordering: .relaxed)
            return nil
        }
        if exponential.isUsed {
            let number = exponential.record(value)
            // The exponent spreads the examples over the range.
            return (Int(value.bitPattern >> 52) % Self.exponentialExemplars, number)
        }
        let bucket = bucket(of: value)
        let number = words.add(1 as UInt64, at: bucket)
        words.add(value, at: words.count - 1)
        return (bucket, number)
    }

    /// The first bucket whose bound is not below `value`.
    @inline(__always)
    private func bucket(of value: Double) -> Int {
        var low = 0
        var high = bounds.count
        while low < high {
            let middle = (low &+ high) >> 1
            if bounds[middle] < value { low = middle &+ 1 } else { high = middle }
        }
        return low
    }

    /// The distribution so far. Counts of single buckets may be a few nanoseconds apart when other threads record at the same time; the
    /// total is always their sum.
    var point: MetricSnapshot.Point {
        sampler.refill()
        let kept = exemplars.load()?.all ?? []
        if exponential.isUsed {
            return .exponentialHistogram(.init(exponential.merged(), exemplars: kept.compactMap(\.self)))
        }
        return .histogram(
            .init(
                bounds: bounds,
                counts: (0...bounds.count).map { words.integer(at: $0) },
                sum: words.double(at: bounds.count + 1),
                exemplars: kept))
    }

    /// Whether the registry was told to export it no more.
    package var isRemoved: Bool { removed.load(ordering: .relaxed) }

    func noteRemoved() { removed.store(true, ordering: .relaxed) }
}
