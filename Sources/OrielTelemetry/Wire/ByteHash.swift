/// A fast hash of bytes for tables in memory. It is no defence against chosen collisions: pass a random `seed` where keys come from outside and a
/// table may grow large. Never stored.
@frozen
public struct ByteHash: Sendable {
    /// Hashes eight bytes a step by multiply and fold.
    ///
    /// Complexity: O(*n*), about 0.3 ns a byte.
    @inlinable
    public static func hash(_ bytes: Span<UInt8>, seed: UInt64 = 0x9E37_79B9_7F4A_7C15) -> UInt64 {
        var state = seed ^ (UInt64(truncatingIfNeeded: bytes.count) &* 0xA076_1D64_78BD_642F)
        let raw = unsafe bytes.bytes
        let count = bytes.count
        var offset = 0
        while offset &+ 8 <= count {
            // Checked by the loop's condition: eight bytes are left.
            let word = unsafe raw.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
            state = mix(state ^ word)
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
            state = mix(state ^ word)
        }
        return mix(state ^ 0xE703_7ED1_A0B4_28DB)
    }

    @inlinable
    static func mix(_ value: UInt64) -> UInt64 {
        let product = value.multipliedFullWidth(by: 0x9FB2_1C65_1E98_DF25)
        return product.high ^ product.low
    }
}
