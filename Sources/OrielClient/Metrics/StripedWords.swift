import Synchronization

// The memory of the registry's hot words. It is reached through addresses kept as integers, since a pointer would forbid
// to share the value among threads; what lies there are atomics only, and it lives exactly as long as the value that owns it.

/// A row of 64-bit atomic words that many threads add to.
///
/// At first there is one row. When threads are seen to collide there, some copies of the row follow, and each thread
/// adds to the copy that its identity picks; a read sums them all. So a counter that is not fought over costs a few dozen bytes, and one
/// that is scales with the threads.
@safe
struct StripedWords: ~Copyable, Sendable {
    private typealias Word = Atomic<UInt64>

    /// Collisions after which the row is copied. Single ones happen by chance and are not worth the memory.
    private static let patience = 8
    /// Copies of a row, a power of two.
    private static let stripeCount = ThreadNumber.groupCount
    /// Two cache lines, because processors fetch them in pairs.
    private static let alignment = 128

    /// The number of words in the row.
    let count: Int
    /// The distance of two copies in bytes.
    private let stride: Int
    private let first: UInt
    private let stripes = Atomic<UInt>(0)
    private let collisions = Atomic<Int>(0)
    private let threads = ThreadNumber()

    /// A row of `count` words, all zero.
    init(count: Int) {
        precondition(count > 0, "a row has at least one word")
        self.count = count
        stride = (count * MemoryLayout<Word>.stride + Self.alignment - 1) / Self.alignment * Self.alignment
        first = Self.makeWords(count, alignment: MemoryLayout<Word>.alignment)
    }

    deinit {
        // An atomic integer needs no deinitialization.
        unsafe UnsafeMutableRawPointer(bitPattern: first)?.deallocate()
        unsafe UnsafeMutableRawPointer(bitPattern: stripes.load(ordering: .acquiring))?.deallocate()
    }

    /// Adds to one word, wrapping around.
    /// - Returns: what that copy of the word held before.
    @discardableResult
    @inline(__always)
    func add(_ amount: UInt64, at index: Int) -> UInt64 {
        precondition(index >= 0 && index < count)
        let stripes = stripes.load(ordering: .acquiring)
        if stripes == 0 {
            let word = unsafe Self.word(first, index)
            let old = unsafe word.pointee.load(ordering: .relaxed)
            if unsafe word.pointee.weakCompareExchange(expected: old, desired: old &+ amount, ordering: .relaxed).exchanged { return old }
            noteCollision()
            return unsafe word.pointee.wrappingAdd(amount, ordering: .relaxed).oldValue
        } else {
            return unsafe Self.word(stripe(of: stripes), index).pointee.wrappingAdd(amount, ordering: .relaxed).oldValue
        }
    }

    /// Adds to one word that holds the bits of a double.
    /// - Returns: the bits that the copy of the word held before.
    @discardableResult
    @inline(__always)
    func add(_ amount: Double, at index: Int) -> UInt64 {
        precondition(index >= 0 && index < count)
        let stripes = stripes.load(ordering: .acquiring)
        let word = unsafe Self.word(stripes == 0 ? first : stripe(of: stripes), index)
        var old = unsafe word.pointee.load(ordering: .relaxed)
        while true {
            let sum = Double(bitPattern: old) + amount
            let (exchanged, original) = unsafe word.pointee.weakCompareExchange(
                expected: old, desired: sum.bitPattern, ordering: .relaxed)
            if exchanged { return old }
            old = original
            if stripes == 0 { noteCollision() }
        }
    }

    /// The sum of one word over all copies.
    func integer(at index: Int) -> UInt64 {
        var sum: UInt64 = 0
        unsafe forEachCopy(of: index) { sum &+= unsafe $0.pointee.load(ordering: .relaxed) }
        return sum
    }

    /// The sum of one word, which holds doubles, over all copies.
    func double(at index: Int) -> Double {
        var sum = 0.0
        unsafe forEachCopy(of: index) { sum += unsafe Double(bitPattern: $0.pointee.load(ordering: .relaxed)) }
        return sum
    }

    /// Sets all words of all copies to zero. Not one step: what is added meanwhile may stay or go.
    func clear() {
        for index in 0..<count {
            unsafe forEachCopy(of: index) { unsafe $0.pointee.store(0, ordering: .relaxed) }
        }
    }

    private func forEachCopy(of index: Int, _ body: (UnsafeMutablePointer<Word>) -> Void) {
        precondition(index >= 0 && index < count)
        unsafe body(Self.word(first, index))
        let stripes = stripes.load(ordering: .acquiring)
        guard stripes != 0 else { return }
        for stripe in 0..<Self.stripeCount {
            unsafe body(Self.word(stripes + UInt(stripe * stride), index))
        }
    }

    @inline(never)
    private func noteCollision() {
        guard collisions.wrappingAdd(1, ordering: .relaxed).newValue == Self.patience else { return }
        let words = Self.makeWords(Self.stripeCount * stride / MemoryLayout<Word>.stride, alignment: Self.alignment)
        stripes.store(words, ordering: .releasing)
    }

    /// The copy of the row for the calling thread. Threads may share one; every word is atomic.
    @inline(__always)
    private func stripe(of stripes: UInt) -> UInt {
        stripes &+ UInt(bitPattern: threads.group &* stride)
    }

    @inline(__always)
    private static func word(_ address: UInt, _ index: Int) -> UnsafeMutablePointer<Word> {
        // The address came from `makeWords`, which never gives null, and callers have checked the index against the row's count.
        unsafe UnsafeMutablePointer<Word>(bitPattern: address).unsafelyUnwrapped + index
    }

    private static func makeWords(_ count: Int, alignment: Int) -> UInt {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: count * MemoryLayout<Word>.stride, alignment: alignment)
        let words = unsafe memory.bindMemory(to: Word.self, capacity: count)
        for index in 0..<count {
            unsafe (words + index).initialize(to: Word(0))
        }
        return UInt(bitPattern: memory)
    }
}
