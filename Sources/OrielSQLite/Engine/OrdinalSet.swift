/// A set of ordinals, a bit for each.
struct OrdinalSet: Sendable {
    private var words: [UInt64]
    private(set) var count = 0

    /// None of `limit` ordinals.
    init(limit: Int) {
        words = Array(repeating: 0, count: (limit + 63) / 64)
    }

    var isEmpty: Bool { count == 0 }

    func contains(_ ordinal: UInt32) -> Bool {
        words[Int(ordinal >> 6)] & (1 << UInt64(ordinal & 63)) != 0
    }

    mutating func insert(_ ordinal: UInt32) {
        let bit: UInt64 = 1 << UInt64(ordinal & 63)
        if words[Int(ordinal >> 6)] & bit == 0 { count += 1 }
        words[Int(ordinal >> 6)] |= bit
    }
}
