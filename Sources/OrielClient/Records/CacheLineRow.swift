/// A row of values that threads share, every one in cache lines of its own.
///
/// It is reached through an address kept as an integer, since a pointer would forbid to share the row among threads. What lies there is given out for reading only, and
/// lives exactly as long as the row. An array of objects would cost each use a retain and a release.
@safe
struct CacheLineRow<Cell: ~Copyable & Sendable>: ~Copyable, Sendable {
    /// Two cache lines, because processors fetch them in pairs.
    private static var alignment: Int { 128 }
    private static var stride: Int { (MemoryLayout<Cell>.size + alignment - 1) / alignment * alignment }

    let count: Int
    private let first: UInt

    init(count: Int, _ make: () -> Cell) {
        precondition(count > 0, "a row has at least one value")
        self.count = count
        let memory = UnsafeMutableRawPointer.allocate(byteCount: count * Self.stride, alignment: Self.alignment)
        first = UInt(bitPattern: memory)
        for index in 0..<count {
            unsafe (memory + index * Self.stride).bindMemory(to: Cell.self, capacity: 1).initialize(to: make())
        }
    }

    deinit {
        for index in 0..<count { unsafe cell(index).deinitialize(count: 1) }
        unsafe UnsafeMutableRawPointer(bitPattern: first)?.deallocate()
    }

    @inline(__always)
    func withCell<Result>(_ index: Int, _ body: (borrowing Cell) -> Result) -> Result {
        unsafe body(cell(index).pointee)
    }

    @inline(__always)
    private func cell(_ index: Int) -> UnsafeMutablePointer<Cell> {
        precondition(index >= 0 && index < count)
        // The address came from `allocate`, which never gives null, and the index was checked.
        return unsafe UnsafeMutableRawPointer(bitPattern: first &+ UInt(bitPattern: index &* Self.stride)).unsafelyUnwrapped.assumingMemoryBound(to: Cell.self)
    }
}
