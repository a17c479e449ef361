#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif
import Synchronization
import Tracing

/// Contexts that hold a span and nothing else, as most do.
///
/// To write a value into a context is most of what `withSpan` costs: a dictionary is allocated or at least searched, by code that is not specialized. So each thread keeps the
/// last such contexts that it made, as many as spans are nested. When nobody else holds one any more, which is so as soon as its span's scope was left, the next span takes
/// the place of the one before in it (``SpanPlace``), and the dictionary stays as it is.
///
/// Whether others hold it is what Swift's copying on write asks too: how many references there are to the context's only stored property. `ServiceContext` does not
/// offer that, so this relies on it being one reference to storage that copies share. ``isOneSharedReference()`` finds out whether it is before it is relied on; where it is not,
/// and on Darwin, where a dictionary's reference can be one of Objective-C, each context is written.
@safe
enum SpareContext {
    /// How many contexts a thread keeps.
    private static let count = 8

    /// A context that is kept, and where its span is.
    @safe
    private struct Spare {
        var context: ServiceContext
        /// Held by the context alone, so that a second reference tells of another context: one that somebody made of it with further values.
        var place: Unmanaged<SpanPlace>

        init(_ reference: SpanContextReference) {
            let place = SpanPlace(reference)
            context = .topLevel
            context.spanPlace = place
            unsafe self.place = .passUnretained(place)
        }
    }

    /// Where threads keep the address of their contexts, or nil when none are kept: the process has no thread-specific key left, or contexts are not what they were.
    private static let key: pthread_key_t? = {
        guard isOneSharedReference() else { return nil }
        var key = pthread_key_t()
        // The system calls this with what the ending thread has made in `make`.
        let code = unsafe pthread_key_create(&key) { address in
            #if !canImport(Darwin)
            guard let address = unsafe address else { return }
            #endif
            let spares = unsafe address.assumingMemoryBound(to: Spare.self)
            unsafe spares.deinitialize(count: count)
            unsafe spares.deallocate()
        }
        return code == 0 ? key : nil
    }()

    /// A context with that span.
    static func context(with reference: SpanContextReference) -> ServiceContext {
        guard let key, let spares = unsafe spares(key) else {
            var context = ServiceContext.topLevel
            context.spanContextReference = reference
            return context
        }
        for index in 0..<count where unsafe isUnused(&spares[index]) {
            // What others have read there was read before they let go of it.
            atomicMemoryFence(ordering: .acquiring)
            // Copied first, so that it is in use while the span before is released, which can run somebody's code.
            let context = unsafe spares[index].context
            unsafe spares[index].place._withUnsafeGuaranteedRef { $0.replace(with: reference) }
            return context
        }
        // All are in use. The last one's place goes to a new one, so that what stays in use for long takes not all places.
        let spare = Spare(reference)
        unsafe spares[count - 1] = spare
        return spare.context
    }

    /// Whether nobody else can see the span's place: no copy of the context is left, and no other context that was made of it.
    @inline(__always)
    private static func isUnused(_ spare: inout Spare) -> Bool {
        unsafe isOnlyReference(&spare.context) && isOnlyReference(&spare.place)
    }

    /// Whether a value, which is a reference and nothing else, is the only one to its object.
    @inline(__always)
    private static func isOnlyReference<Reference>(_ value: inout Reference) -> Bool {
        unsafe withUnsafeMutableBytes(of: &value) { bytes in
            unsafe bytes.withMemoryRebound(to: AnyObject.self) { unsafe isKnownUniquelyReferenced(&$0[0]) }
        }
    }

    /// Whether a context is one reference that its copies share.
    private static func isOneSharedReference() -> Bool {
        #if canImport(Darwin)
        return false
        #else
        guard MemoryLayout<ServiceContext>.size == MemoryLayout<UInt>.size, !_isPOD(ServiceContext.self) else { return false }
        var context = Spare(.invalid).context
        // The address of an object, without bits that say something else.
        let word = unsafe withUnsafeBytes(of: &context) { unsafe $0.loadUnaligned(as: UInt.self) }
        guard word != 0, word & 0xFF00_0000_0000_0007 == 0 else { return false }
        guard isOnlyReference(&context) else { return false }
        let copy = context
        guard withExtendedLifetime(copy, { !isOnlyReference(&context) }) else { return false }
        return true
        #endif
    }

    /// The calling thread's contexts. Only that thread knows the address, and uses it for one step at a time.
    @inline(__always)
    private static func spares(_ key: pthread_key_t) -> UnsafeMutablePointer<Spare>? {
        guard let address = unsafe pthread_getspecific(key) else { return unsafe make(key) }
        return unsafe address.assumingMemoryBound(to: Spare.self)
    }

    @inline(never)
    @unsafe
    private static func make(_ key: pthread_key_t) -> UnsafeMutablePointer<Spare>? {
        let spares = UnsafeMutablePointer<Spare>.allocate(capacity: count)
        for index in 0..<count { unsafe (spares + index).initialize(to: Spare(.invalid)) }
        guard unsafe pthread_setspecific(key, spares) == 0 else {
            unsafe spares.deinitialize(count: count)
            unsafe spares.deallocate()
            return nil
        }
        return unsafe spares
    }
}
