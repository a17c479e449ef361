import OrielCompression

/// Ties a blob of hot.db to the numbers of its row, which would else rot unnoticed: a commit's number, a file's state. Four bytes behind the blob: the CRC32C of the
/// numbers, little-endian, and of the blob's own checksum.
enum RowChecksum {
    static func seal(_ blob: inout [UInt8], _ numbers: Int64...) {
        let checksum = checksum(blob.suffix(4), numbers)
        blob.append(littleEndian: checksum)
    }

    /// The blob as it was before. One that does not belong to the numbers comes back as it is, and so fails its own check; one that was stored before there was this
    /// checksum passes it.
    static func open(_ blob: [UInt8], _ numbers: Int64...) -> [UInt8] {
        guard blob.count >= 8 else { return blob }
        var stored: UInt32 = 0
        for (index, byte) in blob.suffix(4).enumerated() { stored |= UInt32(byte) << (8 * UInt32(index)) }
        guard stored == checksum(blob.dropLast(4).suffix(4), numbers) else { return blob }
        return Array(blob.dropLast(4))
    }

    private static func checksum(_ tail: ArraySlice<UInt8>, _ numbers: [Int64]) -> UInt32 {
        var bytes: [UInt8] = []
        for number in numbers { bytes.append(littleEndian: UInt64(bitPattern: number)) }
        bytes += tail
        return CRC32C.checksum(bytes.span)
    }
}
