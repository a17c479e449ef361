/// The checksum of the store's blobs and of snappy's frames: CRC-32 with the Castagnoli polynomial (reflected 0x82F63B78, initial value and final xor
/// all ones), as in RFC 3720 appendix B.4. It finds every error burst of up to 32 bits.
///
/// Sixteen bytes are folded a step through sixteen tables, so the cost is that of the table loads and not of a chain over single bytes.
public enum CRC32C {
    /// Table `k` holds, for each byte, its effect on the remainder when `k` more bytes follow: `table[k * 256 + byte]`.
    private static let tables: [UInt32] = {
        var tables = [UInt32](repeating: 0, count: 16 * 256)
        for byte in 0..<256 {
            var remainder = UInt32(byte)
            for _ in 0..<8 {
                remainder = (remainder >> 1) ^ (remainder & 1 == 1 ? 0x82F6_3B78 : 0)
            }
            tables[byte] = remainder
        }
        for index in 256..<tables.count {
            let previous = tables[index - 256]
            tables[index] = (previous >> 8) ^ tables[Int(previous & 0xFF)]
        }
        return tables
    }()

    /// The checksum of `bytes`.
    ///
    /// - Complexity: O(*n*), without allocation.
    public static func checksum(_ bytes: Span<UInt8>) -> UInt32 {
        // Bytes have no padding, so their raw view is all initialised.
        unsafe checksum(bytes.bytes)
    }

    /// The checksum of `bytes`.
    ///
    /// - Parameter start: The checksum of what precedes `bytes`, to carry on from it: `checksum(b, after: checksum(a))` is that of `a + b`.
    /// - Complexity: O(*n*), without allocation.
    public static func checksum(_ bytes: RawSpan, after start: UInt32 = 0) -> UInt32 {
        let table = tables.span
        var remainder = ~start
        var offset = 0
        let count = bytes.byteCount
        // The loads are in bounds because 16 bytes remain; a table index is below 16 * 256 because each adds at most 255 to its table's start.
        while count - offset >= 16 {
            let low = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self).littleEndian ^ UInt64(remainder)
            let high = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset &+ 8, as: UInt64.self).littleEndian
            remainder = folded(low, from: 15, table) ^ folded(high, from: 7, table)
            offset &+= 16
        }
        while offset < count {
            let byte = unsafe bytes.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
            remainder = unsafe (remainder >> 8) ^ table[unchecked: Int((remainder ^ UInt32(byte)) & 0xFF)]
            offset &+= 1
        }
        return ~remainder
    }

    /// The eight bytes of `word` folded through tables `first`, `first - 1`, …, `first - 7`.
    @inline(__always)
    private static func folded(_ word: UInt64, from first: Int, _ table: Span<UInt32>) -> UInt32 {
        let a = unsafe table[unchecked: first &* 256 &+ Int(truncatingIfNeeded: word & 0xFF)]
        let b = unsafe table[unchecked: (first &- 1) &* 256 &+ Int(truncatingIfNeeded: (word >> 8) & 0xFF)]
        let c = unsafe table[unchecked: (first &- 2) &* 256 &+ Int(truncatingIfNeeded: (word >> 16) & 0xFF)]
        let d = unsafe table[unchecked: (first &- 3) &* 256 &+ Int(truncatingIfNeeded: (word >> 24) & 0xFF)]
        let e = unsafe table[unchecked: (first &- 4) &* 256 &+ Int(truncatingIfNeeded: (word >> 32) & 0xFF)]
        let f = unsafe table[unchecked: (first &- 5) &* 256 &+ Int(truncatingIfNeeded: (word >> 40) & 0xFF)]
        let g = unsafe table[unchecked: (first &- 6) &* 256 &+ Int(truncatingIfNeeded: (word >> 48) & 0xFF)]
        let h = unsafe table[unchecked: (first &- 7) &* 256 &+ Int(truncatingIfNeeded: word >> 56)]
        return (a ^ b) ^ (c ^ d) ^ ((e ^ f) ^ (g ^ h))
    }
}
