import OrielTelemetry
import Testing

@Suite struct ByteColumnTests {
    @Test func piecesBecomeOneValueAndAbandonedOnesNone() {
        var column = ByteColumn()
        column.append("first")
        column.extendValue([1, 2].span)
        column.extendValue([3].span)
        column.finishValue()
        column.extendValue([9, 9].span)
        column.abandonValue()
        column.appendEmpty()
        #expect(column.count == 3)
        #expect(column.string(at: 0) == "first" && column[1] == [1, 2, 3] && column.isEmpty(at: 2))
        #expect(column.bytes.count == 8)
    }

    @Test func abandoningTheFirstValueLeavesNothing() {
        var column = ByteColumn()
        column.extendValue([1].span)
        column.abandonValue()
        #expect(column == ByteColumn())
    }

    @Test func foreignLayoutsAreChecked() {
        #expect(ByteColumn(bytes: [1, 2, 3], ends: [1, 1, 3])?.count == 3)
        #expect(ByteColumn(bytes: [1, 2, 3], ends: [2, 1, 3]) == nil)
        #expect(ByteColumn(bytes: [1, 2, 3], ends: [1, 2]) == nil)
        #expect(ByteColumn(bytes: [], ends: []) == ByteColumn())
    }

    @Test func columnsConcatenate() {
        var left = ByteColumn()
        left.append("a")
        var right = ByteColumn()
        right.append("")
        right.append("bc")
        left.append(contentsOf: right)
        #expect((0..<3).map { left.string(at: $0) } == ["a", "", "bc"])
    }
}

@Suite struct KeyTableTests {
    @Test(arguments: [UInt64(1), 2, 3]) func behavesAsADictionary(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var table = KeyTable()
        var expected: [[UInt8]: Int] = [:]
        for _ in 0..<3000 {
            let key = (0..<Int.random(in: 0...3, using: &random)).map { _ in UInt8.random(in: 0...20, using: &random) }
            let hint = Int.random(in: -1...20, using: &random)
            let index = table.intern(key.span, hint: hint)
            #expect(index == expected[key, default: expected.count], "seed \(seed)")
            expected[key] = index
        }
        #expect(table.count == expected.count)
        for (key, index) in expected {
            #expect(table.index(of: key.span) == index && table.keys[index] == key, "seed \(seed)")
        }
        #expect(table.index(of: [99, 99].span) == nil)
    }
}

@Suite struct AttributeTableTests {
    @Test func theLastOfDuplicateKeysStays() {
        var table = AttributeTable()
        table.appendRow([Attribute("a", 1), Attribute("b", "x"), Attribute("a", "last")])
        table.appendRow([Attribute("a", 2)])
        #expect(table.attributes(of: 0) == [Attribute("a", "last"), Attribute("b", "x")])
        #expect(table.attributes(of: 1) == [Attribute("a", 2)])
        #expect(table.duplicateCount == 1)
        #expect(table.value(of: "b", row: 0) == "x" && table.value(of: "b", row: 1) == nil && table.value(of: "c", row: 0) == nil)
    }

    @Test func anAbandonedRowLeavesNoEntriesAndNoMemoryOfItsKeys() {
        var table = AttributeTable()
        table.appendRow([Attribute("a", 1)])
        table.append("a", 2)
        table.append("b", 3)
        table.abandonRow()
        table.append("b", 4)
        table.append("a", 5)
        table.finishRow()
        #expect(table.rowCount == 2)
        #expect(table.attributes(of: 1) == [Attribute("b", 4), Attribute("a", 5)])
        #expect(table.duplicateCount == 0)
    }

    @Test(arguments: [UInt64(1), 2, 3, 4, 5]) func rowsReadBackAlsoFromACopy(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var table = AttributeTable()
        var rows: [[Attribute]] = []
        for _ in 0..<60 {
            let row = random.attributes(Int.random(in: 0...8, using: &random), depth: 3)
            rows.append(row)
            table.appendRow(row)
        }
        var copy = AttributeTable()
        for row in rows.indices.reversed() { copy.appendRow(row, of: table) }
        for row in rows.indices {
            #expect(table.attributes(of: row) == rows[row], "seed \(seed)")
            #expect(copy.attributes(of: rows.count - 1 - row) == rows[row], "seed \(seed)")
        }
    }
}

@Suite struct ByteHashTests {
    /// Every length and every single changed bit gives another hash; with 64 bits a collision among these few would be a defect.
    @Test func lengthsAndBitsAllCount() {
        var hashes: Set<UInt64> = []
        var inputs = 0
        for length in 0..<100 {
            var bytes = [UInt8](repeating: 0, count: length)
            hashes.insert(ByteHash.hash(bytes.span, seed: 7))
            inputs += 1
            for index in bytes.indices {
                bytes[index] ^= 1
                hashes.insert(ByteHash.hash(bytes.span, seed: 7))
                bytes[index] ^= 0x81
                hashes.insert(ByteHash.hash(bytes.span, seed: 7))
                bytes[index] = 0
                inputs += 2
            }
        }
        #expect(hashes.count == inputs)
        #expect(ByteHash.hash([1].span, seed: 1) != ByteHash.hash([1].span, seed: 2))
    }

    /// Nobody who does not know the seed can choose words that cancel what comes with them.
    @Test func wordsDoNotCancelTheOthers() {
        for constant: UInt64 in [0xE703_7ED1_A0B4_28DB, 0x5899_65CC_7537_4CC3, 0x9FB2_1C65_1E98_DF25, 0] {
            var hashes: Set<UInt64> = []
            for number in UInt64(0)..<64 {
                let words: [UInt64] = [constant, number, constant, number &* 3]
                let bytes = words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64($0 * 8)) } }
                hashes.insert(ByteHash.hash(bytes.span, seed: 0x1234_5678_9ABC_DEF1))
            }
            #expect(hashes.count == 64)
        }
    }
}
