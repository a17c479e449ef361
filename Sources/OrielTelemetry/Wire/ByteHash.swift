/// A fast hash of bytes for tables in memory. It is no defence against chosen collisions: pass a random `seed` where keys come from outside
/// and a
/// table may grow large. Never stored.
@frozen
public struct ByteHash: Sendable {
    /// Hashes by multiply and fold, 32 bytes a step in two chains that do not wait for each other.
    ///
    /// Complexity: O(*n*), below 0.1 ns a byte for long keys.
    @inlinable
    public static func hash(_ bytes: Span<UInt8>, seed: UInt64 = 0x9E37_79B9_7F4A_7C15) -> UInt64 {
        let raw = unsafe bytes.bytes
        let count = bytes.count
        // Masks that a sender who does not know the seed cannot cancel: a word equal to its mask would make the product 0, whatever comes with it.
        let firstMask = seed ^ 0xE703_7ED1_A0B4_28DB
        let secondMask = (seed << 32 | seed >> 32) ^ 0x5899_65CC_7537_4CC3
        var first = seed ^ (UInt64(truncatingIfNeeded: count) &* 0xA076_1D64_78BD_642F)
        var second = seed &+ 0x8EBC_6AF0_9C88_C6E3
        var offset = 0
        while offset &+ 32 <= count {
            // Checked by the loop's condition: 32 bytes are left.
            first = unsafe mix(
                raw.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self) ^ firstMask,
                raw.unsafeLoadUnaligned(fromByteOffset: offset &+ 8, as: UInt64.self) ^ first)
            second = unsafe mix(
                raw.unsafeLoadUnaligned(fromByteOffset: offset &+ 16, as: UInt64.self) ^ secondMask,
                raw.unsafeLoadUnaligned(fromByteOffset: offset &+ 24, as: UInt64.self) ^ second)
            offset &+= 32
        }
        var state = first ^ second
        while offset &+ 8 <= count {
            // Checked by the loop's condition: eight bytes are left.
            let word = unsafe raw.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
            state = mix(state ^ word, 0x9FB2_1C65_1E98_DF25)
            offset &+= 8
        }
        if offset < count {
            var word: UInt64 = 0
            var shift: UInt64 = 0
            while offset < count {
                word |= UInt64(bytes[offset]) &<< shift
                shift &+= 8
                offset &+= 1
            }
            state = mix(state ^ word, 0x9FB2_1C65_1E98_DF25)
        }
        return mix(state ^ 0xE703_7ED1_A0B4_28DB, 0x9FB2_1C65_1E98_DF25)
    }

    @inlinable
    static func mix(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }
}
