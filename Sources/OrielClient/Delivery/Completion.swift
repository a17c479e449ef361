package import OrielTelemetry
import OrielThreads
import Synchronization

/// An end that threads and tasks wait for, each no longer than it wants to.
package final class Completion: Sendable {
    /// Whether all went well; `nil` while it is not known.
    private let outcome = Mutex<Bool?>(nil)
    private let signal = ThreadSignal()
    private let waiting = Mutex<[Resumption]>([])

    package init() {}

    /// Ends the wait of all who wait. Only the first call counts.
    package func end(_ isSuccess: Bool) {
        let isFirst = outcome.withLock { known in
            if known != nil { return false }
            known = isSuccess
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

    /// Waits until the end, or until the deadline.
    ///
    /// - Returns: whether all went well by then.
    package func wait(until time: Timestamp) async -> Bool {
        let deadline = Deadline(time)
        let resumption = Resumption()
        waiting.withLock { $0.append(resumption) }
        // The end may have come before the list was written.
        if hasEnded { resumption.resume() }
        let alarm = Task {
            while let rest = deadline.rest {
                // Cancelled when the wait is over.
                do { try await Task.sleep(for: rest) } catch { return }
            }
            resumption.resume()
        }
        await withCheckedContinuation { resumption.set($0) }
        alarm.cancel()
        return isSuccess
    }

    /// As ``wait(until:)``, for threads that may block.
    package func waitBlocking(until time: Timestamp) -> Bool {
        let deadline = Deadline(time)
        while true {
            let ticket = signal.ticket
            if hasEnded { return isSuccess }
            guard let rest = deadline.rest else { return false }
            signal.wait(after: ticket, timeout: rest)
        }
    }

    package var hasEnded: Bool { outcome.withLock { $0 != nil } }

    private var isSuccess: Bool { outcome.withLock { $0 ?? false } }
}
