import OrielStore
import OrielTelemetry

/// The request keys of one group commit with what was answered: for each the 16 bytes of the key and the rejections; CRC32C.
enum SeenRecord {
    private static let version: UInt8 = 1

    static func encode(_ entries: [(key: RequestKey, rejected: [Receipt.Rejection])]) -> [UInt8] {
        var bytes: [UInt8] = [version]
        bytes.append(count: entries.count)
        for (key, rejected) in entries {
            bytes.append(littleEndian: key.high)
            bytes.append(littleEndian: key.low)
            bytes.append(count: rejected.count)
            for rejection in rejected {
                bytes.append(rejection.signal.rawValue)
                bytes.append(rejection.reason.rawValue)
                bytes.append(count: rejection.count)
            }
        }
        BlobChecksum.seal(&bytes)
        return bytes
    }

    static func decode(_ blob: Span<UInt8>) throws(ColumnError) -> [(key: RequestKey, rejected: [Receipt.Rejection])] {
        let bytes = blob.extracting(0..<(try BlobChecksum.open(blob)))
        var offset = 0
        let found = try bytes.readByte(&offset)
        guard found == version else {
            throw ColumnError(.version(found), at: 0)
        }
        var entries: [(key: RequestKey, rejected: [Receipt.Rejection])] = []
        for _ in 0..<(try bytes.readCount(&offset, limit: bytes.count)) {
            let high = try bytes.readLittleEndian(&offset, as: UInt64.self)
            let low = try bytes.readLittleEndian(&offset, as: UInt64.self)
            var rejected: [Receipt.Rejection] = []
            for _ in 0..<(try bytes.readCount(&offset, limit: bytes.count)) {
                let position = offset
                let signal = Signal(rawValue: try bytes.readByte(&offset))
                let reason = Receipt.Rejection.Reason(rawValue: try bytes.readByte(&offset))
                let count = try bytes.readCount(&offset, limit: Int.max)
                guard let signal, let reason else {
                    throw ColumnError(.malformed("unknown signal or reason"), at: position)
                }
                rejected.append(.init(signal: signal, reason: reason, count: count))
            }
            entries.append((RequestKey(high: high, low: low), rejected))
        }
        return entries
    }
}
