import OrielCompression
import OrielStore
import OrielTelemetry

/// The labels of streams that redo refers to: for each the reference of this start, the id and the canonical descriptor.
///
/// References are numbers of one registry, each of which has starts of its own, so each start writes the labels of a stream anew when it first uses it; a record belongs to
/// the start in its row's sequence.
enum StreamRecord {
    struct Entry: Sendable, Equatable {
        var reference: StreamReference
        var id: StreamID
        var descriptor: [UInt8]
    }

    private static let version: UInt8 = 1
    private static let inflatedLimit = 1 << 30

    static func encode(_ entries: [Entry], compressor: inout ZstdCompressor) throws(CompressionError) -> [UInt8] {
        var plain: [UInt8] = []
        plain.append(count: entries.count)
        for entry in entries {
            plain.append(varint: UInt64(entry.reference))
            plain.append(littleEndian: entry.id.high)
            plain.append(littleEndian: entry.id.low)
            plain.append(counted: entry.descriptor.span)
        }
        var bytes: [UInt8] = [version]
        bytes.append(count: plain.count)
        try compressor.compress(plain.span, appendingTo: &bytes)
        BlobChecksum.seal(&bytes)
        return bytes
    }

    static func decode(_ blob: Span<UInt8>, decompressor: inout ZstdDecompressor) throws(ColumnError) -> [Entry] {
        let bytes = blob.extracting(0..<(try BlobChecksum.open(blob)))
        var offset = 0
        let found = try bytes.readByte(&offset)
        guard found == version else {
            throw ColumnError(.version(found), at: 0)
        }
        let size = try bytes.readCount(&offset, limit: inflatedLimit)
        var plain: [UInt8] = []
        do {
            try decompressor.decompress(bytes.extracting(offset..<bytes.count), exactSize: size, appendingTo: &plain)
        } catch {
            throw ColumnError(.inflate, at: offset)
        }
        let span = plain.span
        offset = 0
        var entries: [Entry] = []
        for _ in 0..<(try span.readCount(&offset, limit: span.count)) {
            let reference = StreamReference(try span.readCount(&offset, limit: Int(StreamReference.max)))
            let high = try span.readLittleEndian(&offset, as: UInt64.self)
            let low = try span.readLittleEndian(&offset, as: UInt64.self)
            let descriptor = span.extracting(try span.readCounted(&offset)).array
            entries.append(Entry(reference: reference, id: StreamID(high: high, low: low), descriptor: descriptor))
        }
        return entries
    }
}
