import Dispatch

#if canImport(Glibc)
import CMalloc
import Glibc
#endif

/// How the C library's allocator divides memory between threads.
enum MemoryArenas {
    /// Lets threads share two arenas.
    ///
    /// glibc gives threads up to eight arenas a core, and each keeps what its threads freed. The daemon's threads hand memory on (a request's batch is made by one and freed by
    /// another), so that more arenas cost memory and gain nothing: at full load two took 100 MiB less than the default, at no more CPU. `MALLOC_ARENA_MAX` in the environment wins.
    static func limit() {
        #if canImport(Glibc)
        // Safe: nothing but whether there is a value is asked.
        guard unsafe getenv("MALLOC_ARENA_MAX") == nil else { return }
        mallopt(M_ARENA_MAX, 2)
        #endif
    }

    /// Freed bytes that the allocator may keep for what is allocated next.
    private static let keptBytes = 64 << 20

    /// From now on gives freed memory back to the system, as long as the returned timer lives.
    ///
    /// The allocator gives back only what lies at the end of an arena, and rows that stay for a while lie everywhere: after a load that was over, 576 MiB of a process were
    /// resident of which the store used 10. Looked at once a second on a thread that nobody waits for.
    static func giveBack() -> any DispatchSourceTimer {
        let timer = DispatchSource.makeTimerSource(queue: DispatchQueue(label: "oriel-memory", qos: .utility))
        timer.schedule(deadline: .now() + 1, repeating: 1, leeway: .milliseconds(200))
        timer.setEventHandler {
            #if canImport(Glibc)
            if mallinfo2().fordblks > keptBytes { malloc_trim(0) }
            #endif
        }
        timer.resume()
        return timer
    }
}
