import OrielTelemetry

/// The format of a file of a spill folder, which holds one request.
///
/// All numbers are little endian:
///
/// | Offset | Bytes | What |
/// |---|---|---|
/// | 0 | 8 | `ORIELSPL` |
/// | 8 | 2 | version, 1 |
/// | 10 | 1 | signal: 1 logs, 2 metrics, 3 spans |
/// | 11 | 1 | 0 |
/// | 12 | 4 | items of the request |
/// | 16 | 8 | bytes of the request |
/// | 24 | 4 | CRC-32C of the request |
/// | 28 | 4 | CRC-32C of the 28 bytes before |
/// | 32 | | the request |
enum SpillFile {
    static let headerBytes = 32
    private static let magic = Array("ORIELSPL".utf8)
    private static let version: UInt64 = 1

    struct Header: Hashable, Sendable {
        var signal: ExportSignal
        var itemCount: Int
        var length: Int
        var checksum: UInt32
    }

    enum Reading: Hashable, Sendable {
        case header(Header)
        /// Of a later version of this library, which is to find it as it is.
        case newer
        case damaged
    }

    static func header(of batch: ExportBatch) -> [UInt8] {
        var bytes = magic
        bytes.append(version, count: 2)
        bytes.append(UInt64(number(of: batch.signal)), count: 2)
        bytes.append(UInt64(UInt32(clamping: batch.itemCount)), count: 4)
        bytes.append(UInt64(batch.request.count), count: 8)
        bytes.append(UInt64(SpillChecksum.of(batch.request.span)), count: 4)
        bytes.append(UInt64(SpillChecksum.of(bytes.span)), count: 4)
        return bytes
    }

    /// Reads the header at the start of a file.
    static func read(_ bytes: Span<UInt8>) -> Reading {
        guard bytes.count >= headerBytes, bytes.extracting(0..<8).isEqual(to: magic.span) else { return .damaged }
        if bytes.number(at: 8, count: 2) > version { return .newer }
        guard bytes.number(at: 8, count: 2) == version, UInt32(bytes.number(at: 28, count: 4)) == SpillChecksum.of(bytes.extracting(0..<28)),
            let signal = ExportSignal.allCases.first(where: { number(of: $0) == bytes.number(at: 10, count: 2) }),
            let length = Int(exactly: bytes.number(at: 16, count: 8))
        else { return .damaged }
        let items = Int(bytes.number(at: 12, count: 4))
        return .header(Header(signal: signal, itemCount: items, length: length, checksum: UInt32(bytes.number(at: 24, count: 4))))
    }

    /// The request of a whole file; `nil` when the file is damaged.
    static func batch(_ bytes: [UInt8]) -> ExportBatch? {
        guard case .header(let header) = read(bytes.span), header.length == bytes.count - headerBytes else { return nil }
        let request = Array(bytes[headerBytes...])
        guard SpillChecksum.of(request.span) == header.checksum else { return nil }
        return ExportBatch(signal: header.signal, request: request, itemCount: header.itemCount)
    }

    private static func number(of signal: ExportSignal) -> UInt8 {
        switch signal {
        case .logs: 1
        case .metrics: 2
        case .spans: 3
        }
    }
}

/// CRC-32 with Castagnoli's polynomial (reflected 0x82F63B78, all ones before and after).
enum SpillChecksum {
    private static let table: [UInt32] = (0..<256).map { byte in
        var remainder = UInt32(byte)
        for _ in 0..<8 { remainder = (remainder >> 1) ^ (remainder & 1 == 1 ? 0x82F6_3B78 : 0) }
        return remainder
    }

    static func of(_ bytes: Span<UInt8>) -> UInt32 {
        let table = table.span
        var remainder = ~UInt32(0)
        for index in bytes.indices { remainder = (remainder >> 8) ^ table[Int((remainder ^ UInt32(bytes[index])) & 0xFF)] }
        return ~remainder
    }
}

extension [UInt8] {
    fileprivate mutating func append(_ value: UInt64, count: Int) {
        for index in 0..<count { append(UInt8(truncatingIfNeeded: value >> UInt64(8 * index))) }
    }
}

extension Span<UInt8> {
    fileprivate func number(at offset: Int, count: Int) -> UInt64 {
        var value: UInt64 = 0
        for index in 0..<count { value |= UInt64(self[offset + index]) << UInt64(8 * index) }
        return value
    }
}
