import Synchronization

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Lets threads sleep until something may have changed: a counter of changes with a condition variable behind it.
///
/// A sleeper takes a ticket, looks at the state it waits for (under the state's own lock), and waits with the ticket; a change after the ticket was taken
/// ends the wait at once, so none is missed. The C condition variable and its mutex stay in this file.
@safe
package final class ThreadSignal: Sendable {
    /// The address of the condition and its mutex, made in `init` and freed in `deinit`. Both are meant to be used by many threads, which a pointer
    /// cannot tell the compiler, so it is kept as an integer.
    private let address: UInt
    private let changes = Atomic<UInt64>(0)
    private let sleepers = Atomic<Int>(0)

    @unsafe
    private struct Pair {
        var mutex = unsafe pthread_mutex_t()
        var condition = pthread_cond_t()
    }

    package init() {
        let pair = UnsafeMutablePointer<Pair>.allocate(capacity: 1)
        unsafe pair.initialize(to: Pair())
        unsafe pthread_mutex_init(&pair.pointee.mutex, nil)
        #if canImport(Darwin)
        unsafe pthread_cond_init(&pair.pointee.condition, nil)
        #else
        // A clock that nobody sets.
        var attributes = pthread_condattr_t()
        unsafe pthread_condattr_init(&attributes)
        unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        unsafe pthread_cond_init(&pair.pointee.condition, &attributes)
        unsafe pthread_condattr_destroy(&attributes)
        #endif
        address = UInt(bitPattern: pair)
    }

    deinit {
        if let pair = unsafe UnsafeMutablePointer<Pair>(bitPattern: address) {
            unsafe pthread_cond_destroy(&pair.pointee.condition)
            unsafe pthread_mutex_destroy(&pair.pointee.mutex)
            unsafe pair.deallocate()
        }
    }

    /// How many changes there were; to be read before the state is looked at.
    package var ticket: UInt64 {
        changes.load(ordering: .sequentiallyConsistent)
    }

    /// Says that the state has changed, and wakes all sleepers.
    package func notify() {
        changes.add(1, ordering: .sequentiallyConsistent)
        guard sleepers.load(ordering: .sequentiallyConsistent) > 0, let pair = unsafe UnsafeMutablePointer<Pair>(bitPattern: address) else {
            return
        }
        unsafe pthread_mutex_lock(&pair.pointee.mutex)
        unsafe pthread_cond_broadcast(&pair.pointee.condition)
        unsafe pthread_mutex_unlock(&pair.pointee.mutex)
    }

    /// Sleeps until there is a change after `ticket`.
    ///
    /// - Parameter timeout: The longest sleep; for ever without.
    /// - Returns: Whether there was a change.
    @discardableResult
    package func wait(after ticket: UInt64, timeout: Duration? = nil) -> Bool {
        guard let pair = unsafe UnsafeMutablePointer<Pair>(bitPattern: address) else {
            return true
        }
        sleepers.add(1, ordering: .sequentiallyConsistent)
        defer { sleepers.subtract(1, ordering: .sequentiallyConsistent) }
        unsafe pthread_mutex_lock(&pair.pointee.mutex)
        defer { unsafe pthread_mutex_unlock(&pair.pointee.mutex) }
        guard let timeout else {
            while self.ticket == ticket {
                unsafe pthread_cond_wait(&pair.pointee.condition, &pair.pointee.mutex)
            }
            return true
        }
        var deadline = Self.time(after: timeout)
        while self.ticket == ticket {
            if unsafe pthread_cond_timedwait(&pair.pointee.condition, &pair.pointee.mutex, &deadline) == ETIMEDOUT {
                return self.ticket != ticket
            }
        }
        return true
    }

    private static func time(after duration: Duration) -> timespec {
        var time = timespec()
        #if canImport(Darwin)
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        #else
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        #endif
        // A year is as good as for ever and keeps the sum in range.
        let parts = min(max(duration, .zero), .seconds(31_536_000)).components
        let nanoseconds = Int(time.tv_nsec) + Int(parts.attoseconds / 1_000_000_000)
        time.tv_sec += Int(parts.seconds) + nanoseconds / 1_000_000_000
        time.tv_nsec = nanoseconds % 1_000_000_000
        return time
    }
}
