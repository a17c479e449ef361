import OrielCompression
import OrielStore

/// A filter over a column of a block: says of a hash that it certainly is not among those that were put in, or that it may be.
///
/// A split-block bloom filter: the hash chooses 32 bytes, and in each of their eight words one bit. With twelve bits a hash about one in 200 others passes.
///
/// ```
/// u8   format version
/// 32 bytes each: eight little-endian words
/// u32  CRC32C of all that precedes
/// ```
struct BlockFilter: Sendable {
    static let version: UInt8 = 1
    static let bitsPerHash = 12
    /// Bytes that a filter may have.
    static let maximumBytes = 64 << 20

    /// What the hashes are of.
    enum Kind: UInt8, Sendable {
        /// Tokens of texts (`TextTokens`).
        case tokens = 0
        /// Whole values; in the column `rest` keys with their values.
        case values = 1
    }

    /// As it is stored.
    let bytes: [UInt8]
    private let groupCount: Int

    private static let groupBytes = 32

    /// Checks what `encode` wrote.
    init(encoded bytes: [UInt8]) throws(ColumnError) {
        let end = try BlobChecksum.open(bytes.span)
        guard end > 0, bytes[0] == BlockFilter.version else { throw ColumnError(.version(bytes.first ?? 0), at: 0) }
        guard end > 1, (end - 1) % BlockFilter.groupBytes == 0 else {
            throw ColumnError(.malformed("a filter of \(end - 1) bytes is no multiple of \(BlockFilter.groupBytes)"), at: 1)
        }
        self.bytes = bytes
        groupCount = (end - 1) / BlockFilter.groupBytes
    }

    /// Appends a filter over distinct hashes.
    static func append(_ hashes: [UInt64], to bytes: inout [UInt8]) {
        let groupCount = max(1, (hashes.count * bitsPerHash + groupBytes * 8 - 1) / (groupBytes * 8))
        var words = [UInt32](repeating: 0, count: groupCount * 8)
        for hash in hashes {
            let group = BlockFilter.group(hash, of: groupCount)
            var bits = BlockFilter.bits(hash)
            for lane in 0..<8 {
                words[group &* 8 &+ lane] |= 1 &<< UInt32(truncatingIfNeeded: bits & 31)
                bits &>>= 5
            }
        }
        let start = bytes.count
        bytes.reserveCapacity(start + 5 + words.count * 4)
        bytes.append(version)
        for word in words { bytes.append(littleEndian: word) }
        let checksum = CRC32C.checksum(bytes.span.extracting(start..<bytes.count))
        bytes.append(littleEndian: checksum)
    }

    /// `false` is certain.
    func mayContain(_ hash: UInt64) -> Bool {
        let span = bytes.span
        var offset = 1 + BlockFilter.group(hash, of: groupCount) * BlockFilter.groupBytes
        var bits = BlockFilter.bits(hash)
        for _ in 0..<8 {
            let bit = Int(bits & 31)
            if span[offset + (bit >> 3)] & (1 << UInt8(bit & 7)) == 0 { return false }
            offset += 4
            bits &>>= 5
        }
        return true
    }

    private static func group(_ hash: UInt64, of count: Int) -> Int {
        Int(truncatingIfNeeded: hash.multipliedFullWidth(by: UInt64(count)).high)
    }

    /// Eight times five bits, from other bits of the hash than those that choose the group.
    private static func bits(_ hash: UInt64) -> UInt64 {
        (hash &* 0xA24B_AED4_963E_E407) &>> 24
    }
}
