package import OrielTelemetry
import Synchronization

/// The span that an observation is made in; zeros outside any.
package struct SpanReference: Sendable, Hashable {
    package var traceID: TraceID
    package var spanID: SpanID

    package init(traceID: TraceID, spanID: SpanID) {
        self.traceID = traceID
        self.spanID = spanID
    }
}

/// Tells the span that the calling thread or task is in; `nil` where an observation may not become an exemplar.
package typealias SpanSource = @Sendable () -> SpanReference?

/// Chooses the observations of an instrument whose span is looked up, since a look costs more than the observation.
///
/// Each place for an exemplar (a bucket, a counter) may look at its first observations after each snapshot, so that a rare one is always linked to its trace; then at one in
/// ``interval``, so that the exemplar of a busy place stays fresh while most calls pay a comparison.
@safe
struct ExemplarSampler: ~Copyable, Sendable {
    private typealias Budget = Atomic<UInt32>

    /// Looks of a place after each snapshot.
    private static let budget: UInt32 = 32
    /// A power of two.
    static let interval: UInt64 = 64

    private let source: SpanSource?
    private let count: Int
    /// The budget of each place, as an address for the reason that `StripedWords` gives; zero without a source.
    private let budgets: UInt

    init(places: Int, source: SpanSource?) {
        self.source = source
        count = places
        guard source != nil else {
            budgets = 0
            return
        }
        let memory = UnsafeMutablePointer<Budget>.allocate(capacity: places)
        for place in 0..<places { unsafe (memory + place).initialize(to: Budget(Self.budget)) }
        budgets = UInt(bitPattern: memory)
    }

    deinit {
        // An atomic integer needs no deinitialization.
        unsafe UnsafeMutablePointer<Budget>(bitPattern: budgets)?.deallocate()
    }

    /// Whether to look at an observation.
    /// - Parameter number: differs from observation to observation and is a multiple of ``interval`` as often as chance would have it.
    @inline(__always)
    func isDue(at place: Int, number: UInt64) -> Bool {
        if budgets == 0 { return false }
        if number & (Self.interval - 1) == 0 { return true }
        return unsafe budget(place).pointee.load(ordering: .relaxed) > 0
    }

    /// The span of an observation that is due.
    func look(at place: Int) -> SpanReference? {
        guard budgets != 0, let source else { return nil }
        let rest = unsafe budget(place).pointee.load(ordering: .relaxed)
        // Two threads at a time may spend one look for both.
        if rest > 0 { unsafe budget(place).pointee.store(rest - 1, ordering: .relaxed) }
        return source()
    }

    /// To be called at each snapshot.
    func refill() {
        guard budgets != 0 else { return }
        for place in 0..<count where unsafe budget(place).pointee.load(ordering: .relaxed) < Self.budget {
            unsafe budget(place).pointee.store(Self.budget, ordering: .relaxed)
        }
    }

    @inline(__always)
    private func budget(_ place: Int) -> UnsafeMutablePointer<Budget> {
        precondition(place >= 0 && place < count)
        // Callers have seen that the address is not zero.
        return unsafe UnsafeMutablePointer<Budget>(bitPattern: budgets).unsafelyUnwrapped + place
    }
}
