import OrielCompression
import OrielTelemetry
import Testing

@testable import OrielSQLite

@Suite struct PageTests {
    @Test(arguments: 0..<11) func integersRoundTripWhollyAndByGroup(kind: Int) throws {
        var random = Seeded(UInt64(kind))
        var encoder = PageEncoder(level: 1)
        var decoder = PageDecoder()
        for count in PageSamples.counts {
            let values = PageSamples.integers(kind, count: count, using: &random)
            var page: [UInt8] = []
            try encoder.append(integers: values.span, rows: .init(count: count), to: &page)
            try decoder.open(page.span)
            #expect(decoder.rowCount == count)
            #expect(decoder.bitmap.isEmpty)
            var decoded: [Int64] = [99]
            try decoder.appendIntegers(to: &decoded)
            #expect(Array(decoded.dropFirst()) == values, "kind \(kind), count \(count)")
            for group in (0..<decoder.groupCount).reversed() {
                var part: [Int64] = [1, 2]
                try decoder.appendIntegers(group: group, to: &part)
                #expect(Array(part.dropFirst(2)) == Array(values[(group * 128)..<min(group * 128 + 128, count)]), "kind \(kind), group \(group)")
            }
        }
    }

    @Test(arguments: 0..<9) func doublesKeepEveryBit(kind: Int) throws {
        var random = Seeded(UInt64(kind) + 100)
        var encoder = PageEncoder(level: 1)
        var decoder = PageDecoder()
        for count in PageSamples.counts {
            let values = PageSamples.doubles(kind, count: count, using: &random)
            var page: [UInt8] = []
            try encoder.append(doubles: values.span, rows: .init(count: count), to: &page)
            try decoder.open(page.span)
            var decoded: [Double] = []
            try decoder.appendDoubles(to: &decoded)
            #expect(decoded.map(\.bitPattern) == values.map(\.bitPattern), "kind \(kind), count \(count)")
            for percent in [1, 10, 80] {
                let indexes = values.indices.filter { _ in random.chance(percent) }
                try decoder.open(page.span)
                var some: [Double] = [.pi]
                try decoder.appendDoubles(indexes, to: &some)
                #expect(some.dropFirst().map(\.bitPattern) == indexes.map { values[$0].bitPattern }, "kind \(kind), count \(count), \(percent) %")
            }
        }
    }

    @Test func shortDecimalsAreSmall() throws {
        var random = Seeded(7)
        var encoder = PageEncoder(level: 1)
        let values = PageSamples.doubles(2, count: 8192, using: &random)
        var page: [UInt8] = []
        try encoder.append(doubles: values.span, rows: .init(count: values.count), to: &page)
        // 100,000 distinct values need 17 bits each.
        #expect(page.count < 8192 * 18 / 8)
    }

    @Test func regularTimesTakeAlmostNothing() throws {
        var random = Seeded(8)
        var encoder = PageEncoder(level: 1)
        let values = PageSamples.integers(3, count: 8192, using: &random)
        var page: [UInt8] = []
        try encoder.append(integers: values.span, rows: .init(count: values.count), to: &page)
        #expect(page.count < 300)
    }

    @Test(arguments: 0..<6) func stringsRoundTrip(kind: Int) throws {
        var random = Seeded(UInt64(kind) + 200)
        var encoder = PageEncoder(level: 1)
        var decoder = PageDecoder()
        for count in PageSamples.counts {
            let values = PageSamples.strings(kind, count: count, using: &random)
            let cut = count / 3
            var bytes: [UInt8] = []
            var ends: [UInt32] = []
            for rows in [0..<cut, cut..<count] {
                var page: [UInt8] = []
                let start = rows.lowerBound == 0 ? 0 : values.ends[rows.lowerBound - 1]
                try encoder.append(
                    bytes: values.bytes.span, start: start, ends: values.ends.span.extracting(rows), rows: .init(count: rows.count), to: &page)
                try decoder.open(page.span)
                try decoder.appendBytes(to: &bytes, ends: &ends)
            }
            #expect(bytes == values.bytes, "kind \(kind), count \(count)")
            #expect(ends == values.ends, "kind \(kind), count \(count)")
        }
    }

    @Test func dictionariesRoundTrip() throws {
        var random = Seeded(300)
        var encoder = PageEncoder(level: 1)
        var decoder = PageDecoder()
        for kind in 0..<6 {
            let all = PageSamples.strings(kind, count: 500, using: &random)
            let distinct = Set((0..<all.count).map { all[$0] }).sorted { $0.lexicographicallyPrecedes($1) }
            var column = ByteColumn()
            for value in distinct { column.append(value.span) }
            var page: [UInt8] = []
            try encoder.append(dictionary: column, to: &page)
            try decoder.open(page.span)
            #expect(try decoder.dictionary() == column)
        }
    }

    @Test func identifiersRoundTrip() throws {
        var random = Seeded(400)
        var encoder = PageEncoder(level: 1)
        var decoder = PageDecoder()
        for count in PageSamples.counts {
            let ids = (0..<count).map { _ in random.next() }
            var page: [UInt8] = []
            try encoder.append(identifiers: ids.span, rows: .init(count: count), to: &page)
            try decoder.open(page.span)
            var decoded: [UInt64] = []
            try decoder.appendIdentifiers(to: &decoded)
            #expect(decoded == ids)

            let wide = (0..<count).map { _ in TraceID(high: random.next(), low: random.next()) }
            page.removeAll()
            try encoder.append(wideIdentifiers: wide.span, to: &page)
            try decoder.open(page.span)
            var decodedWide: [TraceID] = []
            try decoder.appendWideIdentifiers(to: &decodedWide)
            #expect(decodedWide == wide)
        }
    }

    @Test func presenceRoundTripsAtEveryDensity() throws {
        var random = Seeded(500)
        var encoder = PageEncoder(level: 1)
        var decoder = PageDecoder()
        for rows in [1, 63, 64, 65, 1000, 8192] {
            for percent in [0, 1, 10, 50, 99, 100] {
                let (bitmap, present) = PageSamples.bitmap(rows: rows, percent: percent, using: &random)
                let values = PageSamples.integers(2, count: present, using: &random)
                var page: [UInt8] = []
                try encoder.append(integers: values.span, rows: .init(count: rows, bitmap: bitmap), to: &page)
                try decoder.open(page.span)
                #expect(decoder.rowCount == rows)
                #expect(decoder.valueCount == present)
                #expect(present == rows ? decoder.bitmap.isEmpty : decoder.bitmap == bitmap)
                var decoded: [Int64] = []
                try decoder.appendIntegers(to: &decoded)
                #expect(decoded == values)
            }
        }
    }

    @Test func everyFlippedBitAndEveryCutIsAnError() throws {
        for (name, page) in try somePages() {
            var decoder = PageDecoder()
            for bit in 0..<(page.count * 8) {
                var broken = page
                broken[bit / 8] ^= 1 << UInt8(bit % 8)
                // Without an expectation for each, which would take longer than the decoding.
                do throws(ColumnError) {
                    try decoder.open(broken.span)
                    Issue.record("\(name), bit \(bit)")
                } catch {
                    continue
                }
            }
            for length in 0..<page.count {
                do throws(ColumnError) {
                    try decoder.open(page.span.extracting(0..<length))
                    Issue.record("\(name), cut to \(length)")
                } catch {
                    continue
                }
            }
        }
    }

    /// Behind a right checksum anything may stand: it must be decoded or refused, never crash or take memory without bound.
    @Test func hostileBytesBehindARightChecksumAreRefusedOrDecoded() throws {
        let seed: UInt64 = 600
        var random = Seeded(seed)
        var refused = 0
        for (_, page) in try somePages() {
            var decoder = PageDecoder()
            for _ in 0..<(3000 * Fuzz.rounds) {
                var broken = Array(page.dropLast(4))
                for _ in 0...random.below(3) where !broken.isEmpty {
                    switch random.below(4) {
                    case 0: broken[random.below(broken.count)] ^= 1 << UInt8(random.below(8))
                    case 1: broken[random.below(broken.count)] = 0xff
                    case 2: broken.removeLast(random.below(broken.count))
                    default: broken.insert(UInt8(truncatingIfNeeded: random.next()), at: random.below(broken.count))
                    }
                }
                broken.append(littleEndian: CRC32C.checksum(broken.span))
                do {
                    try decodeAll(broken, with: &decoder)
                } catch {
                    refused += 1
                }
            }
        }
        #expect(refused > 0, "seed \(seed)")
    }

    private func somePages() throws -> [(String, [UInt8])] {
        var random = Seeded(900)
        var encoder = PageEncoder(level: 1)
        var pages: [(String, [UInt8])] = []
        for kind in [0, 1, 4, 5, 6, 7, 8] {
            var page: [UInt8] = []
            let values = PageSamples.integers(kind, count: 150, using: &random)
            try encoder.append(integers: values.span, rows: .init(count: 150), to: &page)
            pages.append(("integers \(kind)", page))
        }
        for kind in [2, 5, 7] {
            var page: [UInt8] = []
            let values = PageSamples.doubles(kind, count: 100, using: &random)
            try encoder.append(doubles: values.span, rows: .init(count: 100), to: &page)
            pages.append(("doubles \(kind)", page))
        }
        for kind in [1, 2] {
            var page: [UInt8] = []
            let values = PageSamples.strings(kind, count: 60, using: &random)
            try encoder.append(bytes: values.bytes.span, start: 0, ends: values.ends.span, rows: .init(count: 60), to: &page)
            pages.append(("strings \(kind)", page))
        }
        var dictionary = ByteColumn()
        for word in ["a", "abc", "abd", "b", "zebra"] { dictionary.append(word) }
        var page: [UInt8] = []
        try encoder.append(dictionary: dictionary, to: &page)
        pages.append(("dictionary", page))
        for percent in [2, 50] {
            let (bitmap, present) = PageSamples.bitmap(rows: 300, percent: percent, using: &random)
            page.removeAll()
            let ids = (0..<present).map { _ in random.next() }
            try encoder.append(identifiers: ids.span, rows: .init(count: 300, bitmap: bitmap), to: &page)
            pages.append(("identifiers \(percent) %", page))
        }
        return pages
    }

    private func decodeAll(_ page: [UInt8], with decoder: inout PageDecoder) throws {
        try decoder.open(page.span)
        switch decoder.codec {
        case .integers:
            var values: [Int64] = []
            try decoder.appendIntegers(to: &values)
            #expect(values.count == decoder.valueCount)
            for group in 0..<min(decoder.groupCount, 3) { try decoder.appendIntegers(group: group, to: &values) }
        case .decimals, .shuffledDoubles:
            var values: [Double] = []
            try decoder.appendDoubles(to: &values)
            #expect(values.count == decoder.valueCount)
        case .bytes:
            var bytes: [UInt8] = []
            var ends: [UInt32] = []
            try decoder.appendBytes(to: &bytes, ends: &ends)
            #expect(ends.count == decoder.valueCount)
        case .dictionary: _ = try decoder.dictionary()
        case .identifiers:
            var values: [UInt64] = []
            try decoder.appendIdentifiers(to: &values)
        case .wideIdentifiers:
            var values: [TraceID] = []
            try decoder.appendWideIdentifiers(to: &values)
        }
    }
}
