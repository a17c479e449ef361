extension ContentEncoding {
    /// Decompresses a whole body.
    ///
    /// Sizes that the input states are hints at most: memory grows with what is really there, and no further than `limit`.
    /// - Parameter limit: the largest content in bytes.
    /// - Throws: ``CompressionError``. An empty input is ``CompressionError/truncated``, except for ``identity``.
    /// - Complexity: linear in the size of input and output.
    public func decompress(_ input: Span<UInt8>, limit: Int) throws(CompressionError) -> [UInt8] {
        var output: [UInt8] = []
        switch self {
        case .identity:
            guard input.count <= limit else { throw .tooLarge(limit: limit) }
            input.append(to: &output)
        case .gzip:
            try Self.gunzip(input, limit: limit, into: &output)
        case .deflate:
            try Self.inflate(input, limit: limit, into: &output)
        case .zstd:
            var decompressor = ZstdDecompressor()
            try decompressor.decompress(input, limit: limit, appendingTo: &output)
        case .snappy:
            if SnappyFrames.begin(input) {
                try SnappyFrames.decompress(input, limit: limit, appendingTo: &output)
            } else {
                try snappyDecompress(input, limit: limit, appendingTo: &output)
            }
        case .snappyFramed:
            try SnappyFrames.decompress(input, limit: limit, appendingTo: &output)
        }
        return output
    }

    /// As ``decompress(_:limit:)-(Span<UInt8>,_)``, of an array.
    public func decompress(_ input: [UInt8], limit: Int) throws(CompressionError) -> [UInt8] {
        if self == .identity, input.count <= limit { return input }
        return try decompress(input.span, limit: limit)
    }

    private static func gunzip(_ input: Span<UInt8>, limit: Int, into output: inout [UInt8]) throws(CompressionError) {
        guard input.count > 0 else { throw .truncated }
        // The last four bytes state the content size of the last member modulo 2^32, in an honest file of one member: the size.
        var hint = input.count.multipliedSaturating(by: 4)
        if input.count >= 18 {
            hint = (1...4).reduce(0) { $0 << 8 | Int(input[input.count - $1]) }
        }
        var sink = BoundedSink(output: &output, limit: limit, expected: hint, inputCount: input.count)
        var inflater = try Inflater(.gzip)
        var offset = 0
        repeat {
            offset = try inflater.decompressMember(input, from: offset, into: &sink, &output)
            guard offset < input.count else { return }
            // Tape and block devices pad with zeros, and gzip itself reads over them.
            if (offset..<input.count).allSatisfy({ input[$0] == 0 }) { return }
            if input[offset] != 0x1F {
                sink.undo(&output)
                throw .corrupt(offset: offset, reason: "what follows the gzip member is no further member")
            }
        } while true
    }

    private static func inflate(_ input: Span<UInt8>, limit: Int, into output: inout [UInt8]) throws(CompressionError) {
        guard input.count > 0 else { throw .truncated }
        // RFC 1950: method 8, a window of at most 2^15, and a check sum over the two bytes. A raw stream whose first byte has these
        // low bits would begin with a stored block with bits set that every encoder leaves clear.
        let isZlib =
            input[0] & 0x0F == 8 && input[0] >> 4 <= 7
            && (input.count < 2 || (Int(input[0]) << 8 | Int(input[1])).isMultiple(of: 31))
        var sink = BoundedSink(
            output: &output, limit: limit, expected: input.count.multipliedSaturating(by: 4), inputCount: input.count)
        var inflater = try Inflater(isZlib ? .zlib : .raw)
        let end = try inflater.decompressMember(input, from: 0, into: &sink, &output)
        if end < input.count {
            sink.undo(&output)
            throw .corrupt(offset: end, reason: "\(input.count - end) bytes follow the deflate stream")
        }
    }
}
