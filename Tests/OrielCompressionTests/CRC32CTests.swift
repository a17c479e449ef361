import OrielCompression
import Testing

struct CRC32CTests {
    @Test(arguments: [
        ("", 0), ("123456789", 0xE306_9283), ("a", 0xC1D0_4330), ("The quick brown fox jumps over the lazy dog", 0x2262_0404),
    ])
    func knownValues(_ text: String, _ expected: UInt32) {
        #expect(checksum(Array(text.utf8)) == expected)
    }

    /// The vectors of RFC 3720, appendix B.4.
    @Test func vectorsOfTheSpecification() {
        #expect(checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(checksum([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
        #expect(checksum((0..<32).map { UInt8($0) }) == 0x46DD_794E)
    }

    @Test func eachLengthEqualsBitByBit() {
        let bytes = (0..<200).map { UInt8(truncatingIfNeeded: $0 &* 37) }
        for count in 0...bytes.count {
            var remainder = ~UInt32(0)
            for byte in bytes.prefix(count) {
                remainder ^= UInt32(byte)
                for _ in 0..<8 {
                    remainder = (remainder >> 1) ^ (remainder & 1 == 1 ? 0x82F6_3B78 : 0)
                }
            }
            #expect(checksum(Array(bytes.prefix(count))) == ~remainder, "length \(count)")
        }
    }

    private func checksum(_ bytes: [UInt8]) -> UInt32 {
        CRC32C.checksum(bytes.span)
    }
}
