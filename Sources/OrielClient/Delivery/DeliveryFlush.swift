import OrielTelemetry

/// A caller that waits until what was emitted before has been delivered.
struct DeliveryFlush: Sendable {
    let deadline: Deadline
    /// Whether metrics are to be read and sent, too.
    let includesMetrics: Bool
    /// Tells the caller whether all was delivered. The delivery thread may be busy with a request that takes longer than the caller waits.
    let completion = Completion()

    /// - Parameter deadline: by the wall clock.
    init(deadline: Timestamp, includesMetrics: Bool = true) {
        self.deadline = Deadline(deadline)
        self.includesMetrics = includesMetrics
    }
}
