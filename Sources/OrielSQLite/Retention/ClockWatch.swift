import OrielTelemetry

/// Compares the time of day with a clock that only runs on: the time of day can be set, and what expires by it does not come back.
///
/// A leap ahead is doubtful for an hour, in which whoever sees it can set the clock right; then it is believed. What passes while the process does not run cannot be told
/// from a leap, so the first look believes what it sees.
struct ClockWatch {
    /// A leap ahead that is believed at once, in nanoseconds; more than clocks are adjusted by, less than what matters to retention.
    static let largestLeap: Int64 = 3_600_000_000_000
    /// How long a larger one is doubted, in nanoseconds.
    static let doubt: Int64 = 3_600_000_000_000

    private let steady: @Sendable () -> Int64
    /// What the time of day was at the last look, and the steady clock.
    private var last: (time: Int64, steady: Int64)?
    /// The leaps that are not believed yet, in sum, and when by the steady clock they are.
    private var doubted: Int64 = 0
    private var doubtEnd: Int64 = .min

    /// - Parameter steady: nanoseconds since some moment; never set.
    init(steady: @escaping @Sendable () -> Int64 = ClockWatch.uptime) {
        self.steady = steady
    }

    private static let origin = ContinuousClock.now

    static func uptime() -> Int64 {
        let parts = origin.duration(to: .now).components
        return parts.seconds * 1_000_000_000 + parts.attoseconds / 1_000_000_000
    }

    /// Takes a look.
    ///
    /// - Returns: By how much the time of day has moved more than the steady clock since the last one; a second either way counts as nothing.
    mutating func note(_ now: Timestamp) -> Int64 {
        let steady = steady()
        defer { last = (now.nanoseconds, steady) }
        guard let last else { return 0 }
        let leap = now.nanoseconds.subtractingSaturating(last.time).subtractingSaturating(steady.subtractingSaturating(last.steady))
        guard leap.magnitude > 1_000_000_000 else { return 0 }
        if leap > Self.largestLeap || doubted > 0 {
            doubted = max(0, doubted.addingSaturating(leap))
            if leap > Self.largestLeap { doubtEnd = steady.addingSaturating(Self.doubt) }
        }
        return leap
    }

    /// Whether the time of day may be ahead of the truth.
    var isDoubtful: Bool { doubted > Self.largestLeap && steady() < doubtEnd }
}
