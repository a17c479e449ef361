import Synchronization

/// A row of mutexes with a value behind each, every one in cache lines of its own.
///
/// It is reached through an address kept as an integer, since a pointer would forbid to share the row among threads. What lies there is mutexes only, and they live exactly
/// as long as the row. An array of objects with a mutex would cost each use a retain and a release.
@safe
struct MutexRow<Value: Sendable>: ~Copyable, Sendable {
    private typealias Cell = Mutex<Value>

    /// Two cache lines, because processors fetch them in pairs.
    private static var alignment: Int { 128 }
    private static var stride: Int { (MemoryLayout<Cell>.size + alignment - 1) / alignment * alignment }

    let count: Int
    private let first: UInt

    init(count: Int, _ value: Value) {
        precondition(count > 0, "a row has at least one mutex")
        self.count = count
        let memory = UnsafeMutableRawPointer.allocate(byteCount: count * Self.stride, alignment: Self.alignment)
        first = UInt(bitPattern: memory)
        for index in 0..<count {
            unsafe (memory + index * Self.stride).bindMemory(to: Cell.self, capacity: 1).initialize(to: Cell(value))
        }
    }

    deinit {
        for index in 0..<count { unsafe cell(index).deinitialize(count: 1) }
        unsafe UnsafeMutableRawPointer(bitPattern: first)?.deallocate()
    }

    @inline(__always)
    func withLock<Result>(_ index: Int, _ body: (inout Value) -> Result) -> Result {
        unsafe cell(index).pointee.withLock { value in body(&value) }
    }

    /// As ``withLock(_:_:)``, with the mutex of `index` or, while that is held, with another one that is free: a thread that was interrupted while it held a lock lets nobody wait.
    @inline(__always)
    func withFreeLock<Result>(from index: Int, _ body: (inout Value) -> Result) -> Result {
        if let result = unsafe cell(index).pointee.withLockIfAvailable({ value in body(&value) }) { return result }
        return withOtherLock(than: index, body)
    }

    @inline(never)
    private func withOtherLock<Result>(than index: Int, _ body: (inout Value) -> Result) -> Result {
        for offset in 1..<max(count, 1) {
            if let result = unsafe cell((index + offset) % count).pointee.withLockIfAvailable({ value in body(&value) }) { return result }
        }
        return withLock(index, body)
    }

    @inline(__always)
    private func cell(_ index: Int) -> UnsafeMutablePointer<Cell> {
        precondition(index >= 0 && index < count)
        // The address came from `allocate`, which never gives null, and the index was checked.
        return unsafe UnsafeMutableRawPointer(bitPattern: first &+ UInt(bitPattern: index &* Self.stride)).unsafelyUnwrapped.assumingMemoryBound(to: Cell.self)
    }
}
