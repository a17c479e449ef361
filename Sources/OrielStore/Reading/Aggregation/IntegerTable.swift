/// Distinct 64-bit keys with dense indexes, in the order in which they came: an open-addressing table.
struct IntegerTable: Sendable {
    private(set) var keys: [UInt64] = []
    /// Index of a key plus one; 0 is a free slot. The size is a power of two, at most half full.
    private var slots: [UInt32] = []
    /// Keys come from requests and could be chosen to collide.
    private let seed: UInt64

    private static let processSeed = UInt64.random(in: 0...UInt64.max)

    init() {
        seed = IntegerTable.processSeed
    }

    var count: Int { keys.count }

    var byteCount: Int { keys.capacity * 8 + slots.count * 4 }

    /// The index of a key, which is added when it is new.
    @inline(__always)
    mutating func intern(_ key: UInt64) -> UInt32 {
        if !slots.isEmpty {
            let mask = slots.count &- 1
            var slot = Int(truncatingIfNeeded: hash(key)) & mask
            while slots[slot] != 0 {
                if keys[Int(slots[slot]) &- 1] == key { return slots[slot] &- 1 }
                slot = (slot &+ 1) & mask
            }
        }
        return add(key)
    }

    private mutating func add(_ key: UInt64) -> UInt32 {
        keys.append(key)
        if keys.count * 2 > slots.count {
            slots = Array(repeating: 0, count: max(16, slots.count * 2))
            for index in keys.indices { place(index) }
        } else {
            place(keys.count - 1)
        }
        return UInt32(keys.count - 1)
    }

    private mutating func place(_ index: Int) {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hash(keys[index])) & mask
        while slots[slot] != 0 { slot = (slot &+ 1) & mask }
        slots[slot] = UInt32(index + 1)
    }

    @inline(__always)
    private func hash(_ key: UInt64) -> UInt64 {
        let product = (key ^ seed).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15 ^ (seed | 1))
        return product.high ^ product.low
    }
}
