/// A token bucket: so much a second, a second's worth at once.
///
/// A request is let in while anything is left and is charged for what it then brings, so the balance may fall below zero; it must be paid back before the next.
struct RateBucket: Sendable {
    private let rate: Double
    private var balance: Double
    private var updated: ContinuousClock.Instant

    init(perSecond rate: Int, now: ContinuousClock.Instant) {
        self.rate = Double(max(1, rate))
        balance = self.rate
        updated = now
    }

    private mutating func fill(_ now: ContinuousClock.Instant) {
        let elapsed = max(0, (now - updated) / .seconds(1))
        balance = min(rate, balance + elapsed * rate)
        updated = now
    }

    /// Whole seconds until something is left; 0 when something is.
    mutating func delaySeconds(now: ContinuousClock.Instant) -> Int {
        fill(now)
        if balance > 0 { return 0 }
        return Int(min(3600, max(1, (-balance / rate).rounded(.up))))
    }

    mutating func take(_ amount: Int, now: ContinuousClock.Instant) {
        fill(now)
        balance -= Double(amount)
    }
}
