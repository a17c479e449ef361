/// A set of streams as a bit for each reference.
struct StreamSet: Sendable {
    private var words: [UInt64] = []
    private(set) var count = 0

    init() {}

    init(_ references: some Sequence<StreamReference>) {
        for reference in references { insert(reference) }
    }

    func contains(_ reference: StreamReference) -> Bool {
        let word = Int(reference >> 6)
        return word < words.count && words[word] & (1 << UInt64(reference & 63)) != 0
    }

    mutating func insert(_ reference: StreamReference) {
        let word = Int(reference >> 6)
        if word >= words.count { words.append(contentsOf: repeatElement(0, count: max(word + 1, words.count * 2) - words.count)) }
        let bit = UInt64(1) << UInt64(reference & 63)
        if words[word] & bit == 0 {
            words[word] |= bit
            count += 1
        }
    }

    /// Ascending.
    var references: [StreamReference] {
        var references: [StreamReference] = []
        references.reserveCapacity(count)
        for (index, word) in words.enumerated() {
            var rest = word
            while rest != 0 {
                references.append(StreamReference(index * 64 + rest.trailingZeroBitCount))
                rest &= rest - 1
            }
        }
        return references
    }
}
