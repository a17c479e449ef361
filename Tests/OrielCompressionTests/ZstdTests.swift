import OrielCompression
import Testing

@Suite struct ZstdTests {
    @Test func pagesRoundTripThroughOneContextAndOneBuffer() throws {
        var compressor = ZstdCompressor(level: 1)
        var decompressor = ZstdDecompressor()
        var random = SeededGenerator(seed: 1)
        var packed: [UInt8] = []
        var unpacked: [UInt8] = []
        for round in 0..<200 {
            let page = random.page(count: round * 37)
            packed.removeAll(keepingCapacity: true)
            unpacked.removeAll(keepingCapacity: true)
            let size = try compressor.compress(page.span, appendingTo: &packed)
            #expect(size == packed.count)
            try decompressor.decompress(packed.span, exactSize: page.count, appendingTo: &unpacked)
            #expect(unpacked == page)
        }
    }

    @Test func appendsBehindWhatIsThere() throws {
        var compressor = ZstdCompressor(level: 3)
        var packed: [UInt8] = [1, 2, 3]
        let size = try compressor.compress([UInt8](repeating: 7, count: 5000).span, appendingTo: &packed)
        #expect(packed.count == size + 3)
        #expect(packed.prefix(3) == [1, 2, 3])
        var unpacked: [UInt8] = [9]
        var decompressor = ZstdDecompressor()
        try decompressor.decompress(packed.span.extracting(3..<packed.count), exactSize: 5000, appendingTo: &unpacked)
        #expect(unpacked == [9] + [UInt8](repeating: 7, count: 5000))
    }

    @Test func anotherSizeIsAnErrorAndLeavesTheOutput() throws {
        var compressor = ZstdCompressor(level: 1)
        var packed: [UInt8] = []
        try compressor.compress([UInt8](repeating: 7, count: 100).span, appendingTo: &packed)
        var decompressor = ZstdDecompressor()
        for size in [-1, 0, 99, 101, 1_000_000] {
            var unpacked: [UInt8] = [9]
            #expect(throws: CompressionError.self) {
                try decompressor.decompress(packed.span, exactSize: size, appendingTo: &unpacked)
            }
            #expect(unpacked == [9])
        }
        var unpacked: [UInt8] = []
        try decompressor.decompress(packed.span, exactSize: 100, appendingTo: &unpacked)
        #expect(unpacked.count == 100)
    }

    @Test func truncationAtEveryByteIsAnError() throws {
        var random = SeededGenerator(seed: 2)
        let page = random.page(count: 700)
        var compressor = ZstdCompressor(level: 1)
        var packed: [UInt8] = []
        try compressor.compress(page.span, appendingTo: &packed)
        var decompressor = ZstdDecompressor()
        for end in 0..<packed.count {
            var unpacked: [UInt8] = []
            #expect(throws: CompressionError.self, "end \(end)") {
                try decompressor.decompress(packed.span.extracting(0..<end), exactSize: page.count, appendingTo: &unpacked)
            }
            #expect(unpacked.isEmpty)
        }
    }
}
