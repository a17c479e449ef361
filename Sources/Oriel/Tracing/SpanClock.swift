#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif
import OrielTelemetry
import Synchronization
import Tracing

/// Times of spans: the start by the wall clock, the end by a clock that nobody sets, so that a span lasts as long as it lasted though the wall clock was set meanwhile.
///
/// Callers hand in their reading of the wall clock, which is the default of tracing's functions, or another moment. Which of both it is shows in the difference of the
/// two clocks, which only changes when the wall clock is set: as long as it is the known one, two readings are all that a span's start or end costs.
final class SpanClock: Sendable {
    /// Differences up to this are the time between two readings.
    private static let tolerance: Int64 = 100_000
    /// A reading of the wall clock may be as old as this when it arrives: the thread may have been stopped meanwhile.
    private static let delay: Int64 = 10_000_000

    /// When a span began.
    struct Start {
        /// By the wall clock.
        var time: Int64
        /// What the wall clock was ahead of the monotonic one.
        var difference: Int64
    }

    private let difference: Atomic<Int64>

    init() {
        difference = Atomic(Self.measured())
    }

    func start(_ given: Int64) -> Start {
        var known = difference.load(ordering: .relaxed)
        if (Self.monotonic &+ known).distance(from: given) > Self.tolerance {
            known = Self.measured()
            difference.store(known, ordering: .relaxed)
        }
        return Start(time: given, difference: known)
    }

    /// - Parameter mayBeNow: whether the moment may be a reading of the wall clock.
    /// - Returns: when the span ended, by the wall clock that its start was read from; never before its start.
    func end(_ given: Int64, of start: Start, mayBeNow: Bool) -> Int64 {
        guard mayBeNow else { return max(given, start.time) }
        let now = Self.monotonic &+ start.difference
        if now.distance(from: given) > Self.tolerance, !isReading(given, insteadOf: now) { return max(given, start.time) }
        return max(now, start.time)
    }

    /// Whether the wall clock was set, and the moment is its reading.
    private func isReading(_ given: Int64, insteadOf now: Int64) -> Bool {
        let wall = Timestamp.now.nanoseconds
        return wall.distance(from: now) > Self.tolerance && wall.distance(from: given) <= Self.delay
    }

    // MARK: Reading the clocks

    /// Nanoseconds since some moment.
    private static var monotonic: Int64 {
        var time = timespec()
        // Cannot fail: the clock exists and the pointer is valid for the call.
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }

    /// The difference of both clocks, read close together unless the thread is stopped each time.
    private static func measured() -> Int64 {
        var difference: Int64 = 0
        for _ in 0..<4 {
            let before = monotonic
            let wall = Timestamp.now.nanoseconds
            let after = monotonic
            difference = wall &- before &- (after &- before) / 2
            if after &- before < tolerance / 10 { break }
        }
        return difference
    }
}

extension Int64 {
    /// How far apart both are, or the end of the range.
    fileprivate func distance(from other: Int64) -> Int64 {
        let difference = subtractingSaturating(other)
        return difference == .min ? .max : abs(difference)
    }
}
