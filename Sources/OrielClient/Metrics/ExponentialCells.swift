import Synchronization

/// The state of an exponential histogram that many threads record into: one at first, and one for each group of threads once they are
/// seen to collide.
///
/// The states lie in memory of their own, reached by an address, so that recording touches no reference count that threads would share.
@safe
struct ExponentialCells: ~Copyable, Sendable {
    private struct Cell: ~Copyable {
        let state: Mutex<ExponentialState>
    }

    /// Meetings at the lock after which threads part.
    private static let patience = 8
    /// Two cache lines, because processors fetch them in pairs.
    private static let alignment = 128
    private static let stride = (MemoryLayout<Cell>.size + alignment - 1) / alignment * alignment
    /// The one cell for all, and one for each group.
    private static let count = 1 + ThreadNumber.groupCount

    /// The first cell, zero when there is none.
    private let cells: UInt
    private let distance = Self.stride
    private let collisions = Atomic<Int>(0)
    private let threads = ThreadNumber()

    /// - Parameter empty: what each state begins as, or nil for cells that are never used.
    init(_ empty: ExponentialState?) {
        guard let empty else {
            cells = 0
            return
        }
        let memory = UnsafeMutableRawPointer.allocate(byteCount: Self.count * Self.stride, alignment: Self.alignment)
        for index in 0..<Self.count {
            unsafe (memory + index * Self.stride).bindMemory(to: Cell.self, capacity: 1).initialize(to: Cell(state: Mutex(empty)))
        }
        cells = UInt(bitPattern: memory)
    }

    deinit {
        guard cells != 0 else { return }
        for index in 0..<Self.count {
            _ = unsafe cell(index).deinitialize(count: 1)
        }
        unsafe UnsafeMutableRawPointer(cell(0)).deallocate()
    }

    /// Whether there are cells.
    var isUsed: Bool { cells != 0 }

    /// Counts a finite value. There must be cells.
    /// - Returns: how many the cell had counted before.
    @inline(__always)
    func record(_ value: Double) -> UInt64 {
        if collisions.load(ordering: .relaxed) < Self.patience {
            if let number = unsafe cell(0).pointee.state.withLockIfAvailable({ $0.record(value) }) { return number }
            collisions.wrappingAdd(1, ordering: .relaxed)
        }
        return unsafe cell(1 &+ threads.group).pointee.state.withLock { $0.record(value) }
    }

    /// The sum of all states. There must be cells.
    func merged() -> ExponentialState {
        var all = unsafe cell(0).pointee.state.withLock { $0 }
        for index in 1..<Self.count {
            all.merge(unsafe cell(index).pointee.state.withLock { $0 })
        }
        return all
    }

    /// A cell of which there are ``count``: callers pass zero, or one and a group.
    @inline(__always)
    private func cell(_ index: Int) -> UnsafeMutablePointer<Cell> {
        precondition(cells != 0, "a histogram of this kind has cells")
        return unsafe UnsafeMutablePointer<Cell>(bitPattern: cells &+ UInt(bitPattern: index &* distance)).unsafelyUnwrapped
    }
}
