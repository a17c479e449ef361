import OrielTelemetry
import Testing

@Suite struct StreamDictionaryTests {
    private let dictionary = StreamDictionary()

    /// A table whose streams are in a dictionary reads like one that holds them itself, also after a stream came that is in no dictionary.
    @Test func aTableReadsTheSameFromADictionary() {
        let descriptors: [[UInt8]] = (0..<20).map { Array("stream \($0)".utf8) }
        let indexes = descriptors.map { UInt32(dictionary.intern($0)) }
        #expect(descriptors.map { UInt32(dictionary.intern($0)) } == indexes)
        #expect(dictionary.count == 20 && dictionary.byteCount == descriptors.reduce(0) { $0 + $1.count })
        var own = StreamTable()
        var shared = StreamTable()
        for index in stride(from: 19, through: 1, by: -2) {
            #expect(own.intern(descriptors[index]) == shared.append(indexes[index], of: dictionary))
        }
        #expect(shared.dictionary === dictionary)
        #expect(shared.count == own.count && shared.descriptors == own.descriptors && shared.descriptorHashes == own.descriptorHashes)
        #expect(shared.descriptor(3) == own.descriptor(3))

        #expect(own.intern(descriptors[0]) == shared.intern(descriptors[0]))
        #expect(own.intern(descriptors[5]) == shared.intern(descriptors[5]))
        #expect(own.intern(descriptors[2]) == shared.append(indexes[2], of: dictionary))
        #expect(shared.dictionary == nil && shared.descriptors == own.descriptors && shared.descriptorHashes == own.descriptorHashes)
    }

    @Test func streamsOfTwoDictionariesShareATable() {
        let other = StreamDictionary()
        let first = UInt32(dictionary.intern([1]))
        let second = UInt32(other.intern([2]))
        var table = StreamTable()
        #expect(table.append(first, of: dictionary) == 0)
        #expect(table.append(second, of: other) == 1)
        #expect((0..<2).map { table.descriptor($0) } == [[1], [2]])
    }

    @Test func namesBelongToOneOwner() {
        let unknown = StreamDictionary.unknown
        let indexes = (0..<4).map { UInt32(dictionary.intern([UInt8($0)])) }
        #expect(dictionary.references(indexes, owner: 7) == [unknown, unknown, unknown, unknown])
        dictionary.set([30, 10], for: [indexes[3], indexes[1]], owner: 7)
        #expect(dictionary.references(indexes, owner: 7) == [unknown, 10, unknown, 30])
        let later = UInt32(dictionary.intern([99]))
        #expect(dictionary.references([later, indexes[1]], owner: 7) == [unknown, 10])
        #expect(dictionary.references(indexes, owner: 8) == [unknown, unknown, unknown, unknown])
        dictionary.set([5], for: [indexes[0]], owner: 8)
        #expect(dictionary.references(indexes, owner: 8) == [5, unknown, unknown, unknown])
        #expect(dictionary.references(indexes, owner: 7) == [unknown, unknown, unknown, unknown])
    }
}
