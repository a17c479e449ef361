/// Snappy's framed format: chunks of at most 64 KiB of content, each with a checksum.
///
/// The format is described in snappy's `framing_format.txt` (2013-10-25). A chunk is its type, the length of its data in three bytes, little-endian,
/// and the data. The first one identifies the stream.
enum SnappyFrames {
    private static let identifier: [UInt8] = [0xFF, 0x06, 0x00, 0x00, 0x73, 0x4E, 0x61, 0x50, 0x70, 0x59]
    private static let maximumContent = 1 << 16

    private enum Kind {
        static let compressed: UInt8 = 0x00
        static let uncompressed: UInt8 = 0x01
        /// The types from here on may be skipped, but for the last, the identifier.
        static let skippable: ClosedRange<UInt8> = 0x80...0xFE
        static let identifier: UInt8 = 0xFF
    }

    private struct Chunk {
        var kind: UInt8
        /// Where its data is in the input.
        var data: Range<Int>
    }

    /// Whether bytes begin as this format does.
    static func begin(_ input: Span<UInt8>) -> Bool {
        input.count >= identifier.count && identifier.indices.allSatisfy { input[$0] == identifier[$0] }
    }

    /// How much content the chunks state together.
    ///
    /// - Throws: as ``decompress(_:limit:appendingTo:)`` for what is wrong with the chunks themselves.
    /// - Complexity: linear in the number of chunks.
    static func contentSize(_ input: Span<UInt8>, limit: Int) throws(CompressionError) -> Int {
        guard input.count >= identifier.count else {
            if input.count > 0, (0..<input.count).contains(where: { input[$0] != identifier[$0] }) { throw notFramed }
            throw .truncated
        }
        guard begin(input) else { throw notFramed }
        var size = 0
        var offset = 0
        while offset < input.count {
            let chunk = try nextChunk(input, at: &offset)
            switch chunk.kind {
            case Kind.compressed:
                let block = try content(of: chunk, in: input)
                let (stated, _) = try snappyStatedSize(input.extracting(block))
                // Only what this much input can expand to, lest lies about sizes make room.
                guard stated <= UInt64(min(maximumContent, block.count.multipliedSaturating(by: 22))) else {
                    throw .corrupt(offset: block.lowerBound, reason: "the chunk states \(stated) bytes of content, more than it can hold")
                }
                size += Int(stated)
            case Kind.uncompressed:
                let bytes = try content(of: chunk, in: input)
                guard bytes.count <= maximumContent else {
                    throw .corrupt(offset: bytes.lowerBound, reason: "the chunk has more than \(maximumContent) bytes of content")
                }
                size += bytes.count
            case Kind.identifier:
                guard chunk.data.count == 6, chunk.data.allSatisfy({ input[$0] == identifier[4 + $0 - chunk.data.lowerBound] }) else {
                    throw .corrupt(offset: chunk.data.lowerBound, reason: "the chunk does not identify a snappy stream")
                }
            case Kind.skippable: break
            default:
                throw .corrupt(offset: chunk.data.lowerBound, reason: "chunks of type \(chunk.kind) are not known and must not be skipped")
            }
            guard size <= limit else { throw .tooLarge(limit: limit) }
        }
        return size
    }

    /// Appends the content of all chunks.
    ///
    /// - Parameter limit: the largest content in bytes.
    /// - Throws: ``CompressionError``. What was appended before the fault stays.
    static func decompress(_ input: Span<UInt8>, limit: Int, appendingTo output: inout [UInt8]) throws(CompressionError) {
        // Every chunk is looked at before room is made once for all.
        output.reserveCapacity(output.count + (try contentSize(input, limit: limit)) + 1)
        var offset = 0
        while offset < input.count {
            let chunk = try nextChunk(input, at: &offset)
            guard chunk.kind == Kind.compressed || chunk.kind == Kind.uncompressed else { continue }
            let bytes = try content(of: chunk, in: input)
            let start = output.count
            if chunk.kind == Kind.compressed {
                try snappyDecompress(input.extracting(bytes), limit: maximumContent, appendingTo: &output)
            } else {
                input.extracting(bytes).append(to: &output)
            }
            let span = output.span
            guard maskedChecksum(span.extracting(start..<span.count)) == checksum(of: chunk, in: input) else {
                throw .corrupt(offset: chunk.data.lowerBound, reason: "the content does not have the chunk's checksum")
            }
        }
    }

    /// `input` in this format.
    static func compress(_ input: Span<UInt8>) throws(CompressionError) -> [UInt8] {
        var output = identifier
        var block: [UInt8] = []
        var offset = 0
        while offset < input.count {
            let content = input.extracting(offset..<min(offset + maximumContent, input.count))
            block.removeAll(keepingCapacity: true)
            try snappyCompress(content, appendingTo: &block)
            // The format's authors do not compress what saves less than an eighth, and readers are faster for it.
            let isWorthIt = block.count < content.count - content.count / 8
            let length = 4 + (isWorthIt ? block.count : content.count)
            output.append(isWorthIt ? Kind.compressed : Kind.uncompressed)
            for shift in [0, 8, 16] { output.append(UInt8(truncatingIfNeeded: length >> shift)) }
            let checksum = maskedChecksum(content)
            for shift: UInt32 in [0, 8, 16, 24] { output.append(UInt8(truncatingIfNeeded: checksum >> shift)) }
            if isWorthIt { output.append(contentsOf: block) } else { content.append(to: &output) }
            offset += content.count
        }
        return output
    }

    private static let notFramed = CompressionError.corrupt(offset: 0, reason: "the content does not begin as snappy's framed format does")

    private static func nextChunk(_ input: Span<UInt8>, at offset: inout Int) throws(CompressionError) -> Chunk {
        guard input.count - offset >= 4 else { throw .truncated }
        let length = Int(input[offset + 1]) | Int(input[offset + 2]) << 8 | Int(input[offset + 3]) << 16
        let start = offset + 4
        guard input.count - start >= length else { throw .truncated }
        let chunk = Chunk(kind: input[offset], data: start..<start + length)
        offset = start + length
        return chunk
    }

    /// What follows the checksum.
    private static func content(of chunk: Chunk, in input: Span<UInt8>) throws(CompressionError) -> Range<Int> {
        guard chunk.data.count >= 4 else { throw .corrupt(offset: chunk.data.lowerBound, reason: "the chunk has no checksum") }
        return chunk.data.lowerBound + 4..<chunk.data.upperBound
    }

    private static func checksum(of chunk: Chunk, in input: Span<UInt8>) -> UInt32 {
        (0..<4).reduce(0) { $0 | UInt32(input[chunk.data.lowerBound + $1]) << UInt32(8 * $1) }
    }

    /// CRC-32C, turned and shifted so that checksums of data with checksums in it are no special case.
    private static func maskedChecksum(_ bytes: Span<UInt8>) -> UInt32 {
        let checksum = CRC32C.checksum(bytes)
        return (checksum >> 15 | checksum << 17) &+ 0xA282_EAD8
    }
}
