package import OrielTelemetry

/// Until when somebody waits: a moment of the wall clock, and no longer than was left to it when the wait began, should somebody set that clock back meanwhile.
///
/// The wall clock counts because it goes on while a function's sandbox is frozen.
package struct Deadline: Sendable {
    /// By the wall clock.
    package let time: Timestamp
    /// By a clock that nobody sets.
    private let steadyTime: ContinuousClock.Instant

    /// - Parameter time: by the wall clock.
    package init(_ time: Timestamp) {
        self.init(time, wall: .now, steady: .now)
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
    package var rest: Duration? { rest(wall: .now, steady: .now) }

    func rest(wall: Timestamp, steady: ContinuousClock.Instant) -> Duration? {
        let rest = min(.nanoseconds(time.nanoseconds.subtractingSaturating(wall.nanoseconds)), steady.duration(to: steadyTime))
        return rest > .zero ? rest : nil
    }

    /// Whether it is over.
    package var isOver: Bool { rest == nil }

    /// A deadline that is earlier by some time.
    func earlier(by margin: Duration) -> Deadline {
        Deadline(time.advanced(by: -margin.nanoseconds), steadyTime: steadyTime - margin)
    }
}

extension Duration {
    /// Whole nanoseconds, saturating at some 292 years.
    package var nanoseconds: Int64 {
        let (seconds, fraction) = components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? (seconds < 0 ? .min : .max) : whole.addingSaturating(fraction / 1_000_000_000)
    }
}
