import OrielTelemetry

/// A caller that waits until what was emitted before has been delivered.
struct DeliveryFlush: Sendable {
    let deadline: Deadline
    /// Until when something is sent for it.
    let sendingDeadline: Deadline
    /// Whether metrics are to be read and sent, too.
    let includesMetrics: Bool
    /// How often a pause was ended before it was asked for.
    var resumption: UInt64 = 0
    /// Tells the caller whether all was delivered. The delivery thread may be busy with a request that takes longer than the caller waits.
    let completion = Completion()

    /// - Parameter deadline: by the wall clock.
    init(deadline: Timestamp, includesMetrics: Bool = true) {
        self.deadline = Deadline(deadline)
        sendingDeadline = self.deadline
        self.includesMetrics = includesMetrics
    }

    /// The end of a pipeline: there must be time left to put away what could not be sent.
    ///
    /// - Parameter keepsFiles: whether it goes into files.
    init(endBy deadline: Timestamp, keepsFiles: Bool) {
        self.deadline = Deadline(deadline)
        let rest = self.deadline.rest ?? .zero
        sendingDeadline = self.deadline.earlier(by: keepsFiles ? min(rest / 4, .milliseconds(500)) : min(rest / 10, .milliseconds(20)))
        includesMetrics = true
    }
}
