import OrielStore
import OrielTelemetry

/// A segment's description as the manifest keeps it; CRC32C at the end.
enum SegmentRecord {
    private static let version: UInt8 = 2

    static func encode(_ description: SegmentDescription) -> [UInt8] {
        var bytes: [UInt8] = [version]
        bytes.append(varint: description.fileID)
        bytes.append(description.signal.rawValue)
        bytes.append(count: description.level)
        bytes.append(count: description.pieces.count)
        for piece in description.pieces {
            bytes.append(zigzag: Int64(piece.day.number))
            bytes.append(varint: piece.low.rawValue)
            bytes.append(varint: piece.high.rawValue)
        }
        bytes.append(count: description.inputs.count)
        for input in description.inputs {
            bytes.append(varint: input)
        }
        bytes.append(count: description.rowCount)
        bytes.append(zigzag: description.minimumTime)
        bytes.append(zigzag: description.maximumTime)
        bytes.append(count: description.byteCount)
        bytes.append(varint: description.appliedDeletions.rawValue)
        BlobChecksum.seal(&bytes)
        return bytes
    }

    static func decode(_ blob: Span<UInt8>) throws(ColumnError) -> SegmentDescription {
        let bytes = blob.extracting(0..<(try BlobChecksum.open(blob)))
        var offset = 0
        let found = try bytes.readByte(&offset)
        guard found == version else {
            throw ColumnError(.version(found), at: 0)
        }
        let fileID = try bytes.readVarint(&offset)
        let position = offset
        guard let signal = Signal(rawValue: try bytes.readByte(&offset)) else {
            throw ColumnError(.malformed("unknown signal"), at: position)
        }
        let level = try bytes.readCount(&offset, limit: 255)
        var pieces: [Piece] = []
        for _ in 0..<(try bytes.readCount(&offset, limit: bytes.count)) {
            let day = Day(number: Int32(truncatingIfNeeded: try bytes.readZigzag(&offset)))
            let low = CommitSequence(rawValue: try bytes.readVarint(&offset))
            let high = CommitSequence(rawValue: try bytes.readVarint(&offset))
            pieces.append(Piece(day: day, low: low, high: high))
        }
        var inputs: [UInt64] = []
        for _ in 0..<(try bytes.readCount(&offset, limit: bytes.count)) {
            inputs.append(try bytes.readVarint(&offset))
        }
        let rowCount = try bytes.readCount(&offset, limit: Int.max)
        let minimumTime = try bytes.readZigzag(&offset)
        let maximumTime = try bytes.readZigzag(&offset)
        let byteCount = try bytes.readCount(&offset, limit: Int.max)
        let appliedDeletions = CommitSequence(rawValue: try bytes.readVarint(&offset))
        return SegmentDescription(
            fileID: fileID, signal: signal, level: level, pieces: pieces, inputs: inputs, rowCount: rowCount, minimumTime: minimumTime,
            maximumTime: maximumTime, byteCount: byteCount, appliedDeletions: appliedDeletions)
    }
}
