import OrielCompression
import OrielTelemetry

/// Every blob of hot.db ends in its CRC32C, little-endian.
enum BlobChecksum {
    /// Appends the checksum of `blob` to it.
    static func seal(_ blob: inout [UInt8]) {
        let checksum = CRC32C.checksum(blob.span)
        blob.append(littleEndian: checksum)
    }

    /// The bytes before the checksum, which matches.
    static func open(_ blob: Span<UInt8>) throws(ColumnError) -> Int {
        guard blob.count >= 4 else {
            throw ColumnError(.truncated(needed: 4 - blob.count), at: blob.count)
        }
        let count = blob.count - 4
        var offset = count
        let stored = try blob.readLittleEndian(&offset, as: UInt32.self)
        let computed = CRC32C.checksum(blob.extracting(0..<count))
        guard stored == computed else {
            throw ColumnError(.checksum(stored: stored, computed: computed), at: count)
        }
        return count
    }
}
