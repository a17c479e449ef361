/// When a delivery that failed is tried again.
///
/// Logs, spans and metrics may go to different receivers, so each of them waits by itself: after the first failure ``firstDelay``, after each further one twice as long, up to
/// ``longestDelay``, each time a random half less, so that many services do not come back at once. What the receiver asks for (`Retry-After`) counts if it is
/// longer: never less than that, and up to a random half more, for the same reason.
public struct RetryPolicy: Sendable, Hashable {
    /// How long to wait after the first failure, 10 ms at least.
    public var firstDelay: Duration = .seconds(1)
    /// The longest wait that is reached by doubling.
    public var longestDelay: Duration = .seconds(30)
    /// The longest that a receiver may ask for; the random share comes on top.
    public var longestRequestedDelay: Duration = .seconds(300)
    /// Failures in a row after which the receiver counts as gone: a flush then does not try again before it is time, and telemetry goes to the spill folder if there is one.
    public var failuresUntilOpen = 3

    /// The defaults.
    public init() {}

    /// How long to wait.
    ///
    /// - Parameters:
    ///   - failures: in a row, 1 or more.
    ///   - requested: what the receiver asked for.
    ///   - chance: from 0 to 1, drawn anew each time.
    public func delay(failures: Int, requested: Duration?, chance: Double) -> Duration {
        let longest = max(longestDelay, .zero)
        var delay = min(max(firstDelay, .zero), longest)
        var doublings = max(failures, 1) - 1
        while doublings > 0, delay > .zero, delay < longest {
            delay = min(delay * 2, longest)
            doublings -= 1
        }
        let share = min(max(chance, 0), 1) / 2
        delay -= delay * share
        if let requested {
            let asked = min(requested, longestRequestedDelay)
            delay = max(delay, asked + asked * share)
        }
        return delay
    }
}

/// Keeps a pipeline from hammering a receiver that is gone: after a failure nothing is sent until it is time, and then one batch first.
struct CircuitBreaker: Sendable {
    private let policy: RetryPolicy
    /// In a row.
    private(set) var failures = 0
    /// When the next attempt may be made.
    private(set) var nextAttempt: ContinuousClock.Instant?
    /// Whether the receiver itself asked to be left alone until then.
    private(set) var isRequested = false

    init(policy: RetryPolicy) {
        self.policy = policy
    }

    /// Whether the receiver counts as gone.
    var isOpen: Bool { failures >= max(policy.failuresUntilOpen, 1) }

    func mayAttempt(at now: ContinuousClock.Instant) -> Bool {
        nextAttempt.map { $0 <= now } ?? true
    }

    mutating func noteSuccess() {
        failures = 0
        nextAttempt = nil
        isRequested = false
    }

    mutating func noteFailure(at now: ContinuousClock.Instant, requested: Duration?, chance: Double) {
        failures += 1
        nextAttempt = now + policy.delay(failures: failures, requested: requested, chance: chance)
        isRequested = requested.map { $0 > .zero } ?? false
    }
}
