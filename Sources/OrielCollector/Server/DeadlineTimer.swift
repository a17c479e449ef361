import NIOCore

/// One deadline of a channel handler that moves often and passes rarely.
///
/// Moving it later only stores a number: the timer that is already set wakes at the old time and goes back to sleep. So a request
/// that comes and goes quickly costs no timer at all. Belongs to one event loop.
struct DeadlineTimer {
    private var scheduled: Scheduled<Void>?
    private var wakesAt = NIODeadline.distantFuture
    /// When the deadline passes; nil means never.
    private(set) var deadline: NIODeadline?

    /// Moves the deadline.
    ///
    /// - Parameter wake: called on the loop when the timer wakes; it must ask ``hasPassed(on:wake:)``.
    mutating func set(_ newDeadline: NIODeadline, on loop: any EventLoop, wake: @escaping @Sendable () -> Void) {
        deadline = newDeadline
        if scheduled != nil, wakesAt <= newDeadline { return }
        scheduled?.cancel()
        schedule(newDeadline, on: loop, wake: wake)
    }

    /// Forgets the deadline; a timer that is set will wake once and find nothing to do.
    mutating func clear() {
        deadline = nil
    }

    /// Stops the timer for good.
    mutating func cancel() {
        deadline = nil
        scheduled?.cancel()
        scheduled = nil
    }

    /// Whether the deadline passed; if it lies ahead, the timer is set again.
    mutating func hasPassed(on loop: any EventLoop, wake: @escaping @Sendable () -> Void) -> Bool {
        scheduled = nil
        guard let deadline else { return false }
        if NIODeadline.now() >= deadline { return true }
        schedule(deadline, on: loop, wake: wake)
        return false
    }

    private mutating func schedule(_ time: NIODeadline, on loop: any EventLoop, wake: @escaping @Sendable () -> Void) {
        wakesAt = time
        scheduled = loop.scheduleTask(deadline: time, wake)
    }
}
