import OrielTelemetry

/// SipHash-2-4 with a 128-bit key (Aumasson and Bernstein, 2012): a short keyed hash that is safe against chosen input. Stored, so it never changes.
enum SipHash {
    /// Complexity: O(*n*), about 1 ns a byte.
    static func hash(_ bytes: Span<UInt8>, key0: UInt64, key1: UInt64) -> UInt64 {
        var v0 = key0 ^ 0x736f_6d65_7073_6575
        var v1 = key1 ^ 0x646f_7261_6e64_6f6d
        var v2 = key0 ^ 0x6c79_6765_6e65_7261
        var v3 = key1 ^ 0x7465_6462_7974_6573

        @inline(__always)
        func round() {
            v0 &+= v1
            v1 = v1 << 13 | v1 >> 51
            v1 ^= v0
            v0 = v0 << 32 | v0 >> 32
            v2 &+= v3
            v3 = v3 << 16 | v3 >> 48
            v3 ^= v2
            v0 &+= v3
            v3 = v3 << 21 | v3 >> 43
            v3 ^= v0
            v2 &+= v1
            v1 = v1 << 17 | v1 >> 47
            v1 ^= v2
            v2 = v2 << 32 | v2 >> 32
        }

        var reader = WireReader(start: 0, end: bytes.count)
        var word: UInt64 = 0
        while bytes.count - reader.offset >= 8 {
            // Eight bytes are left, so the read cannot throw; the loop ends if it ever did.
            do { word = try reader.fixed64(in: bytes) } catch { break }
            v3 ^= word
            round()
            round()
            v0 ^= word
        }
        var last = UInt64(truncatingIfNeeded: bytes.count) << 56
        var shift: UInt64 = 0
        for offset in reader.offset..<bytes.count {
            last |= UInt64(bytes[offset]) << shift
            shift += 8
        }
        v3 ^= last
        round()
        round()
        v0 ^= last
        v2 ^= 0xFF
        for _ in 0..<4 { round() }
        return v0 ^ v1 ^ v2 ^ v3
    }
}
