import NIOCore
import OrielCompression

/// How large a compressed body will become, as far as its format tells without inflating it.
///
/// Only used to reserve memory; what a body claims is never trusted beyond that.
enum InflatedSize {
    /// The size that the body states, or nil if the format does not say.
    static func stated(_ encoding: ContentEncoding, _ body: ByteBuffer) -> Int? {
        switch encoding {
        case .identity:
            return body.readableBytes
        case .gzip:
            // The last four bytes are the size modulo 2^32 (RFC 1952, 2.3.1).
            guard body.readableBytes >= 18 else { return nil }
            return body.getInteger(at: body.writerIndex - 4, endianness: .little, as: UInt32.self).map { Int($0) }
        case .zstd:
            return zstdContentSize(body)
        case .snappy:
            // Framed content may come under this name too; each of its chunks states a size of its own.
            return body.getInteger(at: body.readerIndex, as: UInt32.self) == 0xFF06_0000 ? nil : snappyLength(body)
        case .deflate, .snappyFramed:
            return nil
        }
    }

    /// What to reserve before inflating: the stated size, else a usual ratio; at least 64 KiB and at most the limit.
    static func reservation(_ encoding: ContentEncoding, _ body: ByteBuffer, limit: Int) -> Int {
        let stated = stated(encoding, body) ?? body.readableBytes.multipliedReportingOverflow(by: 20).partialValue
        return min(limit, max(64 << 10, stated))
    }

    /// The frame content size of the first frame (RFC 8878, 3.1.1).
    private static func zstdContentSize(_ body: ByteBuffer) -> Int? {
        var body = body
        guard body.readInteger(endianness: .little, as: UInt32.self) == 0xFD2F_B528, let descriptor = body.readInteger(as: UInt8.self)
        else { return nil }
        let isSingleSegment = descriptor & 0x20 != 0
        let dictionaryBytes = [0, 1, 2, 4][Int(descriptor & 3)]
        body.moveReaderIndex(forwardBy: min(body.readableBytes, (isSingleSegment ? 0 : 1) + dictionaryBytes))
        switch descriptor >> 6 {
        case 0: return isSingleSegment ? body.readInteger(as: UInt8.self).map { Int($0) } : nil
        case 1: return body.readInteger(endianness: .little, as: UInt16.self).map { Int($0) + 256 }
        case 2: return body.readInteger(endianness: .little, as: UInt32.self).map { Int($0) }
        default: return body.readInteger(endianness: .little, as: UInt64.self).map { Int(clamping: $0) }
        }
    }

    /// The preamble of the block format: the length as a varint of at most 32 bits.
    private static func snappyLength(_ body: ByteBuffer) -> Int? {
        var length = 0
        for index in 0..<min(5, body.readableBytes) {
            guard let byte = body.getInteger(at: body.readerIndex + index, as: UInt8.self) else { return nil }
            length |= Int(byte & 0x7F) << (7 * index)
            if byte < 0x80 { return length }
        }
        return nil
    }
}
