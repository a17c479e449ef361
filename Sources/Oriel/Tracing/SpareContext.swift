#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif
import Tracing

/// Contexts that hold a span and nothing else, as most do.
///
/// Putting the first value into a context allocates a dictionary, which is most of what `withSpan` costs. So each thread keeps the last such context that it made: when
/// nobody else holds it any more, which is so as soon as its span's scope was left, the next span is put into it in place. While somebody holds it, the context copies
/// itself, as every value does.
@safe
enum SpareContext {
    /// Where threads keep the address of their context, or nil when the process has no thread-specific key left; then none is kept.
    private static let key: pthread_key_t? = {
        var key = pthread_key_t()
        // The system calls this with what the ending thread has made in `make`.
        let code = unsafe pthread_key_create(&key) { address in
            #if !canImport(Darwin)
            guard let address = unsafe address else { return }
            #endif
            let context = unsafe address.assumingMemoryBound(to: ServiceContext.self)
            unsafe context.deinitialize(count: 1)
            unsafe context.deallocate()
        }
        return code == 0 ? key : nil
    }()

    /// A context with that span.
    static func context(with reference: SpanContextReference) -> ServiceContext {
        var context = ServiceContext.topLevel
        guard let key, let spare = unsafe spare(key) else {
            context.spanContextReference = reference
            return context
        }
        // Taken out while it is changed, since what it held before is released by that.
        unsafe swap(&spare.pointee, &context)
        context.spanContextReference = reference
        unsafe spare.pointee = context
        return context
    }

    /// The calling thread's context. Only that thread knows the address, and uses it for one step at a time.
    private static func spare(_ key: pthread_key_t) -> UnsafeMutablePointer<ServiceContext>? {
        guard let address = unsafe pthread_getspecific(key) else { return unsafe make(key) }
        return unsafe address.assumingMemoryBound(to: ServiceContext.self)
    }

    @inline(never)
    @unsafe
    private static func make(_ key: pthread_key_t) -> UnsafeMutablePointer<ServiceContext>? {
        let context = UnsafeMutablePointer<ServiceContext>.allocate(capacity: 1)
        unsafe context.initialize(to: .topLevel)
        guard unsafe pthread_setspecific(key, context) == 0 else {
            unsafe context.deinitialize(count: 1)
            unsafe context.deallocate()
            return nil
        }
        return unsafe context
    }
}
