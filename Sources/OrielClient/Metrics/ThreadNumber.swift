#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif
import Synchronization

/// Tells threads apart by a number that each one takes when it first asks, so that as many threads as there are groups never share one.
/// (Hashes of thread descriptors do: those of a pool lie at even distances.)
struct ThreadNumber: Sendable {
    /// The number of groups: a power of two, at least twice the number of processors, 4 to 32.
    static let groupCount: Int = {
        var count = 4
        while count < min(2 * sysconf(Int32(_SC_NPROCESSORS_ONLN)), 32) { count *= 2 }
        return count
    }()

    private static let next = Atomic<Int>(1)

    /// Where threads keep their number, or nil when the process has no thread-specific key left; all threads are of group zero then.
    private static let sharedKey: pthread_key_t? = {
        var key = pthread_key_t()
        // The pointer is valid for the call.
        return unsafe pthread_key_create(&key, nil) == 0 ? key : nil
    }()

    // Copies, so that the hot path need not go through the check of a lazy global.
    private let key = Self.sharedKey
    private let mask = Self.groupCount - 1

    /// The group of the calling thread, from zero to one below ``groupCount``.
    @inline(__always)
    var group: Int {
        guard let key else { return 0 }
        // The "pointer" is a number and is never followed.
        let known = Int(bitPattern: unsafe pthread_getspecific(key))
        return (known != 0 ? known : take(key)) & mask
    }

    @inline(never)
    private func take(_ key: pthread_key_t) -> Int {
        let number = Self.next.wrappingAdd(1, ordering: .relaxed).oldValue
        _ = unsafe pthread_setspecific(key, UnsafeRawPointer(bitPattern: number))
        return number
    }
}
