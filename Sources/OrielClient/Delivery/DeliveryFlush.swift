import OrielTelemetry
import OrielThreads
import Synchronization

/// A caller that waits until what was emitted before has been delivered.
final class DeliveryFlush: Sendable {
    let deadline: Timestamp
    /// Whether all was delivered; `nil` while it is not known.
    private let outcome = Mutex<Bool?>(nil)
    private let signal = ThreadSignal()
    private let waiting = Mutex<[Resumption]>([])

    init(deadline: Timestamp) {
        self.deadline = deadline
    }

    /// Ends the wait of all who wait. Only the first call counts.
    func end(_ isDelivered: Bool) {
        let isFirst = outcome.withLock { known in
            if known != nil { return false }
            known = isDelivered
            return true
        }
        guard isFirst else { return }
        let waiting = self.waiting.withLock { waiting in
            defer { waiting = [] }
            return waiting
        }
        for resumption in waiting { resumption.resume() }
        signal.notify()
    }

    /// Waits until the end, or until the deadline: the delivery thread may be busy with a request that takes longer.
    ///
    /// - Returns: whether all was delivered by then.
    func wait(until deadline: Timestamp) async -> Bool {
        let resumption = Resumption()
        waiting.withLock { $0.append(resumption) }
        // The end may have come before the list was written.
        if isEnded { resumption.resume() }
        let alarm = Task {
            while let rest = Duration.until(deadline) {
                // Cancelled when the wait is over.
                do { try await Task.sleep(for: rest) } catch { return }
            }
            resumption.resume()
        }
        await withCheckedContinuation { resumption.set($0) }
        alarm.cancel()
        return isDelivered
    }

    /// As ``wait(until:)``, for threads that may block.
    func waitBlocking(until deadline: Timestamp) -> Bool {
        while true {
            let ticket = signal.ticket
            if isEnded { return isDelivered }
            guard let rest = Duration.until(deadline) else { return false }
            signal.wait(after: ticket, timeout: rest)
        }
    }

    private var isEnded: Bool { outcome.withLock { $0 != nil } }

    private var isDelivered: Bool { outcome.withLock { $0 ?? false } }
}

extension Duration {
    /// How long it is by the wall clock; `nil` when it is over.
    static func until(_ deadline: Timestamp) -> Duration? {
        let rest = deadline.nanoseconds.subtractingSaturating(Timestamp.now.nanoseconds)
        return rest > 0 ? .nanoseconds(rest) : nil
    }

    /// Whole nanoseconds, saturating at some 292 years.
    package var nanoseconds: Int64 {
        let (seconds, fraction) = components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? (seconds < 0 ? .min : .max) : whole.addingSaturating(fraction / 1_000_000_000)
    }
}
