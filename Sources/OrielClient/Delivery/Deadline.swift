package import OrielTelemetry
import Synchronization

/// Until when somebody waits: a moment of the wall clock, and no longer than was left to it when the wait began, should somebody set that clock back meanwhile.
///
/// The wall clock counts because it goes on while a function's sandbox is frozen.
package struct Deadline: Sendable {
    /// By the wall clock.
    package let time: Timestamp
    /// By a clock that nobody sets.
    private let steadyTime: ContinuousClock.Instant
    /// What may make it earlier while somebody waits.
    private var limit: DeadlineLimit?

    /// - Parameter time: by the wall clock.
    package init(_ time: Timestamp) {
        self.init(time, wall: .now, steady: .now)
    }

    /// - Parameters:
    ///   - time: by the wall clock.
    ///   - limit: what may make it earlier while somebody waits; who waits should look anew at ``rest`` now and then.
    package init(_ time: Timestamp, limit: DeadlineLimit) {
        self.init(time)
        self.limit = limit
    }

    init(_ time: Timestamp, wall: Timestamp, steady: ContinuousClock.Instant) {
        self.time = time
        steadyTime = steady + .nanoseconds(time.nanoseconds.subtractingSaturating(wall.nanoseconds))
    }

    private init(_ time: Timestamp, steadyTime: ContinuousClock.Instant) {
        self.time = time
        self.steadyTime = steadyTime
    }

    /// How long it is; `nil` when it is over.
    package var rest: Duration? {
        guard let rest = rest(wall: .now, steady: .now) else { return nil }
        guard let limit = limit?.deadline else { return rest }
        return limit.rest.map { min($0, rest) }
    }

    func rest(wall: Timestamp, steady: ContinuousClock.Instant) -> Duration? {
        let rest = min(.nanoseconds(time.nanoseconds.subtractingSaturating(wall.nanoseconds)), steady.duration(to: steadyTime))
        return rest > .zero ? rest : nil
    }

    /// Whether it is over.
    package var isOver: Bool { rest == nil }

    /// A deadline that leaves the same time to each of so many, for the first of them.
    package func share(of count: Int) -> Deadline {
        var share = Deadline(.now.advanced(by: ((rest ?? .zero) / max(count, 1)).nanoseconds))
        share.limit = limit
        return share
    }

    /// A deadline that is earlier by some time.
    func earlier(by margin: Duration) -> Deadline {
        Deadline(time.advanced(by: -margin.nanoseconds), steadyTime: steadyTime - margin)
    }
}

/// A time that others can set for whoever waits, while he waits.
package final class DeadlineLimit: Sendable {
    private let known = Mutex<Deadline?>(nil)

    package init() {}

    /// `nil` while there is none.
    package var deadline: Deadline? { known.withLock { $0 } }

    /// Sets it, in place of the one before.
    package func set(_ time: Timestamp) {
        let deadline = Deadline(time)
        known.withLock { $0 = deadline }
    }

    /// There is none any more.
    package func lift() { known.withLock { $0 = nil } }
}

extension Duration {
    /// Whole nanoseconds, saturating at some 292 years.
    package var nanoseconds: Int64 {
        let (seconds, fraction) = components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? (seconds < 0 ? .min : .max) : whole.addingSaturating(fraction / 1_000_000_000)
    }
}
