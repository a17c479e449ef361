/// Distinct byte strings with dense indexes: the attribute keys of a batch, its streams.
///
/// An open-addressing index over hashes; lookups compare bytes, so collisions cost time, never correctness.
public struct KeyTable: Sendable {
    /// The keys in order of their index.
    public private(set) var keys: ByteColumn
    /// A hash of each key, the same in all tables of this process and in no other process.
    public private(set) var hashes: [UInt64]
    /// Index of a key plus one; 0 is a free slot. The size is a power of two, at most half full.
    private var slots: [UInt32]
    /// Differs from process to process, since keys come from requests and could be chosen to collide.
    private let seed: UInt64

    private static let processSeed = UInt64.random(in: 0...UInt64.max)

    public init() {
        keys = ByteColumn()
        hashes = []
        slots = []
        seed = KeyTable.processSeed
    }

    public var count: Int { keys.count }

    /// The hash that ``hashes`` has for a key, in all tables of this process.
    public static func hash(of key: Span<UInt8>) -> UInt64 { ByteHash.hash(key, seed: processSeed) }

    /// The index of `key`, which is added when it is new. `hint` is the index that is likely right (keys come in the same order row after row); it saves the
    /// hash.
    ///
    /// Complexity: O(*length of the key*).
    public mutating func intern(_ key: Span<UInt8>, hint: Int = -1) -> Int {
        if isKey(hint, key) { return hint }
        let hash = ByteHash.hash(key, seed: seed)
        if let index = find(key, hash: hash) { return index }
        if (keys.count + 1) * 2 > slots.count { grow() }
        keys.append(key)
        hashes.append(hash)
        place(keys.count - 1)
        return keys.count - 1
    }

    /// The index of `key`, or `nil`. `hint` as for ``intern(_:hint:)``.
    ///
    /// Complexity: O(*length of the key*).
    public func index(of key: Span<UInt8>, hint: Int = -1) -> Int? {
        isKey(hint, key) ? hint : find(key, hash: ByteHash.hash(key, seed: seed))
    }

    /// The index of `key`, whose hash is what ``hashes`` of another table has for it, or `nil`.
    public func index(of key: Span<UInt8>, hash: UInt64, hint: Int = -1) -> Int? {
        if hint >= 0, hint < hashes.count, hashes[hint] == hash, isKey(hint, key) { return hint }
        return find(key, hash: hash)
    }

    /// The index of `key`, or `nil`.
    public func index(of key: String) -> Int? {
        index(of: Array(key.utf8).span)
    }

    private func isKey(_ index: Int, _ key: Span<UInt8>) -> Bool {
        index >= 0 && index < keys.count && keys.bytes.span.extracting(keys.range(of: index)).isEqual(to: key)
    }

    private func find(_ key: Span<UInt8>, hash: UInt64) -> Int? {
        guard !slots.isEmpty else { return nil }
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] != 0 {
            let index = Int(slots[slot]) - 1
            if hashes[index] == hash, isKey(index, key) { return index }
            slot = (slot &+ 1) & mask
        }
        return nil
    }

    private mutating func place(_ index: Int) {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hashes[index]) & mask
        while slots[slot] != 0 { slot = (slot &+ 1) & mask }
        slots[slot] = UInt32(index + 1)
    }

    private mutating func grow() {
        slots = Array(repeating: 0, count: max(16, slots.count * 2))
        for index in 0..<keys.count { place(index) }
    }
}
