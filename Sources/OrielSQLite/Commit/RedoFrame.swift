import OrielCompression
import OrielTelemetry

/// The rows of one request as redo keeps them: a byte that tells what they are, the inflated size, and one zstd-1 frame of ``PlainColumns``. The request's thread makes it, so
/// that the commit thread only copies bytes.
struct RedoFrame: Sendable {
    enum Kind: UInt8, Sendable {
        /// Rows of a request.
        case rows = 0
        /// Samples that the delta sequencer made: at replay they are also its sums.
        case sums = 1
    }

    /// Kind, size, frame.
    let bytes: [UInt8]

    /// No frame of a request inflates to more.
    static let inflatedLimit = 1 << 30

    init(_ batches: [ColumnBatch], kind: Kind, compressor: inout ZstdCompressor) throws(CompressionError) {
        var plain: [UInt8] = []
        plain.reserveCapacity(batches.reduce(16) { $0 + $1.approximateByteCount })
        plain.append(count: batches.count)
        for batch in batches {
            PlainColumns.append(batch, to: &plain)
        }
        var bytes: [UInt8] = [kind.rawValue]
        bytes.append(count: plain.count)
        try compressor.compress(plain.span, appendingTo: &bytes)
        self.bytes = bytes
    }

    /// Reads a frame's rows.
    static func read(_ bytes: Span<UInt8>, decompressor: inout ZstdDecompressor) throws(ColumnError) -> (kind: Kind, batches: [ColumnBatch]) {
        var offset = 0
        guard let kind = Kind(rawValue: try bytes.readByte(&offset)) else {
            throw ColumnError(.malformed("unknown kind of redo frame"), at: 0)
        }
        let size = try bytes.readCount(&offset, limit: inflatedLimit)
        var plain: [UInt8] = []
        do {
            try decompressor.decompress(bytes.extracting(offset..<bytes.count), exactSize: size, appendingTo: &plain)
        } catch {
            throw ColumnError(.inflate, at: offset)
        }
        offset = 0
        let span = plain.span
        var batches: [ColumnBatch] = []
        for _ in 0..<(try span.readCount(&offset, limit: Signal.allCases.count)) {
            batches.append(try PlainColumns.read(span, &offset))
        }
        guard offset == span.count else {
            throw ColumnError(.malformed("\(span.count - offset) bytes follow the last batch"), at: offset)
        }
        return (kind, batches)
    }
}

/// The redo of one group commit: the number of the first row of each signal that has ords, then the frames.
///
/// A version byte; for logs, spans and exemplars the ord of the first row; the count of frames; each frame behind its length; CRC32C.
enum RedoRecord {
    private static let version: UInt8 = 1

    /// Signals whose rows have ords, in the order in which a record lists them.
    static let signalsWithOrds = Signal.allCases.filter(\.hasOrds)

    static func encode(firstOrds: [Signal: UInt64], frames: [RedoFrame]) -> [UInt8] {
        var bytes: [UInt8] = [version]
        bytes.reserveCapacity(frames.reduce(64) { $0 + $1.bytes.count + 5 })
        for signal in signalsWithOrds {
            bytes.append(varint: firstOrds[signal] ?? 0)
        }
        bytes.append(count: frames.count)
        for frame in frames {
            bytes.append(counted: frame.bytes.span)
        }
        BlobChecksum.seal(&bytes)
        return bytes
    }

    /// The batches of a commit in their order, with ords.
    static func decode(_ blob: Span<UInt8>, decompressor: inout ZstdDecompressor) throws(ColumnError) -> [(kind: RedoFrame.Kind, batch: ColumnBatch)] {
        let bytes = blob.extracting(0..<(try BlobChecksum.open(blob)))
        var offset = 0
        let found = try bytes.readByte(&offset)
        guard found == version else {
            throw ColumnError(.version(found), at: 0)
        }
        var nextOrds: [Signal: UInt64] = [:]
        for signal in signalsWithOrds {
            nextOrds[signal] = try bytes.readVarint(&offset)
        }
        var rows: [(kind: RedoFrame.Kind, batch: ColumnBatch)] = []
        for _ in 0..<(try bytes.readCount(&offset, limit: bytes.count)) {
            let frame = try RedoFrame.read(bytes.extracting(try bytes.readCounted(&offset)), decompressor: &decompressor)
            for var batch in frame.batches {
                guard UInt64(batch.count) <= .max - (nextOrds[batch.signal] ?? 0) else {
                    throw ColumnError(.malformed("rows are numbered beyond 64 bits"), at: offset)
                }
                batch.assignOrds(&nextOrds)
                rows.append((frame.kind, batch))
            }
        }
        return rows
    }
}

extension ColumnBatch {
    /// Numbers the rows from what `next` holds for the signal, and moves that on.
    mutating func assignOrds(_ next: inout [Signal: UInt64]) {
        guard signal.hasOrds else { return }
        let first = next[signal] ?? 0
        ords = Array(first..<(first + UInt64(count)))
        next[signal] = first + UInt64(count)
    }
}
