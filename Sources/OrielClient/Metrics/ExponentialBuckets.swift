/// The counts of one sign of a base-2 exponential histogram: a window of consecutive buckets that follows the values.
///
/// A bucket's index *i* at scale *s* stands for (2^(i·2^-s), 2^((i+1)·2^-s)], as OpenTelemetry's data model defines it. The scale is kept
/// by ``ExponentialState``, since both signs share it.
struct ExponentialBuckets: Sendable {
    /// The lowest and highest index that was counted; meaningless while empty.
    private(set) var low = 0
    private(set) var high = 0
    /// The count of index i is at i modulo the size, a power of two no less than the width of the window, so that no two meet.
    private var ring: [UInt64] = []

    var isEmpty: Bool { ring.isEmpty }

    /// Whether `index` lies in the window.
    @inline(__always)
    func contains(_ index: Int) -> Bool { index >= low && index <= high && !isEmpty }

    /// The counts from ``low`` to ``high``.
    var counts: [UInt64] {
        guard !isEmpty else { return [] }
        return (low...high).map { ring[slot($0)] }
    }

    /// By how many steps the scale must go down before `index` (and all up to `end`, for a merge) fits into `capacity` buckets.
    func shift(toInclude index: Int, through end: Int? = nil, capacity: Int) -> Int {
        var low = isEmpty ? index : min(self.low, index)
        var high = isEmpty ? (end ?? index) : max(self.high, end ?? index)
        var shift = 0
        while high - low >= capacity {
            low >>= 1
            high >>= 1
            shift += 1
        }
        return shift
    }

    /// Counts `index`, which must fit (see ``shift(toInclude:through:capacity:)``).
    @inline(__always)
    mutating func add(_ count: UInt64, at index: Int) {
        if !contains(index) { widen(toInclude: index) }
        ring[slot(index)] &+= count
    }

    /// Many histograms only ever need a few buckets, so there is room for no more than that.
    @inline(never)
    private mutating func widen(toInclude index: Int) {
        let (newLow, newHigh) = isEmpty ? (index, index) : (min(low, index), max(high, index))
        var size = max(ring.count, 4)
        while size <= newHigh - newLow { size *= 2 }
        if size > ring.count {
            var wider = [UInt64](repeating: 0, count: size)
            if !isEmpty { for index in low...high { wider[index & (size - 1)] = ring[slot(index)] } }
            ring = wider
        }
        low = newLow
        high = newHigh
    }

    /// Halves the resolution `shift` times.
    mutating func downscale(by shift: Int) {
        guard shift > 0, !isEmpty else { return }
        var coarse = [UInt64](repeating: 0, count: ring.count)
        for index in low...high {
            coarse[slot(index >> shift)] &+= ring[slot(index)]
        }
        ring = coarse
        low >>= shift
        high >>= shift
    }

    @inline(__always)
    private func slot(_ index: Int) -> Int { index & (ring.count &- 1) }
}
