public import OrielTelemetry
import Synchronization

/// A sum that only grows. From ``MetricRegistry/counter(_:labels:help:unit:)``.
///
/// All calls are safe from any thread and never block. Adding costs one atomic operation.
public final class Counter: Sendable {
    /// One word for whole increments, one for the bits of the sum of fractional ones.
    private let words = StripedWords(count: 2)
    private let exemplars = AtomicLazyReference<ExemplarStore>()
    /// Whether there is one: asking the reference looks up its type's metadata each time, a tenth of what a scrape costs.
    private let hasExemplar = Atomic<Bool>(false)
    private let startNanoseconds: Atomic<Int64>
    private let sampler: ExemplarSampler
    private let faults: RegistryFaults
    private let removed = Atomic<Bool>(false)
    /// The name of the family, empty when the counter is not exported.
    let family: String

    init(family: String, faults: RegistryFaults, spans: SpanSource? = nil) {
        self.family = family
        self.faults = faults
        sampler = ExemplarSampler(places: 1, source: spans)
        startNanoseconds = Atomic(Timestamp.now.nanoseconds)
    }

    /// Adds `amount`. A negative one is ignored and counted by the registry.
    @inline(__always)
    public func increment(by amount: Int = 1) {
        // Large ones go to the double, so that the integer could not wrap around in centuries. The comparison also takes negative ones out.
        if UInt64(bitPattern: Int64(amount)) <= UInt64(UInt32.max) {
            let old = words.add(UInt64(bitPattern: Int64(amount)), at: 0)
            if sampler.isDue(at: 0, number: Self.number(old)) { keepExemplar(Double(amount)) }
        } else {
            increment(by: Double(amount))
        }
    }

    /// Adds `amount`. A negative one, an infinity or NaN is ignored and counted by the registry.
    public func increment(by amount: Double) {
        guard amount >= 0, amount < .infinity else {
            faults.ignored.wrappingAdd(1, ordering: .relaxed)
            return
        }
        let old = words.add(amount, at: 1)
        if sampler.isDue(at: 0, number: Self.number(old ^ old >> 29)) { keepExemplar(amount) }
    }

    /// Adds `amount`, and keeps it as the exemplar of this counter.
    /// - Parameter time: now, to a few milliseconds, if not given.
    public func increment(by amount: Double = 1, traceID: TraceID, spanID: SpanID, at time: Timestamp? = nil) {
        guard amount >= 0, amount < .infinity else {
            faults.ignored.wrappingAdd(1, ordering: .relaxed)
            return
        }
        words.add(amount, at: 1)
        putExemplar(amount, SpanReference(traceID: traceID, spanID: spanID), at: time)
    }

    /// Of sums that grow in any steps, one in many is a multiple of a power of two: the golden ratio spreads them evenly.
    @inline(__always)
    private static func number(_ sum: UInt64) -> UInt64 { (sum &* 0x9E37_79B9_7F4A_7C15) >> 40 }

    @inline(never)
    private func keepExemplar(_ amount: Double) {
        guard let span = sampler.look(at: 0) else { return }
        putExemplar(amount, span, at: nil)
    }

    private func putExemplar(_ amount: Double, _ span: SpanReference, at time: Timestamp?) {
        let store = exemplars.load() ?? exemplars.storeIfNil(ExemplarStore(count: 1))
        hasExemplar.store(true, ordering: .relaxed)
        store.put(Exemplar(traceID: span.traceID, spanID: span.spanID, value: amount, time: time ?? .recent), at: 0)
    }

    /// Begins at zero again. What other threads add meanwhile may count or not.
    public func reset() {
        startNanoseconds.store(Timestamp.now.nanoseconds, ordering: .relaxed)
        words.clear()
    }

    /// When counting began.
    public var start: Timestamp { Timestamp(nanoseconds: startNanoseconds.load(ordering: .relaxed)) }

    /// The sum so far.
    public var value: Double { Double(words.integer(at: 0)) + words.double(at: 1) }

    /// The latest observation that was kept as an example.
    public var exemplar: Exemplar? { hasExemplar.load(ordering: .relaxed) ? exemplars.load()?.all.first ?? nil : nil }

    /// What a snapshot takes.
    var point: MetricSnapshot.Point {
        sampler.refill()
        return .counter(value, exemplar: exemplar)
    }

    /// Whether the registry was told to export it no more.
    package var isRemoved: Bool { removed.load(ordering: .relaxed) }

    func noteRemoved() { removed.store(true, ordering: .relaxed) }
}
