/// How often the delivery of one request was tried: one that its receiver never takes, while it takes others, must not hold those up.
struct DeliveryAttempts: Sendable {
    /// Failures after which others get their turn.
    private static let failuresInTurn = 3
    /// Failures between which others arrived, after which it is hopeless.
    private static let hopelessFailures = 5

    private var failures = 0
    /// Failures of which each came after one since which others arrived.
    private var lonelyFailures = 0
    /// How many others had arrived at the last failure.
    private var arrived: UInt64 = 0

    /// Which turn it is in: those of an earlier one come first.
    var turn: Int { failures / Self.failuresInTurn }

    /// Whether it is given up: others arrived in between again and again.
    var isHopeless: Bool { lonelyFailures >= Self.hopelessFailures }

    /// - Parameter arrived: requests of the same kind of telemetry that were delivered so far.
    mutating func noteFailure(arrived: UInt64) {
        failures += 1
        if failures > 1, arrived > self.arrived { lonelyFailures += 1 }
        self.arrived = arrived
    }
}
