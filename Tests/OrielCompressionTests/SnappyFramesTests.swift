import OrielCompression
import Testing

/// Snappy's framed format, as collectors send it under either name.
@Suite struct SnappyFramesTests {
    private static let identifier: [UInt8] = [0xFF, 0x06, 0x00, 0x00, 0x73, 0x4E, 0x61, 0x50, 0x70, 0x59]

    private static func chunk(_ kind: UInt8, _ data: [UInt8]) -> [UInt8] {
        [kind, UInt8(data.count & 0xFF), UInt8(data.count >> 8 & 0xFF), UInt8(data.count >> 16)] + data
    }

    private static func masked(_ content: [UInt8]) -> [UInt8] {
        let checksum = CRC32C.checksum(content.span)
        let masked = (checksum >> 15 | checksum << 17) &+ 0xA282_EAD8
        return (0..<4).map { UInt8(truncatingIfNeeded: masked >> UInt32(8 * $0)) }
    }

    private static func uncompressed(_ content: [UInt8]) -> [UInt8] { chunk(1, masked(content) + content) }

    private static func compressed(_ content: [UInt8]) throws -> [UInt8] {
        chunk(0, masked(content) + (try ContentEncoding.snappy.compress(content)))
    }

    /// Written out by hand, so that a mistake cannot be made on both sides: CRC-32C of "123456789" is E3069283.
    @Test func aKnownStreamIsRead() throws {
        let content = Array("123456789".utf8)
        let stream = Self.identifier + [0x01, 0x0D, 0x00, 0x00, 0xE5, 0xB0, 0x8A, 0xC7] + content
        for encoding in [ContentEncoding.snappy, .snappyFramed] { #expect(try encoding.decompress(stream, limit: 9) == content) }
    }

    @Test func chunksOfAllKindsFollowEachOther() throws {
        let a = [UInt8](repeating: 7, count: 65_536)
        let b = Array("plain".utf8)
        let stream =
            Self.identifier + (try Self.compressed(a)) + Self.chunk(0xFE, [0, 0, 0]) + Self.uncompressed(b) + Self.identifier
            + Self.chunk(0x80, [1, 2]) + Self.uncompressed([])
        for encoding in [ContentEncoding.snappy, .snappyFramed] {
            #expect(try encoding.decompress(stream, limit: 65_541) == a + b)
            #expect(throws: CompressionError.tooLarge(limit: 65_540)) { try encoding.decompress(stream, limit: 65_540) }
        }
    }

    @Test func blocksAreNotFrames() throws {
        let block = try ContentEncoding.snappy.compress([1, 2, 3])
        let error = #expect(throws: CompressionError.self) { try ContentEncoding.snappyFramed.decompress(block, limit: 10) }
        #expect(error?.description.contains("framed") == true)
    }

    @Test func everyFaultIsFound() throws {
        let content = [UInt8](repeating: 1, count: 1000)
        var wrongChecksum = try Self.compressed(content)
        wrongChecksum[5] ^= 1
        let faults: [(String, [UInt8])] = [
            ("checksum", wrongChecksum), ("checksum", Self.chunk(0, [1, 2, 3])), ("checksum", Self.chunk(1, [])),
            ("must not be skipped", Self.chunk(2, [])), ("must not be skipped", Self.chunk(0x7F, content)),
            ("identify", Self.chunk(0xFF, Array("sNaPpy".utf8))), ("identify", Self.chunk(0xFF, [])),
            ("more than", Self.uncompressed([UInt8](repeating: 0, count: 65_537))),
            // States 2 GiB, in six bytes.
            ("more than", Self.chunk(0, [0, 0, 0, 0, 0x80, 0x80, 0x80, 0x80, 0x08, 0x00])),
            // States 64 KiB, in four bytes.
            ("more than", Self.chunk(0, [0, 0, 0, 0, 0x80, 0x80, 0x04, 0x00])),
            ("more than", try Self.compressed([UInt8](repeating: 0, count: 65_537))),
        ]
        for (part, fault) in faults {
            let error = #expect(throws: CompressionError.self) {
                try ContentEncoding.snappyFramed.decompress(Self.identifier + fault + Self.uncompressed([1]), limit: 1 << 20)
            }
            #expect(error?.description.contains(part) == true, "\(part): \(String(describing: error))")
        }
    }

    /// Chunks of every kind in any order, with any content and some bits wrong: whatever is accepted has its checksums.
    @Test(arguments: [31, 32, 33] as [UInt64]) func hostileChunksNeverCrash(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for round in 0..<(1500 * Fuzz.rounds) {
            var stream = Bool.random(using: &random) ? Self.identifier : []
            for _ in 0..<Int.random(in: 0..<6, using: &random) {
                let content = random.page(count: Int.random(in: 0..<400, using: &random))
                switch Int.random(in: 0..<6, using: &random) {
                case 0: stream += Self.uncompressed(content)
                case 1: stream += try Self.compressed(content)
                case 2: stream += Self.chunk(UInt8.random(in: 0...255, using: &random), content)
                case 3: stream += Self.chunk(0, Self.masked(content) + content)
                case 4: stream += Self.identifier
                default: stream += content.prefix(5)
                }
            }
            for _ in 0..<Int.random(in: 0..<3, using: &random) where !stream.isEmpty {
                stream[Int.random(in: 0..<stream.count, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            }
            for encoding in [ContentEncoding.snappy, .snappyFramed] {
                do throws(CompressionError) {
                    #expect(try encoding.decompress(stream, limit: 1200).count <= 1200, "seed \(seed) round \(round)")
                } catch { #expect(!error.description.isEmpty) }
            }
        }
    }

    /// A flipped bit in the data never yields other content: each chunk has a checksum.
    @Test(arguments: [41, 42] as [UInt64]) func damageDoesNotPass(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let page = random.page(count: 3000)
        let stream = try ContentEncoding.snappyFramed.compress(page)
        for bit in 0..<stream.count * 8 {
            var damaged = stream
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            do throws(CompressionError) {
                let content = try ContentEncoding.snappyFramed.decompress(damaged, limit: 5000)
                // A type that may be skipped hides its chunk, which the format does not guard against.
                #expect(content == page || content.count < page.count, "seed \(seed) bit \(bit)")
            } catch { #expect(!error.description.isEmpty) }
        }
    }
}
