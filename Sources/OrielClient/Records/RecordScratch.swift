#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// The buffer that a thread encodes its records in, kept from one record to the next.
///
/// It belongs to the thread, so that it costs no lock. Whoever encodes takes it out and puts it back: a record that is made meanwhile, by a description that logs
/// itself, finds none and makes one.
@safe
struct RecordScratch: Sendable {
    /// Buffers that grew beyond this are not kept.
    private static let limit = 64 << 10

    /// Where threads keep the address of their buffer, or nil when the process has no thread-specific key left; then none is kept.
    private static let sharedKey: pthread_key_t? = {
        var key = pthread_key_t()
        // The system calls this with what the ending thread has made in `make`.
        let code = unsafe pthread_key_create(&key) { address in
            #if !canImport(Darwin)
            guard let address = unsafe address else { return }
            #endif
            let buffer = unsafe address.assumingMemoryBound(to: [UInt8].self)
            unsafe buffer.deinitialize(count: 1)
            unsafe buffer.deallocate()
        }
        return code == 0 ? key : nil
    }()

    // A copy, so that the hot path need not go through the check of a lazy global.
    private let key = Self.sharedKey

    /// An empty buffer, mostly with the capacity that it had the last time.
    @inline(__always)
    func take() -> [UInt8] {
        var bytes: [UInt8] = []
        if let buffer = unsafe buffer { unsafe swap(&buffer.pointee, &bytes) }
        return bytes
    }

    /// Keeps a buffer. It must be the array's only owner, since the array is emptied and used again.
    @inline(__always)
    func put(_ bytes: inout [UInt8]) {
        guard bytes.capacity <= Self.limit, let buffer = unsafe buffer else { return }
        bytes.removeAll(keepingCapacity: true)
        unsafe swap(&buffer.pointee, &bytes)
    }

    /// The calling thread's buffer. Only that thread knows the address, and uses it for one step at a time.
    @inline(__always)
    private var buffer: UnsafeMutablePointer<[UInt8]>? {
        guard let key else { return nil }
        guard let address = unsafe pthread_getspecific(key) else { return unsafe Self.make(key) }
        return unsafe address.assumingMemoryBound(to: [UInt8].self)
    }

    @inline(never)
    @unsafe
    private static func make(_ key: pthread_key_t) -> UnsafeMutablePointer<[UInt8]>? {
        let buffer = UnsafeMutablePointer<[UInt8]>.allocate(capacity: 1)
        unsafe buffer.initialize(to: [])
        guard unsafe pthread_setspecific(key, buffer) == 0 else {
            unsafe buffer.deallocate()
            return nil
        }
        return unsafe buffer
    }
}
