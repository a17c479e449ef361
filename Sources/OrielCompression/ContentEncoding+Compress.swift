extension ContentEncoding {
    /// Compresses a whole body.
    /// - Parameter level: gzip and deflate 0 to 9 (6 if not given), zstd as ``ZstdCompressor/levels`` (3 if not given); others have none. A
    ///   level outside is taken as the nearest one inside.
    /// - Throws: ``CompressionError/outOfMemory``.
    public func compress(_ input: Span<UInt8>, level: Int? = nil) throws(CompressionError) -> [UInt8] {
        switch self {
        case .identity:
            var output: [UInt8] = []
            input.append(to: &output)
            return output
        case .gzip: return try deflated(input, .gzip, level: level ?? 6)
        case .deflate: return try deflated(input, .zlib, level: level ?? 6)
        case .zstd:
            var compressor = ZstdCompressor(level: level ?? 3)
            var output: [UInt8] = []
            try compressor.compress(input, appendingTo: &output)
            return output
        case .snappy:
            var output: [UInt8] = []
            try snappyCompress(input, appendingTo: &output)
            return output
        case .snappyFramed: return try SnappyFrames.compress(input)
        }
    }

    /// As ``compress(_:level:)-(Span<UInt8>,_)``, of an array.
    public func compress(_ input: [UInt8], level: Int? = nil) throws(CompressionError) -> [UInt8] {
        if self == .identity { return input }
        return try compress(input.span, level: level)
    }
}

extension Span<UInt8> {
    /// Appends all bytes to `output`.
    func append(to output: inout [UInt8]) {
        output.append(addingCapacity: count) { spare in
            for index in indices { spare.append(self[index]) }
        }
    }
}
