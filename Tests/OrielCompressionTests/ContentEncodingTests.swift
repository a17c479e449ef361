import OrielCompression
import Testing

private let compressed: [ContentEncoding] = [.gzip, .deflate, .zstd, .snappy, .snappyFramed]

@Suite struct ContentEncodingTests {
    @Test func namesAreReadAsHTTPWritesThem() throws {
        #expect(try ContentEncoding(name: "gzip") == .gzip)
        #expect(try ContentEncoding(name: " X-GZIP\t") == .gzip)
        #expect(try ContentEncoding(name: "Deflate") == .deflate)
        #expect(try ContentEncoding(name: "zstd") == .zstd)
        #expect(try ContentEncoding(name: "snappy") == .snappy)
        #expect(try ContentEncoding(name: "X-Snappy-Framed") == .snappyFramed)
        #expect(try ContentEncoding(name: "identity") == .identity)
        #expect(try ContentEncoding(name: "") == .identity)
        #expect(throws: CompressionError.self) { try ContentEncoding(name: "br") }
        let error = #expect(throws: CompressionError.self) { try ContentEncoding(name: "br") }
        #expect(error?.description.contains("\"br\"") == true)
        #expect(error?.description.contains("gzip, deflate, zstd") == true)
    }

    @Test func listsStack() throws {
        #expect(try ContentEncoding.list(headerValue: "") == [])
        #expect(try ContentEncoding.list(headerValue: "identity") == [])
        #expect(try ContentEncoding.list(headerValue: "gzip, zstd") == [.gzip, .zstd])
        #expect(throws: CompressionError.self) { try ContentEncoding.list(headerValue: "gzip,gzip,gzip,gzip") }
        #expect(throws: CompressionError.self) { try ContentEncoding.list(headerValue: "gzip, lzma") }
    }

    @Test(
        arguments: [
            (nil, .identity), ("", .identity), ("gzip", .gzip), ("gzip, zstd", .zstd), ("zstd;q=0.5, gzip", .gzip), ("br, *;q=0.1", .zstd),
            ("gzip;q=0", .identity), ("X-GZIP ; q=0.3", .gzip), ("identity", .identity), (";;,q=1,gzip;q=x", .identity),
        ] as [(String?, ContentEncoding)])
    func answersAreEncodedAsTheRequestLikes(_ header: String?, _ expected: ContentEncoding) {
        #expect(ContentEncoding.preferred(acceptEncoding: header, offered: [.zstd, .gzip]) == expected)
    }

    @Test(arguments: ContentEncoding.allCases) func roundTrips(_ encoding: ContentEncoding) throws {
        var random = SeededGenerator(seed: 3)
        for count in [0, 1, 2, 100, 4095, 4096, 70_000, 300_000] {
            let page = random.page(count: count)
            let packed = try encoding.compress(page)
            #expect(try encoding.decompress(packed, limit: count) == page, "\(encoding) \(count)")
            #expect(try encoding.decompress(packed.span, limit: .max) == page)
        }
    }

    @Test(arguments: compressed) func levelsOutOfRangeAreClamped(_ encoding: ContentEncoding) throws {
        let page = [UInt8](repeating: 5, count: 1000)
        for level in [Int.min, -1, 0, 1, 9, 22, .max] where !(encoding == .zstd && level > 9) {
            #expect(try encoding.decompress(encoding.compress(page, level: level), limit: 1000) == page)
        }
    }

    @Test(arguments: ContentEncoding.allCases) func theLimitIsExact(_ encoding: ContentEncoding) throws {
        var random = SeededGenerator(seed: 4)
        for count in [1, 255, 256, 257, 4096, 50_000] {
            let page = random.page(count: count)
            let packed = try encoding.compress(page)
            #expect(try encoding.decompress(packed, limit: count).count == count)
            #expect(throws: CompressionError.tooLarge(limit: count - 1)) { try encoding.decompress(packed, limit: count - 1) }
            #expect(throws: CompressionError.tooLarge(limit: 0)) { try encoding.decompress(packed, limit: 0) }
        }
    }

    @Test(arguments: compressed) func aBombIsStoppedAtTheLimit(_ encoding: ContentEncoding) throws {
        let bomb = try encoding.compress([UInt8](repeating: 0, count: 64 << 20))
        #expect(throws: CompressionError.tooLarge(limit: 1 << 20)) { try encoding.decompress(bomb, limit: 1 << 20) }
    }

    @Test(arguments: compressed) func noContentIsFine(_ encoding: ContentEncoding) throws {
        #expect(try encoding.decompress(encoding.compress([]), limit: 0) == [])
        #expect(throws: CompressionError.truncated) { try encoding.decompress([], limit: 10) }
    }

    @Test(arguments: compressed) func truncationAtEveryByteIsAnError(_ encoding: ContentEncoding) throws {
        var random = SeededGenerator(seed: 5)
        let page = random.page(count: 900)
        let packed = try encoding.compress(page)
        // Ten bytes identify a framed stream, which is whole after each of its chunks.
        for end in 0..<packed.count where !(encoding == .snappyFramed && end == 10) {
            let error = #expect(throws: CompressionError.self, "\(encoding) \(end)") {
                try encoding.decompress(packed.span.extracting(0..<end), limit: 10_000)
            }
            // A snappy block does not say where it ends.
            if encoding != .snappy { #expect(error == .truncated, "\(encoding) \(end)") }
        }
    }

    @Test(arguments: compressed, [11, 12, 13] as [UInt64]) func flippedBitsNeverCrash(_ encoding: ContentEncoding, seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let page = random.page(count: 3000)
        let packed = try encoding.compress(page)
        for round in 0..<(2000 * Fuzz.rounds) {
            var damaged = packed
            for _ in 0...Int.random(in: 0..<3, using: &random) {
                damaged[Int.random(in: 0..<damaged.count, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            }
            do throws(CompressionError) {
                let content = try encoding.decompress(damaged, limit: 5000)
                #expect(content.count <= 5000, "\(encoding) seed \(seed) round \(round)")
                // gzip and zlib end in a check sum over the content.
                if encoding == .gzip || encoding == .deflate {
                    #expect(content == page || damaged == packed, "\(encoding) seed \(seed) round \(round)")
                }
            } catch .tooLarge(let limit) {
                #expect(limit == 5000)
            } catch {
                #expect(!error.description.isEmpty)
            }
        }
    }

    @Test(arguments: compressed, [21, 22] as [UInt64]) func noiseNeverCrashes(_ encoding: ContentEncoding, seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<(3000 * Fuzz.rounds) {
            let noise = (0..<Int.random(in: 0..<60, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
            do throws(CompressionError) {
                #expect(try encoding.decompress(noise, limit: 4096).count <= 4096)
            } catch {
                #expect(!error.description.isEmpty)
            }
        }
    }

    @Test func gzipMembersFollowEachOther() throws {
        let first = try ContentEncoding.gzip.compress(Array("hello ".utf8))
        let empty = try ContentEncoding.gzip.compress([])
        let second = try ContentEncoding.gzip.compress(Array("world".utf8), level: 1)
        let all = first + empty + second
        #expect(try ContentEncoding.gzip.decompress(all, limit: 100) == Array("hello world".utf8))
        #expect(try ContentEncoding.gzip.decompress(all + [0, 0, 0], limit: 100) == Array("hello world".utf8))
        #expect(throws: CompressionError.tooLarge(limit: 10)) { try ContentEncoding.gzip.decompress(all, limit: 10) }
        #expect(throws: CompressionError.truncated) { try ContentEncoding.gzip.decompress(all.dropLast(3) + [], limit: 100) }
        #expect(throws: CompressionError.truncated) { try ContentEncoding.gzip.decompress(all + [0x1F], limit: 100) }
        let error = #expect(throws: CompressionError.self) { try ContentEncoding.gzip.decompress(all + [7, 7], limit: 100) }
        #expect(error?.description.contains("byte \(all.count)") == true)
    }

    @Test func manyEmptyMembersAreRead() throws {
        let empty = try ContentEncoding.gzip.compress([])
        let many = Array(repeatElement(empty, count: 2000).joined())
        #expect(try ContentEncoding.gzip.decompress(many, limit: 10) == [])
    }

    @Test func rawDeflateIsReadUnderTheSameName() throws {
        var random = SeededGenerator(seed: 6)
        for count in [0, 1, 50, 10_000] {
            let page = random.page(count: count)
            let wrapped = try ContentEncoding.deflate.compress(page)
            // The wrapper is two bytes in front and the check sum of four behind.
            let raw = Array(wrapped.dropFirst(2).dropLast(4))
            #expect(try ContentEncoding.deflate.decompress(raw, limit: count) == page)
            #expect(throws: CompressionError.self) { try ContentEncoding.deflate.decompress(raw + [1], limit: 20_000) }
            #expect(throws: CompressionError.self) { try ContentEncoding.deflate.decompress(wrapped + [1], limit: 20_000) }
        }
    }

    @Test func zstdFramesFollowEachOther() throws {
        let frames = try ContentEncoding.zstd.compress([1, 2, 3]) + ContentEncoding.zstd.compress([]) + ContentEncoding.zstd.compress([4])
        #expect(try ContentEncoding.zstd.decompress(frames, limit: 4) == [1, 2, 3, 4])
        let skippable: [UInt8] = [0x50, 0x2A, 0x4D, 0x18, 2, 0, 0, 0, 9, 9]
        #expect(try ContentEncoding.zstd.decompress(skippable + frames, limit: 4) == [1, 2, 3, 4])
        #expect(throws: CompressionError.self) { try ContentEncoding.zstd.decompress(frames + [1, 2, 3, 4, 5], limit: 10) }
    }

    @Test func aZstdWindowOfManyMegabytesIsRefused() throws {
        // Magic, a descriptor without content size, and a window descriptor of 2^(10 + 20) bytes.
        let frame: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0x00, 20 << 3, 0x01, 0x00, 0x00]
        #expect(throws: CompressionError.unsupported(name: "a zstd window above 8 MiB")) {
            try ContentEncoding.zstd.decompress(frame, limit: 1 << 30)
        }
    }

    @Test func aLyingSizeCostsNothing() throws {
        // A snappy block that states 2 GiB of content, in six bytes.
        #expect(throws: CompressionError.self) {
            try ContentEncoding.snappy.decompress([0x80, 0x80, 0x80, 0x80, 0x08, 0x00], limit: .max)
        }
        #expect(throws: CompressionError.self) {
            try ContentEncoding.snappy.decompress([0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], limit: .max)
        }
        // A zstd frame of one segment that states 2^62 bytes.
        let frame: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0xE0, 0, 0, 0, 0, 0, 0, 0, 0x40, 0x01, 0x00, 0x00]
        #expect(throws: CompressionError.self) { try ContentEncoding.zstd.decompress(frame, limit: .max) }
        var output: [UInt8] = []
        var decompressor = ZstdDecompressor()
        #expect(throws: CompressionError.self) { try decompressor.decompress(frame.span, exactSize: 100, appendingTo: &output) }
    }
}
