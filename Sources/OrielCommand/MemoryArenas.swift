#if canImport(Glibc)
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
        guard getenv("MALLOC_ARENA_MAX") == nil else { return }
        // M_ARENA_MAX of malloc.h, which Swift does not import.
        let arenaMaximum: Int32 = -8
        mallopt(arenaMaximum, 2)
        #endif
    }
}
