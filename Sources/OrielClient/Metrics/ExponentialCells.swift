import Synchronization

/// The state of an exponential histogram that many threads record into: one at first, and one more for each group of threads while they are
/// seen to collide.
///
/// The states lie in memory of their own, reached by an address, so that recording touches no reference count that threads would share.
@safe
struct ExponentialCells: ~Copyable, Sendable {
    private struct Cell: ~Copyable {
        let state: Mutex<ExponentialState>
    }

    /// Meetings at the lock after which threads part. Single ones happen by chance and are not worth the memory.
    private static let patience = 8
    /// Two cache lines, because processors fetch them in pairs.
    private static let alignment = 128
    private static let stride = (MemoryLayout<Cell>.size + alignment - 1) / alignment * alignment

    /// The cell that all threads use at first, zero when there is none.
    private let shared: UInt
    /// The first of the cells of the groups, zero until they are needed.
    private let groups = Atomic<UInt>(0)
    private let distance = Self.stride
    private let collisions = Atomic<Int>(0)
    private let threads = ThreadNumber()

    /// - Parameter empty: what each state begins as, or nil for cells that are never used.
    init(_ empty: ExponentialState?) {
        shared = empty.map { Self.makeCells(1, $0) } ?? 0
    }

    deinit {
        Self.destroyCells(shared, 1)
        Self.destroyCells(groups.load(ordering: .acquiring), ThreadNumber.groupCount)
    }

    /// Whether there are cells.
    var isUsed: Bool { shared != 0 }

    /// Counts a finite value. There must be cells.
    /// - Returns: how many the cell had counted before.
    @inline(__always)
    func record(_ value: Double) -> UInt64 {
        if collisions.load(ordering: .relaxed) < Self.patience {
            if let number = unsafe Self.cell(shared).pointee.state.withLockIfAvailable({ $0.record(value) }) { return number }
            collisions.wrappingAdd(1, ordering: .relaxed)
        }
        return recordApart(value)
    }

    @inline(never)
    private func recordApart(_ value: Double) -> UInt64 {
        var first = groups.load(ordering: .acquiring)
        if first == 0 {
            guard collisions.load(ordering: .relaxed) >= Self.patience else {
                return unsafe Self.cell(shared).pointee.state.withLock { $0.record(value) }
            }
            first = makeGroups()
        }
        return unsafe Self.cell(first &+ UInt(bitPattern: threads.group &* distance)).pointee.state.withLock { $0.record(value) }
    }

    private func makeGroups() -> UInt {
        // A finer scale than the one that all are brought to in the end would be of no use.
        let empty = unsafe Self.cell(shared).pointee.state.withLock { ExponentialState(capacity: $0.capacity, scale: $0.scale) }
        let made = Self.makeCells(ThreadNumber.groupCount, empty)
        let (isFirst, known) = groups.compareExchange(expected: 0, desired: made, ordering: .acquiringAndReleasing)
        if isFirst { return made }
        Self.destroyCells(made, ThreadNumber.groupCount)
        return known
    }

    /// The sum of all states. There must be cells.
    ///
    /// Half of the meetings is forgotten each time, so that a few in a long life do not count.
    func merged() -> ExponentialState {
        collisions.store(collisions.load(ordering: .relaxed) / 2, ordering: .relaxed)
        var all = unsafe Self.cell(shared).pointee.state.withLock { $0 }
        let first = groups.load(ordering: .acquiring)
        guard first != 0 else { return all }
        for group in 0..<ThreadNumber.groupCount {
            all.merge(unsafe Self.cell(first &+ UInt(bitPattern: group &* distance)).pointee.state.withLock { $0 })
        }
        return all
    }

    // MARK: Memory

    /// The cell at an address, which must be one of a cell.
    @inline(__always)
    private static func cell(_ address: UInt) -> UnsafeMutablePointer<Cell> {
        precondition(address != 0, "a histogram of this kind has cells")
        return unsafe UnsafeMutablePointer<Cell>(bitPattern: address).unsafelyUnwrapped
    }

    private static func makeCells(_ count: Int, _ empty: ExponentialState) -> UInt {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: count * stride, alignment: alignment)
        for index in 0..<count {
            unsafe (memory + index * stride).bindMemory(to: Cell.self, capacity: 1).initialize(to: Cell(state: Mutex(empty)))
        }
        return UInt(bitPattern: memory)
    }

    /// - Parameter first: what ``makeCells(_:_:)`` gave, or zero.
    private static func destroyCells(_ first: UInt, _ count: Int) {
        guard first != 0 else { return }
        for index in 0..<count {
            _ = unsafe cell(first &+ UInt(bitPattern: index &* stride)).deinitialize(count: 1)
        }
        unsafe UnsafeMutableRawPointer(cell(first)).deallocate()
    }
}
