public import OrielTelemetry
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// One observation, kept as an example of what a metric counted, with the span it was made in.
public struct Exemplar: Sendable, Hashable {
    /// Zero when it was made outside any span.
    public var traceID: TraceID
    /// Zero when it was made outside any span.
    public var spanID: SpanID
    /// What was observed: the amount of a counter's increment, or the value a histogram recorded.
    public var value: Double
    public var time: Timestamp

    public init(traceID: TraceID, spanID: SpanID, value: Double, time: Timestamp) {
        self.traceID = traceID
        self.spanID = spanID
        self.value = value
        self.time = time
    }
}

/// The last exemplar of each of a fixed number of places.
final class ExemplarStore: Sendable {
    private let places: Mutex<[Exemplar?]>

    init(count: Int) {
        places = Mutex(Array(repeating: nil, count: count))
    }

    /// Keeps `exemplar`, unless another thread is at it just now: an example is not worth waiting for.
    func put(_ exemplar: Exemplar, at place: Int) {
        _ = places.withLockIfAvailable { $0[place] = exemplar }
    }

    /// What is kept, in the order of places.
    var all: [Exemplar?] { places.withLock { $0 } }
}

extension Timestamp {
    /// The wall clock as of the last tick of the kernel, a few milliseconds old at most, in a fifth of the time that ``now`` takes. Good
    /// enough for an example.
    static var recent: Timestamp {
        #if os(Linux)
        var time = timespec()
        // Cannot fail: the clock exists and the pointer is valid for the call.
        unsafe clock_gettime(CLOCK_REALTIME_COARSE, &time)
        return Timestamp(nanoseconds: Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec))
        #else
        return .now
        #endif
    }
}
