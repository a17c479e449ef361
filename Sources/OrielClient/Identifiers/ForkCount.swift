#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif
import Synchronization

/// How often this process is the child of a fork, counted from the first look on: what a child must not share with its parent is made anew when the number changes.
enum ForkCount {
    private static let count = Atomic<UInt64>(0)

    /// Asks the system to tell of forks. It has one list of such requests for the whole process, and nothing can be taken from it.
    private static let isWatching: Bool = {
        // An addition is all that happens in the child, where little is allowed.
        pthread_atfork(nil, nil, { ForkCount.count.wrappingAdd(1, ordering: .relaxed) }) == 0
    }()

    /// To be called once before ``current`` is relied on.
    static func watch() { _ = isWatching }

    @inline(__always)
    static var current: UInt64 { count.load(ordering: .relaxed) }
}
