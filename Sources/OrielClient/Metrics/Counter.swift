public import OrielTelemetry
import Synchronization

/// A sum that only grows. From ``MetricRegistry/counter(_:labels:help:unit:)``.
///
/// All calls are safe from any thread and never block. Adding costs one atomic operation.
public final class Counter: Sendable {
    /// One word for whole increments, one for the bits of the sum of fractional ones.
    private let words = StripedWords(count: 2)
    private let exemplars = AtomicLazyReference<ExemplarStore>()
    private let startNanoseconds: Atomic<Int64>
    private let faults: RegistryFaults
    /// The name of the family, empty when the counter is not exported.
    let family: String

    init(family: String, faults: RegistryFaults) {
        self.family = family
        self.faults = faults
        startNanoseconds = Atomic(Timestamp.now.nanoseconds)
    }

    /// Adds `amount`. A negative one is ignored and counted by the registry.
    @inline(__always)
    public func increment(by amount: Int = 1) {
        // Large ones go to the double, so that the integer could not wrap around in centuries. The comparison also takes negative ones out.
        if UInt64(bitPattern: Int64(amount)) <= UInt64(UInt32.max) {
            words.add(UInt64(bitPattern: Int64(amount)), at: 0)
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
        words.add(amount, at: 1)
    }

    /// Adds `amount`, and keeps it as the exemplar of this counter.
    /// - Parameter time: now, to a few milliseconds, if not given.
    public func increment(by amount: Double = 1, traceID: TraceID, spanID: SpanID, at time: Timestamp? = nil) {
        increment(by: amount)
        guard amount >= 0, amount < .infinity else { return }
        let store = exemplars.load() ?? exemplars.storeIfNil(ExemplarStore(count: 1))
        store.put(Exemplar(traceID: traceID, spanID: spanID, value: amount, time: time ?? .recent), at: 0)
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

    /// The latest observation that came with a span.
    public var exemplar: Exemplar? { exemplars.load()?.all.first ?? nil }
}
