import Synchronization

/// A row of mutexes with a value behind each, every one in cache lines of its own.
struct MutexRow<Value: Sendable>: ~Copyable, Sendable {
    private let cells: CacheLineRow<Mutex<Value>>

    var count: Int { cells.count }

    init(count: Int, _ value: Value) {
        cells = CacheLineRow(count: count) { Mutex(value) }
    }

    @inline(__always)
    func withLock<Result>(_ index: Int, _ body: (inout Value) -> Result) -> Result {
        cells.withCell(index) { mutex in mutex.withLock { value in body(&value) } }
    }

    /// As ``withLock(_:_:)``, with the mutex of `index` or, while that is held, with another one that is free: a thread that was interrupted while it held a lock lets nobody wait.
    @inline(__always)
    func withFreeLock<Result>(from index: Int, _ body: (inout Value) -> Result) -> Result {
        if let result = withLockIfAvailable(index, body) { return result }
        return withOtherLock(than: index, body)
    }

    @inline(never)
    private func withOtherLock<Result>(than index: Int, _ body: (inout Value) -> Result) -> Result {
        for offset in 1..<max(count, 1) {
            if let result = withLockIfAvailable((index + offset) % count, body) { return result }
        }
        return withLock(index, body)
    }

    @inline(__always)
    private func withLockIfAvailable<Result>(_ index: Int, _ body: (inout Value) -> Result) -> Result? {
        cells.withCell(index) { mutex in mutex.withLockIfAvailable { value in body(&value) } }
    }
}
